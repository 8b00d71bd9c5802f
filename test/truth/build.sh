#!/bin/sh
# Builds the programs that know their own truth. Usage: build.sh [output directory], default build/truth.
# Frame pointers everywhere, no tail calls (they drop a caller from the stack). `lockstep` is linked at a fixed address:
# its test reads addresses as sampled. A program is rebuilt only when a source here is newer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/truth}
mkdir -p "$out"
common="-O1 -g -Wall -Wextra -Werror -fno-omit-frame-pointer -fno-optimize-sibling-calls -pthread"

is_fresh() { [ -e "$1" ] && [ -z "$(find "$here" -newer "$1" -type f)" ]; }

compile() { # name, extra flags
    target=$out/$1
    source=$here/${1%.so}.c
    shift
    is_fresh "$target" && return
    # shellcheck disable=SC2086
    ${CC:-cc} $common "$@" -o "$target.new" "$source"
    mv "$target.new" "$target"
}

for name in split threads families kernel odd; do
    compile "$name"
done
compile lockstep -no-pie
compile plugin.so -shared -fPIC -Wl,-z,separate-code
compile loader -ldl
