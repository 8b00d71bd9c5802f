/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* The user-mode registers of what a tick interrupted: from the tick when it hit user mode, else from where
 * the kernel saved them when it was entered. */
#pragma once

/* Volatile keeps the loads 8 bytes wide: the verifier refuses narrower ones from the context. */
#define REGISTER(from, name) (*(volatile __u64 *)&(from)->name)

#if defined(__TARGET_ARCH_arm64)

#define KERNEL_STACK_BYTES 16384             /* with pages of 4 KiB */
typedef struct user_pt_regs saved_registers; /* the head of the kernel's own struct pt_regs */

static __always_inline int is_user_mode(const saved_registers *from) {
    return (REGISTER(from, pstate) & 0xf) == 0;
}

static __always_inline int is_compat_mode(const saved_registers *from) {
    return (REGISTER(from, pstate) & 0x10) != 0;
}

static __always_inline void take_registers(struct raw_stack *raw, const saved_registers *from, int is_saved) {
    (void)is_saved; /* the system call's number is not in user_pt_regs: pc-1 is not used there */
#pragma unroll
    for (int i = 0; i < 31; i++)
        raw->registers[i] = REGISTER(from, regs[i]);
    raw->registers[REGISTER_SP] = REGISTER(from, sp);
    raw->registers[REGISTER_PC] = REGISTER(from, pc);
    raw->is_exact = REGISTERS_EXACT;
}

#else

#define KERNEL_STACK_BYTES 16384 /* THREAD_SIZE, without KASAN */
#define USER_CS_64 0x33
#define USER_CS_32 0x23
typedef struct pt_regs saved_registers;

static __always_inline int is_user_mode(const saved_registers *from) {
    return (REGISTER(from, cs) & 3) == 3;
}

static __always_inline int is_compat_mode(const saved_registers *from) {
    return (REGISTER(from, cs) & 0xffff) != USER_CS_64;
}

/* `is_saved`: by an entry to the kernel; orig_rax is negative then unless it was a system call. */
static __always_inline void take_registers(struct raw_stack *raw, const saved_registers *from, int is_saved) {
#define TAKE(number, name) raw->registers[number] = REGISTER(from, name)
    TAKE(0, rax), TAKE(1, rdx), TAKE(2, rcx), TAKE(3, rbx), TAKE(4, rsi), TAKE(5, rdi), TAKE(6, rbp);
    TAKE(7, rsp), TAKE(8, r8), TAKE(9, r9), TAKE(10, r10), TAKE(11, r11), TAKE(12, r12), TAKE(13, r13);
    TAKE(14, r14), TAKE(15, r15), TAKE(16, rip);
#undef TAKE
    raw->is_exact = is_saved && (__s64)REGISTER(from, orig_rax) >= 0 ? REGISTERS_SYSCALL : REGISTERS_EXACT;
}

#endif

enum user_mode { USER_MODE_NONE, USER_MODE_COMPAT, USER_MODE_NATIVE };

static __always_inline enum user_mode take_user_registers(struct raw_stack *raw, const saved_registers *from,
                                                          int is_saved) {
    if (!is_user_mode(from)) return USER_MODE_NONE;
    if (is_compat_mode(from)) return USER_MODE_COMPAT;
    take_registers(raw, from, is_saved);
    return USER_MODE_NATIVE;
}

/* The same from the top of the kernel stack, where bpf_task_pt_regs (5.15) would point. */
static __always_inline enum user_mode copy_user_registers(struct raw_stack *raw, struct task_struct *task) {
    saved_registers saved;
    __u64 top =
        (__u64)BPF_CORE_READ(task, stack) + KERNEL_STACK_BYTES - bpf_core_type_size(struct pt_regs___kernel);
    if (bpf_probe_read_kernel(&saved, sizeof(saved), (const void *)top)) return USER_MODE_NONE;
#if !defined(__TARGET_ARCH_arm64)
    /* Kernels with FRED (6.9) leave 16 bytes above. */
    __u16 cs = saved.cs;
    if (cs != USER_CS_64 && cs != USER_CS_32 &&
        bpf_probe_read_kernel(&saved, sizeof(saved), (const void *)(top - 16)))
        return USER_MODE_NONE;
#endif
    return take_user_registers(raw, &saved, 1);
}
