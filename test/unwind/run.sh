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
# Lines are all that a sanitizer's report needs; values of variables cost gcc a third of the time.
common="-std=c++20 -fno-exceptions -O1 -g1 -pthread -Inative -Ibpf -Itest/bpf"
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

# variants FILE: of a test, one a line.
variants() {
    echo checked
    if [ -n "$thread" ] && grep -q '^// threads$' "$1"; then echo threads; fi
}

# build_and_run FILE VARIANT PREFIX: leaves what the test printed in PREFIX.output and how it ended in PREFIX.status.
build_and_run() {
    flags=$(flags_of "$2")
    objects=
    for source in "$1" $(head_lines "$1" sources); do
        one=$(object "$source" "$2" "$flags") || { echo "$source does not compile" > "$3.status"; return; }
        objects="$objects $one"
    done
    program=$out/$2-$(basename "$1" .cc)
    # shellcheck disable=SC2046,SC2086 # lists
    "$compiler" -pthread $flags $objects $(head_lines "$1" libraries) -o "$program" ||
        { echo 'does not link' > "$3.status"; return; }
    timeout 300 "$program" > "$3.output" 2>&1
    echo $? > "$3.status"
}

# report NAME PREFIX: shows and counts what build_and_run left.
report() {
    echo "-- $1"
    [ ! -e "$2.output" ] || grep -v '^counts ' "$2.output"
    status=$(cat "$2.status")
    # shellcheck disable=SC2046 # three numbers
    set -- "$1" $(sed -n 's/^counts //p' "$2.output" 2> /dev/null)
    passed=$((passed + ${2:-0})) failed=$((failed + ${3:-0})) skipped=$((skipped + ${4:-0}))
    if [ $# -ne 4 ] || { [ "$status" != 0 ] && [ "$3" -eq 0 ]; }; then fail "$1: $status"; fi
}

# By ourselves below, many at once.
case ${1-} in
--object) # what fails to compile is said when its test's turn comes
    object "$2" "$3" "$(flags_of "$3")" > "$out/object.$$" 2>&1
    rm -f "$out/object.$$"
    exit 0 ;;
--test)
    build_and_run "$2" "$3" "$out/$3-$(basename "$2" .cc)"
    exit 0 ;;
esac

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

# each_test: every variant of every test chosen, one a line.
each_test() {
    for file in $tests; do
        for variant in $(variants "$file"); do echo "$file $variant"; done
    done
}
rm -f "$out"/*.output "$out"/*.status
each_test | xargs -r -L 1 -P "$(nproc)" sh test/unwind/run.sh --test
while read -r file variant; do
    name=$(basename "$file" .cc)
    report "$name, $variant" "$out/$variant-$name"
done << END
$(each_test)
END
printf '# pass %d\n# fail %d\n# skipped %d\n' "$passed" "$failed" "$skipped"
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"
else echo "$passed passed, $failed failed"; fi
[ "$failed" -eq 0 ]
