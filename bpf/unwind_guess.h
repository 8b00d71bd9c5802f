/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Steps in code without rows; part of unwind.h. Three things are tried: the kernel's signal frame behind a
 * trampoline, a leaf function without a frame, a frame pointer.
 *
 * A frame pointer is believed when the frame lies higher on the same stack and the return address follows a
 * call (where the code can be read; else it must lie in executable memory). The chain is over at frame
 * pointer 0 (the ABI's mark of the first frame), at the thread pointer (glibc's start_thread leaves it in the
 * frame pointer of the thread's first function) and at return address 0: a guess. It is rightly over in the
 * neighbourhood of the main thread's first frame: the start code of the C library, which the program's own
 * frames lie above.
 */
#pragma once

HOT int is_near_root(const struct unwind_state *state) {
    __u64 root = state->raw.stack_root;
    if (state->mapping.kind == MAPPING_JIT) return 0; /* no start code is made at run time */
    return state->raw.SP <= root && root - state->raw.SP < ROOT_SLACK;
}

/* The chain is over: rightly so near the stack's first frame. */
HOT enum step unwind_leave(struct unwind_state *state, __u32 reason) {
    if (is_near_root(state)) reason = STACK_END_ROOT;
    return unwind_finish(state, reason);
}

HOT __u32 no_rows(const struct unwind_state *state) {
    return state->mapping.kind == MAPPING_JIT ? STACK_END_JIT : STACK_END_NO_ROWS;
}

#if REGISTER_COUNT == 33

/* mov x8, #139; svc #0 */
HOT int is_signal_trampoline(__u64 pc) {
    __u64 code = 0;
    return !read_user(&code, pc, sizeof(code)) && code == 0xd4000001d2801168ULL;
}

/* The link register, when it follows a direct call of the leaf. */
HOT int find_leaf_caller(struct unwind_state *state, __u64 *return_address) {
    *return_address = without_signature(state->raw.registers[REGISTER_LR]);
    return is_user_address(*return_address) &&
           call_site_at(*return_address, state->raw.PC, LEAF_SPAN) == CALL_SITE_DIRECT;
}
#define LEAF_RETURN_BYTES 0

#else

/* mov $15, %rax or %eax; syscall */
HOT int is_signal_trampoline(__u64 pc) {
    __u64 code = 0;
    if (read_user(&code, pc, sizeof(code))) return 0;
    return code == 0x0f0000000fc0c748ULL || (code & 0xffffffffffffff) == 0x050f0000000fb8ULL;
}

/* The word at sp, when it follows a direct call of the leaf. */
HOT int find_leaf_caller(struct unwind_state *state, __u64 *return_address) {
    if (read_stack(state, state->raw.SP, return_address)) return 0;
    return is_user_address(*return_address) &&
           call_site_at(*return_address, state->raw.PC, LEAF_SPAN) == CALL_SITE_DIRECT;
}
#define LEAF_RETURN_BYTES 8

#endif

HOT int is_return_address(struct unwind_state *state, __u64 address) {
    if (!is_user_address(address)) return 0;
    enum call_site site = call_site_at(address, state->raw.PC, LEAF_SPAN);
    if (site != CALL_SITE_UNREADABLE) return site != CALL_SITE_NONE;
    return !find_mapping(state, address - 1);
}

HOT enum step unwind_frame_pointer(struct unwind_state *state) {
    __u64 fp = state->raw.FP, caller_fp = 0, pc = 0;
    __u32 reason = no_rows(state);
    /* The register may as well hold data: code without rows need not keep frame pointers. */
    if (is_innermost(state) || !is_near_root(state)) state->raw.guessed = 1;
    if (fp == 0 || fp == state->raw.thread_pointer) return unwind_finish(state, STACK_END_ROOT);
    if ((fp & 7) || fp < state->raw.SP || fp - state->raw.SP > FRAME_SPAN_MAX)
        return unwind_leave(state, reason);
    int problem = read_stack(state, fp + 8, &pc);
    if (!problem) problem = read_stack(state, fp, &caller_fp);
    if (problem) return unwind_leave(state, problem);
    pc = without_signature(pc);
    if (pc == 0) return unwind_finish(state, STACK_END_ROOT);
    if (!is_return_address(state, pc)) return unwind_leave(state, reason);
    state->raw.guessed = 1;
    return unwind_return(state, pc, fp + 16, caller_fp);
}

COLD enum step unwind_without_rule(struct unwind_state *state) {
    __u64 return_address = 0;
    if (!is_innermost(state)) {
        if (is_signal_trampoline(state->raw.PC)) return unwind_signal(state);
    } else if (find_leaf_caller(state, &return_address)) {
        state->raw.guessed = 1;
        return unwind_return(state, return_address, state->raw.SP + LEAF_RETURN_BYTES, state->raw.FP);
    }
    return unwind_frame_pointer(state);
}
