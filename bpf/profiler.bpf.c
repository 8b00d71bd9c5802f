// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only
// The sampler: a timer tick on a CPU becomes one record with the kernel and the user stack of what it
// interrupted. Every early end is counted; a chosen tick that hit the target is counted as captured, sent or
// not.
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "config.h"
#include "kernel.h"
#include "maps.h"
#include "target.h"

static __inline int read_user(void *to, __u64 from, __u32 bytes) {
    return bpf_probe_read_user(to, bytes, (const void *)from);
}
#include "unwind.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct user_registers {
    __u64 pc, sp, fp;
    __u8 is_user, is_compat;
};

/* Volatile keeps the loads 8 bytes wide: the verifier refuses narrower ones from the context. */
#define REGISTER(from, name) (*(volatile __u64 *)&(from)->name)

#if defined(__TARGET_ARCH_arm64)
typedef struct user_pt_regs saved_registers; /* the head of the kernel's own struct pt_regs */
#define REGISTERS(from, out)                                                                                 \
    ((out)->pc = REGISTER(from, pc), (out)->sp = REGISTER(from, sp), (out)->fp = REGISTER(from, regs[29]),   \
     (out)->is_user = (REGISTER(from, pstate) & 0xf) == 0,                                                   \
     (out)->is_compat = (REGISTER(from, pstate) & 0x10) != 0)
#else
typedef struct pt_regs saved_registers;
#define USER_CS_64 0x33
#define REGISTERS(from, out)                                                                                 \
    ((out)->pc = REGISTER(from, rip), (out)->sp = REGISTER(from, rsp), (out)->fp = REGISTER(from, rbp),      \
     (out)->is_user = (REGISTER(from, cs) & 3) == 3, (out)->is_compat = REGISTER(from, cs) != USER_CS_64)
#endif

struct walk {
    struct unwind_state state;
    struct sample_record *record;
    __u32 base; /* index of the first user frame */
    __u32 count;
};

/* bpf_loop step: stores the frame and goes to its caller. */
static long walk_frame(__u32 index, struct walk *walk) {
    __u32 slot = (walk->base + index) & (MAX_FRAMES - 1);
    walk->record->frames[slot] = walk->state.pc;
    walk->count = index + 1;
    return !unwind_step(&walk->state);
}

/* Fills the user half of the record behind `base` kernel frames. */
static __inline void walk_user_stack(struct task_struct *task, struct sample_record *record,
                                     const struct user_registers *registers, __u32 base) {
    struct walk walk = {.record = record, .base = base};
    struct mm_struct *mm = task->mm;
    unwind_begin(&walk.state, registers->pc, registers->sp, registers->fp);
    if (mm && task->pid == task->tgid) walk.state.stack_root = mm->start_stack;
#if !defined(__TARGET_ARCH_arm64)
    walk.state.thread_pointer = task->thread.fsbase;
#endif
    bpf_loop(MAX_USER_FRAMES, walk_frame, &walk, 0);
    record->header.user_frames = walk.count;
    record->header.stack_end = walk.state.end;
}

/* The registers the task had in user mode, when the tick hit it inside the kernel. */
static __inline int find_user_registers(struct task_struct *task, struct user_registers *registers) {
    if (registers->is_user) return 1;
    saved_registers *saved = (saved_registers *)bpf_task_pt_regs(task);
    if (!saved) return 0;
    REGISTERS(saved, registers);
    return registers->is_user;
}

static __inline void fill_user_stack(struct task_struct *task, struct sample_record *record,
                                     struct user_registers *registers, __u32 base) {
    record->header.user_frames = 0;
    if ((task->flags & PF_KTHREAD) || !task->mm) record->header.stack_end = STACK_END_KERNEL_THREAD;
    else if (!find_user_registers(task, registers)) record->header.stack_end = STACK_END_NO_REGISTERS;
    else if (registers->is_compat) record->header.stack_end = STACK_END_COMPAT;
    else walk_user_stack(task, record, registers, base);
}

static __inline __u32 fill_kernel_stack(struct bpf_perf_event_data *context, struct sample_record *record) {
    long bytes = bpf_get_stack(context, record->frames, MAX_KERNEL_FRAMES * sizeof(__u64), 0);
    return bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;
}

static __inline void fill_header(struct task_struct *task, struct sample_header *header) {
    struct task_struct *leader = task->group_leader;
    header->time_ns = bpf_ktime_get_boot_ns();
    header->process_start = leader->start_boottime;
    header->exec_id = leader->self_exec_id;
    header->pid = namespace_number(leader);
    header->tid = namespace_number(task);
    __builtin_memset(header->padding, 0, sizeof(header->padding));
    bpf_get_current_comm(header->comm, sizeof(header->comm));
}

/*
 * One tick is kept for every sampling period, the first after a random time in it: a program whose own period
 * equals the rate is then sampled like any other, and the number of samples stays exact (a strictly periodic
 * timer misjudges it by 2 to 6 confidence intervals).
 */
static __inline int is_chosen(struct cpu_state *cpu) {
    cpu->now += TICK_ONE;
    if ((__s32)(cpu->now - cpu->chosen) < 0) return 0;
    cpu->start += sampling_period;
    cpu->chosen = cpu->start + bpf_get_prandom_u32() % sampling_period;
    return 1;
}

SEC("perf_event")
int on_cpu_sample(struct bpf_perf_event_data *context) {
    __u32 zero = 0;
    struct cpu_state *cpu = bpf_map_lookup_elem(&cpu_states, &zero);
    if (!cpu) return 0;
    cpu->counters[COUNTER_TICKS]++;
    if (!is_chosen(cpu)) {
        cpu->counters[COUNTER_DISCARDED]++;
        return 0;
    }
    struct task_struct *task = bpf_get_current_task_btf();
    if (task->pid == 0 || !is_target(task)) return 0; /* pid 0 is the idle task */
    cpu->counters[COUNTER_CAPTURED]++;
    struct sample_record *record = bpf_map_lookup_elem(&scratch, &zero);
    if (!record) return 0;
    struct user_registers registers = {};
    REGISTERS(&context->regs, &registers);
    fill_header(task, &record->header);
    __u32 kernel_frames = kernel_stacks && !registers.is_user ? fill_kernel_stack(context, record) : 0;
    record->header.kernel_frames = kernel_frames;
    fill_user_stack(task, record, &registers, kernel_frames);
    __u32 frames = (kernel_frames + record->header.user_frames) & (MAX_FRAMES - 1);
    __u32 bytes = sizeof(struct sample_header) + frames * sizeof(__u64);
    if (bpf_ringbuf_output(&samples, record, bytes, BPF_RB_NO_WAKEUP)) cpu->counters[COUNTER_RING_FULL]++;
    cpu->counters[COUNTER_CAPTURED_NS] += bpf_ktime_get_boot_ns() - record->header.time_ns;
    return 0;
}
