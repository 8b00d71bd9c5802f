#!/bin/sh
# BPF C -> one linked object -> skeleton header (bpf/.output/profiler.skel.h). Debug sections are dropped, BTF stays:
# the header embeds the object as text, and shrinks to a twentieth.
set -eu
cd "$(dirname "$0")"
arch=$(uname -m | sed 's/aarch64/arm64/; s/x86_64/x86/')
bpftool=$(command -v bpftool || echo /usr/sbin/bpftool)
mkdir -p .output
for program in profiler lifecycle; do
    clang-19 -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -D__TARGET_ARCH_"$arch" \
        -I"/usr/include/$(uname -m)-linux-gnu" -c "$program.bpf.c" -o ".output/$program.bpf.o"
    llvm-strip-19 -g ".output/$program.bpf.o"
done
"$bpftool" gen object .output/emberscope.o .output/profiler.bpf.o .output/lifecycle.bpf.o
"$bpftool" gen skeleton .output/emberscope.o name profiler > .output/profiler.skel.h.new
mv .output/profiler.skel.h.new .output/profiler.skel.h
