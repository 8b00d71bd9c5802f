#!/bin/sh
# Fuzzes the two decoders of kernel bytes. Usage: sh test/bpf/fuzz.sh [libFuzzer flags], by default 60 s each. A crasher
# is left in build/test-bpf. Needs clang-19 and libclang-rt-19-dev.
set -eu
cd "$(dirname "$0")"
out=../../build/test-bpf
mkdir -p "$out"
[ $# -gt 0 ] || set -- -max_total_time=60
for target in records sideband; do
    decoder=../../native/record_decode.cc
    [ "$target" = records ] || decoder='../../native/sideband.cc ../../native/track/boot_clock.cc'
    # shellcheck disable=SC2086 # a list of files
    clang++-19 -std=c++20 -O1 -g -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-deprecated-declarations \
        -fno-exceptions -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -I../../native -I../../bpf \
        "fuzz_$target.cc" $decoder -o "$out/fuzz_$target"
    mkdir -p "$out/corpus-$target"
    "$out/fuzz_$target" -timeout=10 -rss_limit_mb=1024 -max_len=20000 -artifact_prefix="$out/$target-" "$@" \
        "$out/corpus-$target"
done
