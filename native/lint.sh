#!/bin/sh
# Format and lint of C, C++ and BPF C; warnings are errors. `--fix` formats instead of checking. The checks are those
# of .clang-tidy; the compilers' own -Wall -Wextra -Werror already ran in the build. BPF C is only formatted here: the
# checks know no BPF target. Files clang-tidy passed are remembered by content, so a second run costs nothing.
set -eu
cd "$(dirname "$0")/.."

sources=$(find bpf native test \( -name .output -o -name out \) -prune -o \
    -type f \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | sort)
if [ "${1-}" = --fix ]; then
    echo "$sources" | xargs clang-format-19 -i
    exit
fi
echo "$sources" | xargs clang-format-19 --dry-run -Werror

node_headers=$(dirname "$(dirname "$(node -p process.execPath)")")/include/node
flags="-std=c++20 -fno-exceptions -DNAPI_VERSION=9 -DNAPI_DISABLE_CPP_EXCEPTIONS
    -D__STDC_CONSTANT_MACROS -D__STDC_FORMAT_MACROS -D__STDC_LIMIT_MACROS
    -Inative -Ibpf -isystem bpf/.output -isystem $node_headers -isystem node_modules/node-addon-api
    -isystem /usr/lib/llvm-19/include"
cache=node_modules/.cache/emberscope/tidy
mkdir -p "$cache"
# A header may change what is said about any file: all headers are part of the key.
shared=$(cat .clang-tidy bpf/*.h $(find native -name '*.h' | sort) native/lint.sh | sha256sum | cut -c1-32)
find native -name '*.cc' | sort | while read -r file; do
    stamp=$cache/$(cat "$file" | sha256sum | cut -c1-32)-$shared
    [ -e "$stamp" ] || echo "$file $stamp"
done | FLAGS="$flags" xargs -r -L 1 -P "$(nproc)" sh -c 'clang-tidy-19 --quiet "$0" -- $FLAGS && touch "$1"'
