/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The registers that the kernel saved on the stack for a signal handler, seen from the handler's caller: the
 * trampoline, with sp where the handler's return left it. Layouts are kernel ABI: struct rt_sigframe,
 * ucontext and sigcontext of arch/x86 and arch/arm64.
 */
#pragma once

#include "dialect.h"
#include "unwind_state.h"

#if REGISTER_COUNT == 33

/* sp: siginfo (128), then ucontext; its mcontext at 176 begins with the fault address. */
#define SIGNAL_REGISTERS_AT 312
#define SIGNAL_REGISTERS 33 /* x0 to x30, sp, pc: DWARF's order */

HOT void take_signal_registers(struct raw_stack *raw, const __u64 *saved) {
    for (int i = 0; i < SIGNAL_REGISTERS; i++)
        raw->registers[i] = saved[i];
}

#else

/* sp: ucontext (the frame's return address lies below); flags, link, stack: 40 bytes. */
#define SIGNAL_REGISTERS_AT 40
#define SIGNAL_REGISTERS 17

HOT void take_signal_registers(struct raw_stack *raw, const __u64 *saved) {
    /* r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip */
#define TAKE(i, number) raw->registers[number] = saved[i]
    TAKE(0, 8), TAKE(1, 9), TAKE(2, 10), TAKE(3, 11), TAKE(4, 12), TAKE(5, 13), TAKE(6, 14), TAKE(7, 15);
    TAKE(8, 5), TAKE(9, 4), TAKE(10, 6), TAKE(11, 3), TAKE(12, 1), TAKE(13, 0), TAKE(14, 2);
    TAKE(15, 7), TAKE(16, 16);
#undef TAKE
}

#endif
