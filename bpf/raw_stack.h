/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* What a walk that met a miss leaves for user space: the unwinder's state and two pieces of the stack. */
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

/*
 * The copying functions are global, so that the verifier looks at each once: neither the number of pages nor
 * the ways that lead here count then.
 */

/* Copies `bytes` of one page at `address` to bytes[at] of this CPU's walk; how many. */
__noinline __u64 copy_page(__u64 at, __u64 address, __u64 bytes) {
    struct walk *walk = walk_of_cpu();
    if (!walk || at > sizeof(walk->bytes) - PAGE_BYTES) return 0;
    AT_MOST(bytes, PAGE_BYTES);
    return bpf_probe_read_user(walk->bytes + at, bytes, (const void *)address) ? 0 : bytes;
}

/* The same page by page: behind the first that is not in memory nothing is of use. */
__noinline __u64 copy_range(__u64 at, __u64 address, __u64 bytes) {
    __u64 done = 0;
    for (int i = 0; i <= RAW_STACK_BYTES_MAX / PAGE_BYTES; i++) {
        __u64 piece = PAGE_BYTES - ((address + done) & (PAGE_BYTES - 1));
        if (piece > bytes - done) piece = bytes - done;
        if (piece == 0 || copy_page(at + done, address + done, piece) != piece) break;
        done += piece;
    }
    return done;
}

/* Where the copy begins: with the red zone, when that is in memory. */
static __always_inline __u64 raw_stack_start(__u64 sp) {
    __u64 word;
    return bpf_probe_read_user(&word, sizeof(word), (const void *)(sp - RED_ZONE)) ? sp : sp - RED_ZONE;
}

/* The second piece: what is in memory without a gap below `end`. It begins at a page, so that its last one
 * fits behind the first piece. */
__noinline int copy_root_piece(__u64 end) {
    struct walk *walk = walk_of_cpu();
    if (!walk) return 0;
    __u64 at = walk->state.raw.stack_bytes, done = 0;
    __u64 start = (end - RAW_ROOT_BYTES_MAX + PAGE_BYTES - 1) & ~(__u64)(PAGE_BYTES - 1);
    for (int i = 0; i < RAW_ROOT_BYTES_MAX / PAGE_BYTES && start + done < end; i++) {
        __u64 piece = end - (start + done);
        if (piece > PAGE_BYTES) piece = PAGE_BYTES;
        if (copy_page(at + done, start + done, piece) == piece) {
            done += piece;
        } else { /* a shallow stack has pages that nobody touched yet */
            start += done + PAGE_BYTES;
            done = 0;
        }
    }
    walk->state.raw.root_start = start;
    walk->state.raw.root_bytes = done;
    return 0;
}

/* The first piece ends at the main thread's first frame; of another thread we only know what its thread
 * pointer is, which may be anywhere. */
__noinline int copy_raw_stack(__u32 unused) {
    struct walk *walk = walk_of_cpu();
    if (!walk) return unused;
    struct raw_stack *raw = &walk->state.raw;
    __u64 start = raw_stack_start(raw->registers[REGISTER_SP]), bytes = RAW_STACK_BYTES_MAX;
    __u64 end = (raw->stack_root ? raw->stack_root : raw->thread_pointer) & ~(__u64)(ROOT_ROUND - 1);
    end += ROOT_ROUND;
    if (raw->stack_root && end - start < bytes) bytes = end - start;
    raw->stack_start = start;
    raw->stack_bytes = copy_range(0, start, bytes);
    raw->root_start = raw->root_bytes = 0;
    if (end - start > RAW_STACK_BYTES_MAX && end > RAW_ROOT_BYTES_MAX) copy_root_piece(end);
    return 0;
}

/* Sends the raw stack; gives the ticket, or 0 and the reason in *end. */
static __always_inline __u32 send_raw_stack(struct cpu_state *cpu, struct walk *walk, __u64 now, __u8 *end) {
    struct raw_stack *raw = &walk->state.raw;
    if (!is_raw_stack_paid(cpu, now)) {
        *end = STACK_END_RAW_BUDGET;
        return 0;
    }
    copy_raw_stack(0);
    raw->ticket = ++cpu->ticket ? cpu->ticket : ++cpu->ticket;
    raw->cpu = bpf_get_smp_processor_id();
    __u64 bytes = sizeof(*raw) + (__u64)raw->stack_bytes + raw->root_bytes;
    AT_MOST(bytes, sizeof(*raw) + sizeof(walk->bytes));
    if (bpf_ringbuf_output(&raw_stacks, raw, bytes, BPF_RB_NO_WAKEUP)) {
        *end = STACK_END_RAW_FULL;
        return 0;
    }
    cpu->counters[COUNTER_RAW]++;
    return raw->ticket;
}
