// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only
// The sampler: a timer tick on a CPU becomes one record with the kernel and the user stack of what it
// interrupted. Every early end is counted; a chosen tick that hit the target is counted as captured, sent or
// not. Two programs of the same source: on_cpu_sample (kernels from 5.17: bpf_loop) and on_cpu_sample_tail
// (from 5.10: a few frames a program, tail calls). The loader takes one of them.
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "config.h"
#include "kernel.h"
#include "maps.h"
#include "target.h"
#include "table_access.h"
#include "window.h"
#include "unwind.h"
#include "raw_stack.h"
#include "user_stack.h"
#include "rate.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define NEW_KERNEL 0
#define OLD_KERNEL 1

/* Stores the frame and goes to its caller. */
static __always_inline enum step walk_frame(struct walk *walk, struct sample_record *record) {
    __u64 slot = walk->base + walk->count;
    BOUND(slot, MAX_FRAMES - 1);
    record->frames[slot] = walk->state.raw.registers[REGISTER_PC];
    walk->count++;
    return unwind_step(&walk->state);
}

/* One frame a call: of two, the verifier takes twice as long, and the start waits for it. */
static long walk_frame_in_loop(__u32 index, struct tick *tick) {
    (void)index;
    return walk_frame(tick->walk, tick->record) != STEP_CALLER;
}

/* The same as a function of its own to the verifier, which looks at it once and not at each call. */
__noinline int walk_frame_alone(__u32 unused) {
    struct cpu_memory *memory = memory_of_cpu();
    return unused || !memory || memory->walk.count >= MAX_USER_FRAMES ||
           walk_frame(&memory->walk, &memory->record) != STEP_CALLER;
}

static __always_inline __u32 fill_kernel_stack(struct bpf_perf_event_data *context,
                                               struct sample_record *record) {
    if (!kernel_stacks || is_user_mode(&context->regs)) return 0;
    long bytes = bpf_get_stack(context, record->frames, MAX_KERNEL_FRAMES * sizeof(__u64), 0);
    return bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;
}

/* The id of the task's cgroup. As the helper finds it, whose code is one thing more that no cache holds. */
static __always_inline __u64 cgroup_of(struct task_struct *task, const int is_old) {
    if (is_old || !bpf_core_field_exists(task->cgroups)) return bpf_get_current_cgroup_id();
    return task->cgroups->dfl_cgrp->kn->id;
}

static __always_inline void fill_comm(struct task_struct *task, struct sample_header *header,
                                      const int is_old) {
    if (is_old) {
        bpf_get_current_comm(header->comm, sizeof(header->comm));
        return;
    }
    const __u64 *from = (const __u64 *)task->comm;
    __u64 *to = (__u64 *)header->comm;
    to[0] = from[0];
    to[1] = from[1];
}

static __always_inline void fill_header(struct task_struct *task, const struct tick *tick, const int is_old) {
    struct sample_header *header = &tick->record->header;
    struct task_struct *leader = TASK(is_old, task, group_leader);
    header->time_ns = bpf_ktime_get_boot_ns();
    header->process_start = TASK(is_old, leader, start_boottime);
    header->cgroup_id = cgroup_of(task, is_old);
    header->exec_id = TASK(is_old, leader, self_exec_id);
    header->pid = tick->process.pid;
    header->tid = namespace_number(task, is_old);
    header->user_frames = 0;
    header->ticket = 0;
    header->cpu = bpf_get_smp_processor_id();
    header->rule = tick->rule;
    fill_comm(task, header, is_old);
}

/* Everything before the user frames; 1 when there are some. */
static __always_inline int begin_sample(struct bpf_perf_event_data *context, struct task_struct *task,
                                        const struct tick *tick, const int is_old) {
    struct sample_header *header = &tick->record->header;
    tick->cpu->counters[COUNTER_CAPTURED]++;
    fill_header(task, tick, is_old);
    tick->walk->base = header->kernel_frames = fill_kernel_stack(context, tick->record);
    tick->walk->count = 0;
    if (!find_user_stack(context, task, tick, is_old)) return 0;
    begin_walk(task, tick, is_old);
    header->stack_end = STACK_END_KERNEL_THREAD;
    return !is_between_programs(context, task, &tick->walk->state, is_old);
}

static __always_inline int is_miss(__u32 end) {
    return end == STACK_END_PAGE_MISSING || end == STACK_END_UNKNOWN_PROCESS ||
           end == STACK_END_UNKNOWN_MAPPING;
}

static __always_inline void end_walk(const struct tick *tick) {
    struct sample_header *header = &tick->record->header;
    header->user_frames = tick->walk->count;
    header->stack_end = tick->walk->state.end;
    if (is_miss(tick->walk->state.end))
        header->ticket = send_raw_stack(tick->cpu, tick->walk, header->time_ns, &header->stack_end);
}

static __always_inline void send_sample(const struct tick *tick) {
    struct sample_header *header = &tick->record->header;
    __u64 frames = (__u64)header->kernel_frames + header->user_frames;
    BOUND(frames, MAX_FRAMES - 1);
    if (bpf_ringbuf_output(&samples, header, sizeof(*header) + frames * sizeof(__u64), BPF_RB_NO_WAKEUP))
        tick->cpu->counters[COUNTER_RING_FULL]++;
    tick->cpu->counters[COUNTER_CAPTURED_NS] += bpf_ktime_get_boot_ns() - header->time_ns;
}

static __always_inline void sample_by_loop(struct bpf_perf_event_data *context, struct cpu_memory *memory) {
    struct tick tick;
    struct task_struct *task = running_task(NEW_KERNEL);
    if (task->pid == 0) return; /* pid 0 is the idle task */
    find_process(&tick.process, task, NEW_KERNEL);
    if (!is_target(&tick.process, task, NEW_KERNEL)) return;
    begin_tick(&tick, memory);
    if (!is_sample_of_rate(&tick, task, NEW_KERNEL)) return;
    if (begin_sample(context, task, &tick, NEW_KERNEL)) {
        bpf_loop(MAX_USER_FRAMES, walk_frame_in_loop, &tick, 0);
        end_walk(&tick);
    }
    send_sample(&tick);
}

SEC("perf_event")
int on_cpu_sample(struct bpf_perf_event_data *context) {
    struct cpu_memory *memory = memory_of_cpu();
    if (!memory) return 0;
    if (begin_run(&memory->state)) sample_by_loop(context, memory);
    end_run(&memory->state);
    return 0;
}

/* Frames of one program; MAX_USER_FRAMES / this tail calls at most, the kernel allows 32. */
#define FRAMES_PER_PROGRAM 64

/* Walks on, in this program and in the next; returns when the walk is over. */
static __always_inline void walk_frames(struct bpf_perf_event_data *context, const struct tick *tick) {
    for (int i = 0; i < FRAMES_PER_PROGRAM; i++)
        if (walk_frame_alone(0)) goto out;
    bpf_tail_call(context, &steps, 0);
out:
    end_walk(tick);
    send_sample(tick);
}

/* Returns when the run is over, not where another program goes on. */
static __always_inline void sample_by_tail_calls(struct bpf_perf_event_data *context,
                                                 struct cpu_memory *memory) {
    struct tick tick;
    struct task_struct *task = running_task(OLD_KERNEL);
    if (TASK(OLD_KERNEL, task, pid) == 0) return;
    find_process(&tick.process, task, OLD_KERNEL);
    if (!is_target(&tick.process, task, OLD_KERNEL)) return;
    begin_tick(&tick, memory);
    if (!is_sample_of_rate(&tick, task, OLD_KERNEL)) return;
    if (begin_sample(context, task, &tick, OLD_KERNEL)) walk_frames(context, &tick);
    else send_sample(&tick);
}

SEC("perf_event")
int on_cpu_sample_tail(struct bpf_perf_event_data *context) {
    struct cpu_memory *memory = memory_of_cpu();
    if (!memory) return 0;
    if (begin_run(&memory->state)) sample_by_tail_calls(context, memory);
    end_run(&memory->state);
    return 0;
}

SEC("perf_event")
int walk_tail(struct bpf_perf_event_data *context) {
    struct tick tick;
    struct cpu_memory *memory = memory_of_cpu();
    if (!memory) return 0;
    begin_tick(&tick, memory);
    walk_frames(context, &tick);
    end_run(tick.cpu);
    return 0;
}
