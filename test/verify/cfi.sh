#!/bin/sh
# Compares our unwind rows with readelf's, row by row: of the files given, or of every file of this machine's disk.
# Usage: cfi.sh [--sample N] [--seed S] [FILE...]; `npm run verify:cfi -- ...`. A sample is the same files for the same
# seed and disk. Exit code 1 when a difference has no explanation. Needs g++ and binutils; the whole disk takes minutes.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
out=${VERIFY_OUT:-$root/build/verify}
mkdir -p "$out"
# Two callers may build at once: each moves a whole program into place.
(
    cd "$root"
    changed=$(find test/verify native bpf -name '*.[ch]*' -newer "$out/cfi_rows" 2>&1 | head -1)
    [ -n "$changed" ] || exit 0
    # shellcheck disable=SC2046 # lists of files
    g++ -std=c++20 -O2 -Wall -Wextra -Werror -Wno-missing-field-initializers -fno-exceptions -Inative -Ibpf \
        test/verify/cfi_rows.cc test/verify/readelf_frames.cc native/cfi/*.cc native/elf_file.cc \
        native/elf_gomodule.cc native/elf_gopclntab.cc native/file_reader.cc -lz -o "$out/cfi_rows.$$"
    mv "$out/cfi_rows.$$" "$out/cfi_rows"
)
files=false skip=false
for argument; do
    if $skip; then skip=false; continue; fi
    case $argument in
    --sample | --seed) skip=true ;;
    *) files=true ;;
    esac
done
if $files; then exec "$out/cfi_rows" "$@"; fi
# This checkout is left out, since builds write to it; what is neither program nor library is told by its first bytes.
find / -xdev \( -path "$root" -o -path /proc -o -path /sys -o -path /dev -o -path /tmp \) -prune -o -type f -size +1k -print 2> "$out/find.log" |
    "$out/cfi_rows" "$@"
