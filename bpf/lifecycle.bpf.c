// SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only
// Keeps the pid set true inside the kernel: a child of a sampled process is sampled from its first
// instruction, and a pid leaves the set when the kernel forgets the process (not at exit: tearing down its
// memory is its CPU time too).
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "config.h"
#include "kernel.h"
#include "maps.h"
#include "target.h"

SEC("tp_btf/sched_process_fork")
int on_fork(__u64 *arguments) {
    struct task_struct *parent = (struct task_struct *)arguments[0];
    struct task_struct *child = (struct task_struct *)arguments[1];
    if (!filter_pids || child->tgid == parent->tgid) return 0; /* a new thread of the same process */
    if (in_pid_set(parent)) follow(child->tgid);
    return 0;
}

SEC("tp_btf/sched_process_free")
int on_free(__u64 *arguments) {
    struct task_struct *task = (struct task_struct *)arguments[0];
    __u32 tgid = task->tgid;
    if (filter_pids && task->pid == task->tgid) bpf_map_delete_elem(&targets, &tgid);
    return 0;
}
