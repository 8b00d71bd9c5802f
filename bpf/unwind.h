/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The user-space unwinder: steps over struct unwind_state by the tables of tables.h, compiled into the BPF
 * programs, into the addon (native/unwind/user_unwind.cc) and into tests. Besides what arena.h and
 * call_site.h ask for, the includer provides int find_mapping(struct unwind_state *, __u64 address)  the
 * mapping into state->mapping; 0, or a miss (STACK_END_UNKNOWN_PROCESS, .._MAPPING) int read_stack(struct
 * unwind_state *, __u64 address, __u64 *word) int copy_stack(struct unwind_state *, __u64 address, __u64
 * *words, __u32 bytes) the last two giving 0, STACK_END_UNREADABLE or STACK_END_RAW_SHORT.
 *
 * A step by a rule trusts it. Only code without any row (run-time code, files without tables, gaps between
 * functions) is walked by frame pointers, with what can be checked checked, and makes the stack a guess. A
 * chain cannot run for ever: frames must lie ever higher, but for signal handlers and Go's stack switches,
 * and whoever steps counts frames up to MAX_USER_FRAMES.
 */
#pragma once

#include "abi.h"
#include "arena.h"
#include "call_site.h"
#include "signal_frame.h"

#define FRAME_SPAN_MAX (1 << 20) /* without rules, a frame larger than this is taken for a broken chain */
#define LEAF_SPAN 4096           /* and a leaf function larger than this is not believed */
#define USER_ADDRESS_MIN 4096
#define USER_ADDRESS_END (1ULL << 56)
/* main's frame lies below start_stack by the frames of _start and __libc_start_main: 280 to 400 bytes in
 * glibc 2.36, musl less. */
#define ROOT_SLACK 1024

enum step {
    STEP_CALLER, /* registers are the caller's */
    STEP_END,    /* state->end says why; a miss leaves the registers as they were */
};

#define PC registers[REGISTER_PC]
#define SP registers[REGISTER_SP]
#define FP registers[REGISTER_FP]
#define BX registers[REGISTER_BX]

/* Before the first step the registers, is_exact, stack_root and thread_pointer are set, and open_mappings()
 * was called. */
HOT void unwind_begin(struct unwind_state *state) {
    state->end = STACK_END_DEPTH; /* what it stays if nobody reaches an end */
    state->raw.guessed = 0;
    state->raw.stack_bytes = 0;
    state->mapping.start = state->mapping.end = 0;
    state->mapping_table = state->mapping_count = 0;
    state->page_location = PAGE_NOT_LOADED;
}

HOT enum step unwind_finish(struct unwind_state *state, __u32 end) {
    if (end == STACK_END_ROOT && state->raw.guessed) end = STACK_END_GUESSED;
    state->end = end;
    return STEP_END;
}

HOT int is_user_address(__u64 address) {
    return address >= USER_ADDRESS_MIN && address < USER_ADDRESS_END;
}

/* arm64: the bits that pointer authentication uses (48-bit addresses). */
HOT __u64 without_signature(__u64 address) {
#if REGISTER_COUNT == 33
    return address & 0xffffffffffffULL;
#else
    return address;
#endif
}

/* True of the innermost frame and of one that a signal hit. */
HOT int is_innermost(const struct unwind_state *state) {
    return state->raw.is_exact == REGISTERS_EXACT || state->raw.is_exact == REGISTERS_SYSCALL;
}

/* Goes on in the caller. */
HOT enum step unwind_return(struct unwind_state *state, __u64 pc, __u64 sp, __u64 fp) {
    pc = without_signature(pc);
    if (pc == 0) return unwind_finish(state, STACK_END_ROOT);
    if (!is_user_address(pc)) return unwind_finish(state, STACK_END_BAD_RETURN);
    state->raw.PC = pc;
    state->raw.SP = sp;
    state->raw.FP = fp;
    state->raw.is_exact = is_innermost(state) ? REGISTERS_LEFT : REGISTERS_KEPT;
    return STEP_CALLER;
}

COLD enum step unwind_signal(struct unwind_state *state) {
    int problem = copy_stack(state, state->raw.SP + SIGNAL_REGISTERS_AT, state->signal_registers,
                             SIGNAL_REGISTERS * sizeof(__u64));
    if (problem) return unwind_finish(state, problem);
    if (!is_user_address(state->signal_registers[SIGNAL_REGISTERS - 1]))
        return unwind_finish(state, STACK_END_BAD_RETURN);
    take_signal_registers(&state->raw, state->signal_registers);
    state->raw.is_exact = REGISTERS_EXACT;
    return STEP_CALLER;
}

#include "unwind_guess.h"

/* True when the register has its value still. */
HOT int is_known(const struct unwind_state *state, __u32 number) {
    if (number == REGISTER_SP || number == REGISTER_FP || number == REGISTER_BX) return 1;
    return is_innermost(state) && number < REGISTER_COUNT;
}

HOT __u64 register_value(const struct unwind_state *state, __u64 number) {
    if (number >= RAW_REGISTERS_MAX) return 0;
    return state->raw.registers[number];
}

/*
 * Assembly may call a leaf of its own that spares a register it finds its frame by (libcrypto: rax). What the
 * leaf leaves in it is believed when the frame lies close above and its return address follows a call.
 */
COLD int find_left_cfa(struct unwind_state *state, const struct unwind_rule *rule, __u64 *cfa) {
    __u64 pc = 0;
    if (state->raw.is_exact != REGISTERS_LEFT || rule->kind != RULE_CFA) return STACK_END_LOST_REGISTER;
    *cfa = register_value(state, rule->base) + (__s64)rule->offset;
    if (*cfa - state->raw.SP > FRAME_SPAN_MAX || read_stack(state, *cfa + (__s64)rule->ra_offset, &pc))
        return STACK_END_LOST_REGISTER;
    return is_return_address(state, pc) ? 0 : STACK_END_LOST_REGISTER;
}

/* The canonical frame address of a rule, 0 or the end that it makes. */
HOT int find_cfa(struct unwind_state *state, const struct unwind_rule *rule, __u64 *cfa) {
    if (rule->kind == RULE_PLT) {
        *cfa = state->raw.SP + 8 + ((__s32)(state->raw.PC & 15) >= rule->offset ? 8 : 0);
        return 0;
    }
    if (!is_known(state, rule->base)) return find_left_cfa(state, rule, cfa);
    *cfa = register_value(state, rule->base) + (__s64)rule->offset;
    if (rule->kind != RULE_CFA_DEREF) return 0;
    int problem = read_stack(state, *cfa, cfa);
    *cfa += (__s64)rule->addend;
    return problem;
}

HOT int find_return_address(struct unwind_state *state, const struct unwind_rule *rule, __u64 cfa,
                            __u64 *pc) {
    if (!(rule->saved & SAVED_RA_REGISTER))
        return read_stack(state, cfa + (__s64)(rule->kind == RULE_PLT ? -8 : rule->ra_offset), pc);
    if (!is_known(state, rule->ra_register)) return STACK_END_LOST_REGISTER;
    *pc = register_value(state, rule->ra_register);
    return 0;
}

/* A callee-saved register of the caller. */
HOT int restore(struct unwind_state *state, __u32 at_cfa, __u32 at_fp, __u64 cfa, __u64 fp, __s64 offset,
                __u64 *value) {
    if (!(at_cfa | at_fp)) return 0;
    return read_stack(state, (at_cfa ? cfa : fp) + offset, value);
}

/* The frame must lie above its callee's; a leaf of arm64 may have none. */
HOT int check_cfa(const struct unwind_state *state, const struct unwind_rule *rule, __u64 cfa) {
    if (rule->kind == RULE_FRAME_POINTER || cfa > state->raw.SP) return 0;
    return cfa == state->raw.SP && (rule->saved & SAVED_RA_REGISTER) ? 0 : STACK_END_BAD_CFA;
}

struct caller {
    __u64 cfa, pc, fp, bx;
};

/* 0, or the end that it makes. */
HOT int find_caller(struct unwind_state *state, const struct unwind_rule *rule, struct caller *caller) {
    __u32 saved = rule->saved;
    __u64 fp = state->raw.FP;
    int problem = find_cfa(state, rule, &caller->cfa);
    if (!problem) problem = check_cfa(state, rule, caller->cfa);
    if (!problem) problem = find_return_address(state, rule, caller->cfa, &caller->pc);
    if (!problem)
        problem = restore(state, saved & SAVED_FP_AT_CFA, saved & SAVED_FP_AT_FP, caller->cfa, fp,
                          rule->fp_offset, &caller->fp);
    if (!problem)
        problem = restore(state, saved & SAVED_BX_AT_CFA, saved & SAVED_BX_AT_FP, caller->cfa, fp,
                          rule->bx_offset, &caller->bx);
    return problem;
}

HOT enum step unwind_by_rule(struct unwind_state *state, const struct unwind_rule *rule) {
    struct caller caller = {.fp = state->raw.FP, .bx = state->raw.BX};
    if (rule->kind == RULE_FRAME_POINTER && caller.fp == 0) return unwind_finish(state, STACK_END_ROOT);
    int problem = find_caller(state, rule, &caller);
    if (problem) return unwind_finish(state, problem);
    if (rule->saved & RULE_GUESSED) state->raw.guessed = 1;
    state->raw.BX = caller.bx;
    return unwind_return(state, caller.pc, caller.cfa, caller.fp);
}

/* Where to look the pc up: a return address may be the first byte behind a function that ends in the call. */
HOT __u64 unwind_address(const struct unwind_state *state) {
    return state->raw.PC - (state->raw.is_exact != REGISTERS_EXACT);
}

/* Moves to the caller. */
HOT enum step unwind_step(struct unwind_state *state) {
    const struct unwind_rule *rule = 0;
    __u64 address = unwind_address(state);
    if (address - state->mapping.start >= state->mapping.end - state->mapping.start) {
        int miss = find_mapping(state, address);
        if (miss) return unwind_finish(state, miss);
    }
    enum page_rule found = find_rule(state, address - state->mapping.start + state->mapping.position, &rule);
    if (found == PAGE_RULE_MISSING) return unwind_finish(state, STACK_END_PAGE_MISSING);
    if (found == PAGE_RULE_NONE || !rule) return unwind_without_rule(state);
    switch (rule->kind) {
    case RULE_CFA:
    case RULE_CFA_DEREF:
    case RULE_PLT:
    case RULE_FRAME_POINTER:
        return unwind_by_rule(state, rule);
    case RULE_ROOT:
        return unwind_finish(state, STACK_END_ROOT);
    case RULE_SIGNAL:
        return unwind_signal(state);
    default:
        return unwind_finish(state, STACK_END_UNSUPPORTED);
    }
}

#undef PC
#undef SP
#undef FP
#undef BX
