/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* Who is sampled: by the pid set, cgroup, pid namespace and thread name. One of each kind that is asked must
 * hold. A process outside costs a few map lookups. */
#pragma once

#define PID_LEVELS_MAX 32 /* MAX_PID_NS_LEVEL of the kernel */

/*
 * A field of a task. `is_old` is a constant: programs for kernels before 5.11 have no typed pointer to the
 * running task (bpf_get_current_task_btf) and copy each field; the others load it.
 */
#define TASK(is_old, task, field) ((is_old) ? BPF_CORE_READ(task, field) : (task)->field)

static __always_inline struct task_struct *running_task(const int is_old) {
    return is_old ? (struct task_struct *)bpf_get_current_task() : bpf_get_current_task_btf();
}

/* The process's number and namespace at a level of its nested pid namespaces. */
static __always_inline const struct upid *upid_at(struct pid *pid, __u32 level) {
    const char *at = (const char *)pid + bpf_core_field_offset(struct pid, numbers) +
                     level * bpf_core_type_size(struct upid);
    return (const struct upid *)at;
}

/* The number that `pid_namespace` gives the process, 0 when it has none there. */
static __noinline __u32 number_in_namespace(struct task_struct *task) {
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    __u32 deepest = BPF_CORE_READ(pid, level);
    for (__u32 level = 0; level < PID_LEVELS_MAX && level <= deepest; level++) {
        const struct upid *upid = upid_at(pid, level);
        if (BPF_CORE_READ(upid, ns, ns.inum) == pid_namespace) return BPF_CORE_READ(upid, nr);
    }
    return 0;
}

/* The task's number in our pid namespace, 0 when it has none there. */
static __always_inline __u32 namespace_number(struct task_struct *task, const int is_old) {
    return pid_namespace ? number_in_namespace(task) : (__u32)TASK(is_old, task, pid);
}

static __always_inline struct cpu_memory *memory_of_cpu(void) {
    __u32 cpu = bpf_get_smp_processor_id();
    return bpf_map_lookup_elem(&cpus, &cpu);
}

/* Puts a process into the pid set; counts it when the set is full. */
static void follow(__u32 tgid, __u64 start) {
    struct cpu_memory *memory = memory_of_cpu();
    if (bpf_map_update_elem(&targets, &tgid, &start, BPF_ANY) && memory)
        memory->state.counters[COUNTER_TARGETS_FULL]++;
}

static __always_inline int in_pid_set(struct task_struct *task, const int is_old) {
    __u32 tgid = TASK(is_old, task, tgid);
    if (bpf_map_lookup_elem(&targets, &tgid)) return 1;
    if (!pid_namespace) return 0;
    struct task_struct *leader = TASK(is_old, task, group_leader);
    __u32 number = namespace_number(leader, is_old);
    if (!number || !bpf_map_lookup_elem(&seeds, &number)) return 0;
    follow(tgid, TASK(is_old, leader, start_boottime));
    return 1;
}

static __always_inline int in_cgroups(void) {
    for (__u32 i = 0; i < CGROUPS_MAX && i < filter_cgroups; i++)
        if (bpf_current_task_under_cgroup(&cgroups, i) == 1) return 1;
    return 0;
}

/* The innermost one's inode: all namespaces are also in the host's. */
static __always_inline __u32 innermost_pid_namespace(struct task_struct *task) {
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    const struct upid *upid = upid_at(pid, BPF_CORE_READ(pid, level));
    return BPF_CORE_READ(upid, ns, ns.inum);
}

static __always_inline int in_pid_namespaces(struct task_struct *task) {
    __u32 inode = innermost_pid_namespace(task);
    return bpf_map_lookup_elem(&pid_namespaces, &inode) != 0;
}

static __always_inline int is_wanted_comm(void) {
    char comm[COMM_BYTES] = {};
    bpf_get_current_comm(comm, sizeof(comm));
    return bpf_map_lookup_elem(&comms, comm) != 0;
}

/* The rules about rates that name the task's process by its pid, as bits. */
static __always_inline __u64 rules_of_process(struct task_struct *task, const int is_old) {
    struct task_struct *leader = TASK(is_old, task, group_leader);
    __u32 pid = namespace_number(leader, is_old);
    struct rated_process *rated = bpf_map_lookup_elem(&rated_processes, &pid);
    if (!rated || (rated->start && rated->start != TASK(is_old, leader, start_boottime))) return 0;
    return rated->rules;
}

/* The process of a task: its number in our pid namespace, and its entry when its mappings are published. */
struct process {
    __u32 pid;
    struct process_entry *entry;
};

static __always_inline void find_process(struct process *process, struct task_struct *task,
                                         const int is_old) {
    struct task_struct *leader = TASK(is_old, task, group_leader);
    __u32 pid = namespace_number(leader, is_old);
    struct process_entry *entry = bpf_map_lookup_elem(&processes, &pid);
    process->pid = pid;
    process->entry = 0;
    if (entry && entry->start == TASK(is_old, leader, start_boottime) &&
        entry->exec_id == TASK(is_old, leader, self_exec_id))
        process->entry = entry;
}

/* The pid set loses a process when its number does: what an entry says of its process holds so long. */
static __always_inline int is_followed(const struct process *process, struct task_struct *task,
                                       const int is_old) {
    if (process->entry && process->entry->is_target) return 1;
    if (!in_pid_set(task, is_old)) return 0;
    if (process->entry) process->entry->is_target = 1;
    return 1;
}

/* True when the running task passes every filter that is set. */
static __always_inline int is_target(const struct process *process, struct task_struct *task,
                                     const int is_old) {
    if (filter_pids && !is_followed(process, task, is_old)) return 0;
    if (filter_comms && !is_wanted_comm()) return 0;
    if (filter_namespaces && !in_pid_namespaces(task)) return 0;
    if (filter_cgroups && !in_cgroups()) return 0;
    return 1;
}
