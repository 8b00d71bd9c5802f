/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* Who is sampled: the pid set, the cgroup and the thread name. A process outside costs one map lookup. */
#pragma once

#define PID_LEVELS_MAX 32 /* MAX_PID_NS_LEVEL of the kernel */

struct level_search {
    struct pid *pid;
    __u32 number;
    __u32 levels;
};

/* bpf_loop step: takes the number that our pid namespace gives the process. */
static long find_level(__u32 level, struct level_search *search) {
    struct upid upid;
    unsigned int inode = 0;
    if (level >= search->levels) return 1;
    const void *at = (const char *)search->pid + bpf_core_field_offset(struct pid, numbers) +
                     level * bpf_core_type_size(struct upid);
    struct pid_namespace *namespace = 0;
    if (bpf_probe_read_kernel(&namespace, sizeof(namespace), at + bpf_core_field_offset(struct upid, ns)))
        return 1;
    if (bpf_probe_read_kernel(&inode, sizeof(inode),
                              (const char *)namespace + bpf_core_field_offset(struct pid_namespace, ns.inum)))
        return 1;
    if (inode != pid_namespace) return 0;
    if (bpf_probe_read_kernel(&upid.nr, sizeof(upid.nr), at + bpf_core_field_offset(struct upid, nr)))
        return 1;
    search->number = upid.nr;
    return 1;
}

/* The task's number in our pid namespace, 0 when it has none there. */
static __noinline __u32 namespace_number(struct task_struct *task) {
    struct level_search search = {};
    if (!pid_namespace) return task->pid;
    search.pid = task->thread_pid;
    if (!search.pid) return 0;
    search.levels = search.pid->level + 1;
    bpf_loop(PID_LEVELS_MAX, find_level, &search, 0);
    return search.number;
}

/* Puts a process into the pid set; counts it when the set is full. */
static void follow(__u32 tgid) {
    __u8 yes = 1;
    __u32 zero = 0;
    struct cpu_state *cpu = bpf_map_lookup_elem(&cpu_states, &zero);
    if (bpf_map_update_elem(&targets, &tgid, &yes, BPF_ANY) && cpu) cpu->counters[COUNTER_TARGETS_FULL]++;
}

static __inline int in_pid_set(struct task_struct *task) {
    __u32 tgid = task->tgid;
    if (bpf_map_lookup_elem(&targets, &tgid)) return 1;
    if (!pid_namespace) return 0;
    __u32 number = namespace_number(task->group_leader);
    if (!number || !bpf_map_lookup_elem(&seeds, &number)) return 0;
    follow(tgid);
    return 1;
}

static __inline int is_wanted_comm(void) {
    char comm[COMM_BYTES] = {};
    bpf_get_current_comm(comm, sizeof(comm));
    for (int i = 0; i < COMM_BYTES; i++)
        if (comm[i] != wanted_comm[i]) return 0;
    return 1;
}

/* True when the running task passes every filter that is set. */
static __inline int is_target(struct task_struct *task) {
    if (filter_pids && !in_pid_set(task)) return 0;
    if (filter_cgroup && bpf_current_task_under_cgroup(&cgroups, 0) != 1) return 0;
    if (filter_comm && !is_wanted_comm()) return 0;
    return 1;
}
