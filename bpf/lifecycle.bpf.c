// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only
// Keeps the pid set and the unwind tables' processes true inside the kernel: a child of a sampled process is
// sampled, and its stacks are unwound, from its first instruction. A pid leaves the sets when the kernel
// forgets the process (not at exit: tearing down its memory is its CPU time too). And tells who lives.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "config.h"
#include "kernel.h"
#include "maps.h"
#include "target.h"

/* A child has its parent's mappings until it changes them: the same table, under the child's identity. */
static __always_inline void inherit_mappings(struct task_struct *parent, struct task_struct *child) {
    struct task_struct *leader = parent->group_leader;
    __u32 parent_pid = namespace_number(leader, 0), child_pid = namespace_number(child, 0);
    struct process_entry *known = bpf_map_lookup_elem(&processes, &parent_pid);
    if (!known || !child_pid || known->start != leader->start_boottime ||
        known->exec_id != leader->self_exec_id)
        return;
    struct process_entry entry = *known;
    entry.start = child->start_boottime;
    entry.exec_id = child->self_exec_id;
    bpf_map_update_elem(&processes, &child_pid, &entry, BPF_ANY); /* full: its samples are misses, counted */
}

/* Rules about rates that name a process by its pid hold for what it forks. */
static __always_inline void inherit_rules(struct task_struct *parent, struct task_struct *child) {
    __u32 pid = namespace_number(child, 0);
    struct rated_process rated = {.start = child->start_boottime, .rules = rules_of_process(parent, 0)};
    struct cpu_memory *memory = memory_of_cpu();
    if (!rated.rules || !pid || !memory) return;
    if (bpf_map_update_elem(&rated_processes, &pid, &rated, BPF_ANY))
        memory->state.counters[COUNTER_TARGETS_FULL]++;
}

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *arguments) {
    struct task_struct *parent = (struct task_struct *)arguments[0];
    struct task_struct *child = (struct task_struct *)arguments[1];
    if (child->tgid == parent->tgid) return 0; /* a new thread of the same process */
    if (filter_pids) {
        if (!in_pid_set(parent, 0)) return 0;
        follow(child->tgid, child->start_boottime);
    }
    inherit_mappings(parent, child);
    if (rate_rule_count) inherit_rules(parent, child);
    return 0;
}

/* The kernel tells late: the number may belong to a new process by now, whose entries stay. */
static __always_inline void forget_target(struct task_struct *task, __u32 tgid) {
    __u64 *start = bpf_map_lookup_elem(&targets, &tgid);
    if (start && (*start == 0 || *start == task->start_boottime)) bpf_map_delete_elem(&targets, &tgid);
}

/* An entry that a fork made may be unknown to user space (lost events): it goes here. In a pid namespace the
 * number is gone by now. */
static __always_inline void forget_mappings(struct task_struct *task, __u32 tgid) {
    struct process_entry *known = pid_namespace ? 0 : bpf_map_lookup_elem(&processes, &tgid);
    if (known && known->start == task->start_boottime) bpf_map_delete_elem(&processes, &tgid);
}

/* As above; in a pid namespace the entry stays, and its start keeps it from another process of that number.
 */
static __always_inline void forget_rules(struct task_struct *task, __u32 tgid) {
    struct rated_process *rated = pid_namespace ? 0 : bpf_map_lookup_elem(&rated_processes, &tgid);
    if (rated && (rated->start == 0 || rated->start == task->start_boottime))
        bpf_map_delete_elem(&rated_processes, &tgid);
}

SEC("tp_btf/sched_process_free")
int on_free(__u64 *arguments) {
    struct task_struct *task = (struct task_struct *)arguments[0];
    __u32 tgid = task->tgid;
    if (task->pid != task->tgid) return 0;
    if (filter_pids) forget_target(task, tgid);
    forget_mappings(task, tgid);
    if (rate_rule_count) forget_rules(task, tgid);
    return 0;
}

SEC("iter/task")
int list_processes(struct bpf_iter__task *context) {
    struct task_struct *task = context->task;
    if (!task || task->pid != task->tgid || (task->flags & PF_KTHREAD)) return 0;
    struct process_identity identity = {.exec_id = task->self_exec_id, .start = task->start_boottime};
    identity.pid = namespace_number(task, 0);
    if (identity.pid) bpf_seq_write(context->meta->seq, &identity, sizeof(identity));
    return 0;
}
