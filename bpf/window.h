/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * User memory as the BPF unwinder reads it. The price of reading it is per call, not per byte (57 ns for 8
 * bytes, 91 for 1 KiB): a window of the stack is copied once and several frames are unwound from it.
 */
#pragma once

#include "unwind_state.h"

#define WINDOW_BELOW 64 /* registers are saved below the return address: usually within this */
#define PAGE_BYTES 4096

static __always_inline int read_user(void *to, __u64 from, __u32 bytes) {
    return bpf_probe_read_user(to, bytes, (const void *)from) != 0;
}

static __always_inline struct walk *walk_of_cpu(void) {
    struct cpu_memory *memory = memory_of_cpu();
    return memory ? &memory->walk : 0;
}

static __always_inline struct walk *walk_of(struct unwind_state *state) {
    return (struct walk *)((char *)state - __builtin_offsetof(struct walk, state));
}

/* Copies what is readable from `address` up to its page's end, or else 8 bytes. */
static __noinline int copy_to_page_end(struct walk *walk, __u64 address) {
    struct raw_stack *raw = &walk->state.raw;
    __u64 bytes = PAGE_BYTES - (address & (PAGE_BYTES - 1));
    raw->stack_start = address;
    raw->stack_bytes = bytes;
    AT_MOST(bytes, PAGE_BYTES);
    if (bytes >= 8 && !bpf_probe_read_user(walk->bytes, bytes, (const void *)address)) return 0;
    raw->stack_bytes = 8;
    if (!bpf_probe_read_user(walk->bytes, 8, (const void *)address)) return 0;
    raw->stack_bytes = 0;
    return STACK_END_UNREADABLE;
}

/* Moves the window so that it holds `address`: from a little below it up, in the main thread no further than
 * its first frame. A walk's first window is smaller, for most stacks end in it. */
static __noinline int move_window(struct walk *walk, __u64 address) {
    struct raw_stack *raw = &walk->state.raw;
    __u64 sp = raw->registers[REGISTER_SP], start = address - WINDOW_BELOW;
    __u64 bytes = raw->stack_bytes ? STACK_WINDOW_BYTES_MAX : STACK_WINDOW_BYTES;
    if (start < sp - RED_ZONE && address >= sp - RED_ZONE) start = sp - RED_ZONE;
    if (address + 8 <= raw->stack_root && raw->stack_root - start < bytes) bytes = raw->stack_root - start;
    AT_MOST(bytes, STACK_WINDOW_BYTES_MAX);
    raw->stack_start = start;
    raw->stack_bytes = bytes;
    if (!bpf_probe_read_user(walk->bytes, bytes, (const void *)start)) return 0;
    return copy_to_page_end(walk, address);
}

static __always_inline int read_stack(struct unwind_state *state, __u64 address, __u64 *word) {
    struct walk *walk = walk_of(state);
    __u64 offset = address - state->raw.stack_start;
    if (offset + 8 > state->raw.stack_bytes || offset > PAGE_BYTES - 8) {
        int problem = move_window(walk, address);
        if (problem) return problem;
        offset = address - state->raw.stack_start;
    }
    if (offset > PAGE_BYTES - 8) return STACK_END_UNREADABLE;
    *word = *(const __u64 *)(walk->bytes + offset);
    return 0;
}

static __always_inline int copy_stack(struct unwind_state *state, __u64 address, __u64 *words, __u32 bytes) {
    (void)state;
    return read_user(words, address, bytes) ? STACK_END_UNREADABLE : 0;
}
