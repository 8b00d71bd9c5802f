/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The few kernel types we read, with just the fields we read; libbpf relocates the offsets (CO-RE) at load.
 * start_boottime is real_start_time before v5.5 (cf25e24db61c), below our floor of 5.17.
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
};

#pragma clang attribute pop

#define PF_KTHREAD 0x00200000
