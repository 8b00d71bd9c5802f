/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The few kernel types we read, with just the fields we read; libbpf relocates the offsets (CO-RE) at load.
 * start_boottime is real_start_time before v5.5 (cf25e24db61c), below our floor of 5.10.
 */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
    unsigned int inum;
};

struct pid_namespace {
    struct ns_common ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[];
};

struct mm_struct {
    unsigned long start_stack;
};

struct kernfs_node {
    unsigned long long id;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

struct thread_struct {
    unsigned long fsbase; /* x86-64 */
};

struct task_struct {
    unsigned int flags;
    int pid;
    int tgid;
    struct task_struct *group_leader;
    struct pid *thread_pid;
    unsigned long long start_boottime;
    unsigned int self_exec_id;
    struct mm_struct *mm;
    struct thread_struct thread;
    void *stack;
    char comm[16];
    struct css_set *cgroups;
    unsigned int in_execve : 1;
};

struct pt_regs___kernel { /* for its size: arm64's has more than the registers */
    unsigned long sp;
};

struct seq_file;

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000
