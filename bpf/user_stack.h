/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* Where the walk of a user stack begins: registers, mappings, what is known of its first frame; or why there
 * is none. */
#pragma once

#include "registers.h"
#include "tick.h"

/* The mappings of the process, and what tells its first frame. */
static __always_inline void begin_walk(struct task_struct *task, const struct tick *tick, const int is_old) {
    struct unwind_state *state = &tick->walk->state;
    unwind_begin(state);
    if (tick->process.entry) open_mappings(state, tick->process.entry);
    struct mm_struct *mm = TASK(is_old, task, mm);
    state->raw.stack_root = 0;
    if (mm && TASK(is_old, task, pid) == TASK(is_old, task, tgid))
        state->raw.stack_root = TASK(is_old, mm, start_stack);
    state->raw.thread_pointer = 0;
#if !defined(__TARGET_ARCH_arm64)
    state->raw.thread_pointer = TASK(is_old, task, thread.fsbase);
#endif
}

/* The registers the task had in user mode, when the tick hit it inside the kernel. */
static __always_inline enum user_mode take_saved_registers(struct task_struct *task, struct raw_stack *raw,
                                                           const int is_old) {
    if (is_old) return copy_user_registers(raw, task);
    const saved_registers *saved = (const saved_registers *)bpf_task_pt_regs(task);
    return saved ? take_user_registers(raw, saved, 1) : USER_MODE_NONE;
}

/* Sets the registers when there is a user stack to walk (1), else says why there is none. */
static __always_inline int find_user_stack(struct bpf_perf_event_data *context, struct task_struct *task,
                                           const struct tick *tick, const int is_old) {
    struct raw_stack *raw = &tick->walk->state.raw;
    __u8 *end = &tick->record->header.stack_end;
    if ((TASK(is_old, task, flags) & PF_KTHREAD) || !TASK(is_old, task, mm)) {
        *end = STACK_END_KERNEL_THREAD;
        return 0;
    }
    enum user_mode mode = take_user_registers(raw, &context->regs, 0);
    if (mode == USER_MODE_NONE) mode = take_saved_registers(task, raw, is_old);
    *end = mode == USER_MODE_COMPAT ? STACK_END_COMPAT : STACK_END_NO_REGISTERS;
    return mode == USER_MODE_NATIVE;
}

/*
 * True inside execve once the old program is gone: the saved registers are still the old one's. The new
 * memory has no stack of its own yet, before the exec id says that another program is here. (Of a program
 * that was never published this is also said while it is still there: its call of execve has no user half.)
 */
static __always_inline int is_between_programs(struct bpf_perf_event_data *context, struct task_struct *task,
                                               const struct unwind_state *state, const int is_old) {
    if (is_user_mode(&context->regs) || !bpf_core_field_exists(task->in_execve)) return 0;
    if (!BPF_CORE_READ_BITFIELD_PROBED(task, in_execve)) return 0;
    struct mm_struct *mm = TASK(is_old, task, mm);
    return !state->mapping_table || !mm || !TASK(is_old, mm, start_stack);
}
