#!/bin/sh
# Builds the programs that know their own truth. Usage: build.sh [output directory], default build/truth.
# `framed` programs keep frame pointers everywhere; `bare` ones are what distributions ship: -O2 and none. No tail calls
# in either (they drop a caller from the stack). `lockstep` is linked at a fixed address: its test reads addresses as
# sampled. A program is rebuilt only when a source here is newer.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/truth}
mkdir -p "$out"
exec 9> "$out/.lock" # test files that run side by side
flock 9
common="-g -Wall -Wextra -Werror -fno-optimize-sibling-calls -pthread"
framed="-O1 -fno-omit-frame-pointer $common"
bare="-O2 -fomit-frame-pointer $common"
# Its functions call what `hops` has, and lie 64 KiB apart.
hop_flags="-shared -fPIC -Wl,-z,max-page-size=65536"

is_fresh() { [ -e "$1" ] && [ -z "$(find "$here" -maxdepth 1 -newer "$1" -type f)" ]; }

compile() { # flags, output, source, further flags
    flags=$1 target=$out/$2 source=$here/$3
    shift 3
    is_fresh "$target" && return
    compiler=${CC:-cc}
    case $source in *.cc) compiler=${CXX:-c++} ;; esac
    # shellcheck disable=SC2086
    ${COMPILER:-$compiler} $flags "$@" -o "$target.new" "$source"
    mv "$target.new" "$target"
}

for name in split threads families kernel odd; do
    compile "$framed" $name $name.c
done
compile "$framed" split-shifted split.c -DSHIFTED
compile "$framed" lockstep lockstep.c -no-pie
compile "$framed" plugin.so plugin.c -shared -fPIC -Wl,-z,separate-code
compile "$framed" loader loader.c -ldl

for name in callbacks realigned deep clones contexts swapper jitted lazy wild storm hops cold_call; do
    extra=
    case $name in
    realigned) extra=-mstackrealign ;;
    clones) extra=-D_GNU_SOURCE ;;
    hops) extra=-rdynamic ;;
    esac
    # shellcheck disable=SC2086
    compile "$bare" $name $name.c $extra -ldl
done
compile "$bare" exceptions exceptions.cc
compile "$bare" callbacks-static callbacks.c -static
compile "$bare" callbacks-static-pie callbacks.c -static-pie
compile "$bare" callbacks-stripped callbacks.c -s
compile "$bare" swapped-a.so swapped.c -shared -fPIC -DSWAP_NAME=a -DSWAP_BYTES=40
compile "$bare" swapped-b.so swapped.c -shared -fPIC -DSWAP_NAME=b -DSWAP_BYTES=1000
compile "$bare" lazy-callees.so lazy_callees.c -shared -fPIC
compile "$bare" lazy-calls.so lazy_calls.c -shared -fPIC -Wl,-z,lazy
compile "$bare" brief-a brief.c -no-pie -DBRIEF_NAME=a -DBRIEF_BYTES=24
compile "$bare" brief-b brief.c -no-pie -DBRIEF_NAME=b -DBRIEF_BYTES=1200
for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
    compile "$bare $hop_flags" hop-$number.so hop.c -Wl,-soname,hop-$number.so
done
if command -v musl-gcc >/dev/null; then
    for name in callbacks deep; do
        COMPILER=musl-gcc compile "$bare" $name-musl $name.c
        COMPILER=musl-gcc compile "$bare" $name-musl-static $name.c -static
    done
fi
