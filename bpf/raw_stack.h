/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* What a walk that met a miss leaves for user space: the unwinder's state and the stack from sp on. */
#pragma once

#define NANOSECONDS 1000000000ULL
#define ROOT_ROUND 64

/*
 * Budget of raw stacks of this CPU: each one is paid with a `1 / raw_stacks_per_second`, and what was not
 * spent in the last second is lost.
 */
static __always_inline int is_raw_stack_paid(struct cpu_state *cpu, __u64 now) {
    if (!raw_stacks_per_second) return 0;
    __u64 due = cpu->raw_due_ns;
    if (due + NANOSECONDS < now) due = now - NANOSECONDS;
    if (due > now) return 0;
    cpu->raw_due_ns = due + NANOSECONDS / raw_stacks_per_second;
    return 1;
}

/* Copies up to `room` bytes at `address` to bytes[at], no further than `end`; how many. */
static __always_inline __u64 copy_piece(struct walk *walk, __u64 at, __u64 address, __u64 room, __u64 end) {
    if (address >= end) return 0;
    __u64 bytes = end - address;
    if (bytes > room) bytes = room;
    if (at > RAW_STACK_BYTES_MAX - PAGE_BYTES) return 0;
    AT_MOST(bytes, PAGE_BYTES);
    return bpf_probe_read_user(walk->bytes + at, bytes, (const void *)address) ? 0 : bytes;
}

/* Where the copy begins: with the red zone, when that is in memory. */
static __always_inline __u64 raw_stack_start(__u64 sp) {
    __u64 word;
    return bpf_probe_read_user(&word, sizeof(word), (const void *)(sp - RED_ZONE)) ? sp : sp - RED_ZONE;
}

/* Page by page: behind the first that is not in memory nothing is of use. */
static __always_inline __u32 copy_raw_stack(struct walk *walk) {
    struct raw_stack *raw = &walk->state.raw;
    __u64 sp = raw->registers[REGISTER_SP], end = ~0ULL, done = 0;
    if (sp <= raw->stack_root) end = (raw->stack_root + ROOT_ROUND) & ~(__u64)(ROOT_ROUND - 1);
    __u64 start = raw_stack_start(sp);
    __u64 room = PAGE_BYTES - (start & (PAGE_BYTES - 1));
    for (int i = 0; i < RAW_STACK_BYTES_MAX / PAGE_BYTES; i++) {
        __u64 bytes = copy_piece(walk, done, start + done, room, end);
        done += bytes;
        if (bytes != room) break;
        room = PAGE_BYTES;
    }
    raw->stack_start = start;
    return done > RAW_STACK_BYTES_MAX ? RAW_STACK_BYTES_MAX : done;
}

/* Sends the raw stack; gives the ticket, or 0 and the reason in *end. */
static __always_inline __u32 send_raw_stack(struct cpu_state *cpu, struct walk *walk, __u64 now, __u8 *end) {
    struct raw_stack *raw = &walk->state.raw;
    if (!is_raw_stack_paid(cpu, now)) {
        *end = STACK_END_RAW_BUDGET;
        return 0;
    }
    __u32 bytes = copy_raw_stack(walk);
    raw->stack_bytes = bytes;
    raw->ticket = ++cpu->ticket ? cpu->ticket : ++cpu->ticket;
    raw->cpu = bpf_get_smp_processor_id();
    raw->padding = 0;
    if (bpf_ringbuf_output(&raw_stacks, raw, sizeof(*raw) + bytes, BPF_RB_NO_WAKEUP)) {
        *end = STACK_END_RAW_FULL;
        return 0;
    }
    cpu->counters[COUNTER_RAW]++;
    return raw->ticket;
}
