#!/bin/sh
# The BPF ring: the judge of call sites, under sanitizers; the unwinder's guesses over live stacks (its rules: the ring
# "unwind"); the decoders of kernel bytes fuzzed for a moment; the verifier's verdict on every combination of settings;
# the objects built for arm64. Ends with "N passed, N failed, N skipped" (also as node's reporter counts, for the sum of
# all rings).
set -u
cd "$(dirname "$0")"
out=../../build/test-bpf
mkdir -p "$out"
sh ../../bpf/build.sh || exit 1

passed=0 failed=0 skipped=0
warnings='-Wall -Wextra -Werror'
sanitize='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
echo 'int main(void) { return 0; }' > "$out/probe.c"
compilers=
for compiler in gcc clang-19; do
    command -v "$compiler" > /dev/null && compilers="$compilers $compiler"
done

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "not ok - $1"; }
skip() { skipped=$((skipped + 1)); echo "skipped - $1: $2"; }

# can_sanitize COMPILER: sets `flags`, without sanitizers where their library is missing.
can_sanitize() {
    flags=$sanitize
    # shellcheck disable=SC2086 # a list of flags
    "$1" $flags "$out/probe.c" -o "$out/probe" 2> "$out/probe.log" && return
    flags=
    skip "sanitizers of $1" "$(tail -1 "$out/probe.log")"
}

# counted NAME COMMAND...: runs a test program and adds the counts of its last line.
counted() {
    name=$1
    shift
    echo "-- $name"
    "$@" > "$out/output" 2>&1
    status=$?
    grep -v '^counts ' "$out/output"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^counts //p' "$out/output")
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
    if [ $# -ne 3 ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; }; then fail "$name ended with $status"; fi
}

# build OUTPUT COMPILER ARGUMENTS...
build() {
    target=$1
    shift
    "$@" -o "$out/$target" && return
    fail "$target does not compile: $*"
    return 1
}

# extract OBJECT NAME: the flat bytes of its code and of its table.
extract() {
    llvm-objcopy-19 -O binary -j .text "$1" "$out/$2.text" &&
        llvm-objcopy-19 -O binary -j .table --set-section-flags .table=alloc "$1" "$out/$2.table"
}

# calls NAME COMPILER FLAGS: call_site_at() over what an assembler encoded.
calls() {
    # shellcheck disable=SC2086 # lists of flags
    build "calls-$1" $2 -O1 -g $warnings $flags $3 -I../../bpf calls_test.c &&
        counted "calls of $1, $2" "$out/calls-$1" "$out/$1.text" "$out/$1.table"
}

unwinding() {
    clang-19 --target=aarch64-linux-gnu -c calls_arm64.S -o "$out/arm64.o" && extract "$out/arm64.o" arm64 ||
        fail 'calls_arm64.S does not assemble'
    [ "$(uname -m)" != x86_64 ] || { as calls_x86.S -o "$out/x86.o" && extract "$out/x86.o" x86; } ||
        fail 'calls_x86.S does not assemble'
    for compiler in $compilers; do
        can_sanitize "$compiler"
        calls arm64 "$compiler" -D__TARGET_ARCH_arm64
        if [ "$(uname -m)" != x86_64 ]; then
            skip "stacks of x86-64, $compiler" "this machine is $(uname -m)"
            continue
        fi
        calls x86 "$compiler" ''
        for level in -O0 -O2; do
            # shellcheck disable=SC2086
            build live_test "$compiler" "$level" -g $warnings -fno-omit-frame-pointer \
                -fno-optimize-sibling-calls -pthread -I../../bpf live_test.c &&
                counted "own stack, $compiler $level" "$out/live_test"
        done
    done
}

decoders() {
    echo '-- decoders on mutated bytes'
    if ! clang++-19 -fsanitize=fuzzer -x c++ -c /dev/null -o "$out/probe.o" 2> "$out/probe.log"; then
        skip 'decoders on mutated bytes' 'clang-19 has no fuzzer'
    elif sh fuzz.sh -runs=100000 -seed=1 -verbosity=0 > "$out/fuzz.log" 2>&1; then
        pass
    elif grep -q 'libclang_rt.fuzzer' "$out/fuzz.log"; then
        skip 'decoders on mutated bytes' 'libclang-rt-19-dev is not installed'
    else
        tail -30 "$out/fuzz.log"
        fail 'decoders on mutated bytes'
    fi
}

verifier() {
    # shellcheck disable=SC2086
    build verifier_test gcc -O1 -g $warnings -I../../bpf -I../../bpf/.output verifier_test.c -lbpf &&
        counted 'verifier' "$out/verifier_test"
}

# The arm64 objects need arm64's kernel headers: linux-libc-dev-arm64-cross, or ARM64_HEADERS=DIR.
arm64_objects() {
    headers=${ARM64_HEADERS:-/usr/aarch64-linux-gnu/include}
    echo '-- objects for arm64'
    for program in profiler lifecycle; do
        if [ ! -e "$headers/asm/ptrace.h" ]; then
            skip "$program.bpf.c for arm64" "no arm64 kernel headers (linux-libc-dev-arm64-cross)"
        # shellcheck disable=SC2086
        elif clang-19 -target bpf -mcpu=v3 -O2 -g $warnings -D__TARGET_ARCH_arm64 -I"$headers" \
            -c "../../bpf/$program.bpf.c" -o "$out/$program.arm64.o"; then pass
        else fail "$program.bpf.c for arm64 does not compile"; fi
    done
}

unwinding
decoders
verifier
arm64_objects
printf '# pass %d\n# fail %d\n# skipped %d\n' "$passed" "$failed" "$skipped"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"
else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
