#!/bin/sh
# Fuzzes the native parsers for SECONDS each (default 60) from their seed corpora, with ASan and UBSan.
# Usage: sh native/fuzz/run.sh [SECONDS]. Needs clang-19 and libclang-rt-19-dev. New inputs stay in the output
# directory; a crasher is written there too and belongs into the corpus together with its fix.
set -eu
cd "$(dirname "$0")"
seconds=${1:-60}
out=${FUZZ_OUT:-../../build/fuzz}
mkdir -p "$out"
parsers="../file_reader.cc ../elf_file.cc ../elf_symbols.cc ../elf_dynamic.cc ../elf_plt.cc ../elf_debugdata.cc
  ../elf_gomodule.cc ../elf_gopclntab.cc ../elf_resolve.cc ../text_lines.cc ../text_symbols.cc ../cfi/*.cc"
# clang takes libstdc++'s own use of a deprecated function in std::stable_sort for ours.
for target in elf text cfi; do
  # shellcheck disable=SC2086 # a list of files
  clang++-19 -std=c++20 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers \
    -Wno-deprecated-declarations -fno-exceptions -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I.. -I../../bpf "${target}_fuzz.cc" $parsers -llzma -lz -o "$out/${target}_fuzz"
  mkdir -p "$out/$target"
  "$out/${target}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="$out/$target-" "$out/$target" "corpus-$target"
done
