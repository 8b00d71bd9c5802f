#!/bin/sh
# The unwind ring: the C++ that makes, keeps and uses unwind tables, as plain programs under AddressSanitizer and
# UndefinedBehaviorSanitizer. Every *_test.cc here is one; comment lines at its head say what it is made of:
#   // sources: native/tables/arena.cc native/file_reader.cc    (may be repeated)
#   // libraries: -lz -llzma
#   // threads                                                  (built and run once more under ThreadSanitizer)
# Arguments choose tests by name (`run.sh arena loader`). Claims are counted by test/bpf/check.h. Ends with
# "N passed, N failed, N skipped" (also as node's reporter counts, for the sum of all rings).
set -u
cd "$(dirname "$0")/../.."
out=${TEST_OUT:-build/test-unwind}
mkdir -p "$out"

compiler=${CXX:-g++}
warnings='-Wall -Wextra -Werror -Wno-missing-field-initializers'
common="-std=c++20 -fno-exceptions -O1 -g -pthread -Inative -Ibpf -Itest/bpf"
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }
fail() { failed=$((failed + 1)); echo "not ok - $1"; }
skip() { skipped=$((skipped + 1)); echo "skipped - $1: $2"; }

# usable FLAGS: true when programs can be built and run with them. Where the library is missing they cannot.
usable() {
    echo 'int main() { return 0; }' > "$out/probe.cc"
    # shellcheck disable=SC2086 # a list of flags
    "$compiler" $1 "$out/probe.cc" -o "$out/probe" 2> "$out/probe.log" && "$out/probe" 2>> "$out/probe.log"
}

# head_lines TEST WORD: what the comment lines `// WORD: ...` of a test say.
head_lines() { sed -n "s|^// $2: *||p" "$1" | tr '\n' ' '; }

# object SOURCE VARIANT FLAGS: compiles a file unless its object is newer than it and every header; prints the path.
object() {
    target=$out/$2-$(echo "$1" | tr '/' '_').o
    if [ ! -e "$target" ] || [ -n "$(find "$1" native bpf test/bpf test/unwind -name .output -prune -o \
        \( -path "$1" -o -name '*.h' \) -newer "$target" -print | head -1)" ]; then
        # shellcheck disable=SC2086 # lists of flags
        "$compiler" $common $warnings $3 -c "$1" -o "$target.$$" && mv "$target.$$" "$target" || return 1
    fi
    echo "$target"
}

# flags_of VARIANT
flags_of() {
    if [ "$1" = threads ]; then echo "$thread"; else echo "$address"; fi
}

# By ourselves below, many at once; what fails to compile is said when its test's turn comes.
if [ "${1-}" = --object ]; then
    object "$2" "$3" "$(flags_of "$3")" > "$out/object.$$" 2>&1
    rm -f "$out/object.$$"
    exit 0
fi

# variants FILE: of a test, one a line.
variants() {
    echo checked
    if [ -n "$thread" ] && grep -q '^// threads$' "$1"; then echo threads; fi
}

# run_test FILE VARIANT
run_test() {
    flags=$(flags_of "$2")
    name="$(basename "$1" .cc), $2"
    echo "-- $name"
    objects=
    for source in "$1" $(head_lines "$1" sources); do
        one=$(object "$source" "$2" "$flags") || { fail "$source does not compile"; return; }
        objects="$objects $one"
    done
    program=$out/$2-$(basename "$1" .cc)
    # shellcheck disable=SC2046,SC2086 # lists
    "$compiler" -pthread $flags $objects $(head_lines "$1" libraries) -o "$program" || { fail "$name does not link"; return; }
    timeout 300 "$program" > "$out/output" 2>&1
    status=$?
    grep -v '^counts ' "$out/output"
    # shellcheck disable=SC2046 # three numbers
    set -- $(sed -n 's/^counts //p' "$out/output")
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-0})) skipped=$((skipped + ${3:-0}))
    if [ $# -ne 3 ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; }; then fail "$name ended with $status"; fi
}

address='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
if ! usable "$address"; then
    skip 'address and undefined-behaviour sanitizers' "$(tail -1 "$out/probe.log")"
    address=
fi
thread='-fsanitize=thread'
if ! usable "$thread"; then
    skip 'thread sanitizer' "$(tail -1 "$out/probe.log")"
    thread=
fi
export address thread
tests=
for file in test/unwind/*_test.cc; do
    [ -e "$file" ] || continue
    case " ${*:-$(basename "$file" _test.cc)} " in *" $(basename "$file" _test.cc) "*) tests="$tests $file" ;; esac
done
for file in $tests; do
    for variant in $(variants "$file"); do
        for source in "$file" $(head_lines "$file" sources); do echo "$source $variant"; done
    done
done | sort -u | xargs -r -L 1 -P "$(nproc)" sh test/unwind/run.sh --object
for file in $tests; do
    for variant in $(variants "$file"); do run_test "$file" "$variant"; done
done
printf '# pass %d\n# fail %d\n# skipped %d\n' "$passed" "$failed" "$skipped"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"
else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
