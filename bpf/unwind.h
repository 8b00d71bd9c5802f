/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The user-space unwinder: pure steps over struct unwind_state, compiled into the BPF program and into a
 * test. The includer provides read_user(void *to, __u64 from, __u32 bytes), 0 on success.
 *
 * This one follows frame pointers and checks each step: the frame lies higher on the same stack, and the
 * bytes before the return address are a call. Compilers that keep frame pointers still leave them out of leaf
 * functions, and then the leaf's caller is skipped; so for the first step a direct call's target must lie at
 * or before the callee, else the step is a guess. Further up a differing target is no sign: a sibling call
 * (`jmp`) makes it differ without any frame missing. Code that uses the frame pointer as a plain register
 * ends the chain. The seam is unwind_begin() and unwind_step(); a table-driven unwinder replaces what is
 * behind it.
 */
#pragma once

#include "abi.h"

#define FRAME_SPAN_MAX (1 << 20)   /* a frame larger than this is taken for a broken chain */
#define DIRECT_CALL_SPAN (1 << 20) /* a function larger than this is not believed */
#define USER_ADDRESS_MIN 4096
#define USER_ADDRESS_END (1ULL << 56)
/* main's frame lies below start_stack by the frames of _start and __libc_start_main: 280 to 400 bytes in
 * glibc 2.36, musl less. */
#define ROOT_SLACK 1024

struct unwind_state {
    __u64 pc;
    __u64 sp;
    __u64 fp;
    __u64 stack_root;     /* mm->start_stack for the main thread, else 0 */
    __u64 thread_pointer; /* glibc's start_thread leaves it in the frame pointer of the thread's first
                             function */
    __u8 guessed;         /* a step could not be checked */
    __u8 in_caller;       /* past the leaf */
    __u8 end;             /* enum stack_end, once unwind_step() returned 0 */
    __u8 padding[5];
};

struct frame_record {
    __u64 fp;
    __u64 return_address;
};

/* What the bytes before a return address say of the frame it was found in. */
enum call_site {
    CALL_SITE_NONE,  /* no call: not a return address */
    CALL_SITE_MATCH, /* an indirect call, or a direct one that may have called the callee */
    CALL_SITE_OTHER, /* a direct call to somewhere else: a stub, a sibling call, or a frame between is missing
                      */
    CALL_SITE_UNREADABLE,
};

#if defined(__TARGET_ARCH_arm64) || defined(__aarch64__)

static __inline enum call_site call_site_at(__u64 return_address, __u64 callee) {
    __u32 instruction = 0;
    if (read_user(&instruction, return_address - 4, 4)) return CALL_SITE_UNREADABLE;
    if ((instruction & 0xfffffc1f) == 0xd63f0000) return CALL_SITE_MATCH; /* blr */
    if ((instruction & 0xfc000000) != 0x94000000) return CALL_SITE_NONE;  /* bl */
    __u64 offset = (__u64)(((__s64)((__u64)instruction << 38)) >> 36);
    return callee - (return_address - 4 + offset) < DIRECT_CALL_SPAN ? CALL_SITE_MATCH : CALL_SITE_OTHER;
}

#else

/*
 * True when the 8 bytes end in `call *r/m` (ff /2), in any of its lengths: ModRM, then a SIB byte where r/m
 * is 4, then the displacement (none, 1 or 4 bytes; r/m 5 and SIB base 5 without one have 4).
 */
static __inline int is_indirect_call(const __u8 *code) {
    __u8 two = code[7], three = code[6], four = code[5], six = code[3], seven = code[2];
    if (code[6] == 0xff && (two & 0x38) == 0x10) {
        if ((two & 0xc0) == 0xc0) return 1;
        if ((two & 0xc0) == 0 && (two & 7) != 4 && (two & 7) != 5) return 1;
    }
    if (code[5] == 0xff && (three & 0x38) == 0x10) {
        if ((three & 0xc0) == 0x40 && (three & 7) != 4) return 1;
        if (three == 0x14 && (code[7] & 7) != 5) return 1;
    }
    if (code[4] == 0xff && four == 0x54) return 1;
    if (code[2] == 0xff && (six & 0x38) == 0x10) {
        if ((six & 0xc0) == 0x80 && (six & 7) != 4) return 1;
        if (six == 0x15) return 1;
    }
    return code[1] == 0xff && (seven == 0x94 || (seven == 0x14 && (code[3] & 7) == 5));
}

static __inline enum call_site call_site_at(__u64 return_address, __u64 callee) {
    union {
        __u64 word;
        __u8 bytes[8];
    } code = {};
    if (read_user(&code.word, return_address - 8, 8)) return CALL_SITE_UNREADABLE;
    if (is_indirect_call(code.bytes)) return CALL_SITE_MATCH;
    if (code.bytes[3] != 0xe8) return CALL_SITE_NONE;
    __s32 displacement = (__s32)(code.word >> 32);
    __u64 target = return_address + (__s64)displacement;
    return callee - target < DIRECT_CALL_SPAN ? CALL_SITE_MATCH : CALL_SITE_OTHER;
}

#endif

static __inline void unwind_begin(struct unwind_state *state, __u64 pc, __u64 sp, __u64 fp) {
    state->pc = pc;
    state->sp = sp;
    state->fp = fp;
    state->guessed = 0;
    state->in_caller = 0;
    state->end = STACK_END_DEPTH; /* what it stays if nobody reaches an end */
}

static __inline int unwind_finish(struct unwind_state *state, __u8 end) {
    state->end = end == STACK_END_ROOT && state->guessed ? STACK_END_GUESSED : end;
    return 0;
}

/* The chain is over: rightly so in the neighbourhood of the stack's first frame, else for the given reason.
 */
static __inline int unwind_leave(struct unwind_state *state, __u8 reason) {
    if (state->sp <= state->stack_root && state->stack_root - state->sp < ROOT_SLACK) reason = STACK_END_ROOT;
    return unwind_finish(state, reason);
}

/* Moves to the caller. 1: state->pc is its return address; 0: no caller, state->end says why. */
static __inline int unwind_step(struct unwind_state *state) {
    struct frame_record frame = {};
    __u64 fp = state->fp;
    if (fp == 0) return unwind_finish(state, STACK_END_ROOT); /* the ABI's mark of the first frame */
    if (state->thread_pointer && fp == state->thread_pointer) return unwind_finish(state, STACK_END_ROOT);
    if ((fp & 7) || fp < state->sp || fp - state->sp > FRAME_SPAN_MAX)
        return unwind_leave(state, STACK_END_BAD_FRAME);
    if (read_user(&frame, fp, sizeof(frame))) return unwind_leave(state, STACK_END_UNREADABLE);
    if (frame.return_address == 0) return unwind_finish(state, STACK_END_ROOT);
    if (frame.return_address < USER_ADDRESS_MIN || frame.return_address >= USER_ADDRESS_END)
        return unwind_leave(state, STACK_END_BAD_RETURN);
    enum call_site site = call_site_at(frame.return_address, state->pc);
    if (site == CALL_SITE_NONE) return unwind_leave(state, STACK_END_BAD_RETURN);
    if (site == CALL_SITE_UNREADABLE || (site == CALL_SITE_OTHER && !state->in_caller)) state->guessed = 1;
    state->in_caller = 1;
    state->pc = frame.return_address;
    state->sp = fp + sizeof(frame);
    state->fp = frame.fp;
    return 1;
}
