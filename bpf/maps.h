/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Every BPF map. Weak for the reason given in config.h. Sizes and flags are what the loader may change before
 * the load:
 * - both rings: the size, from rate and CPUs;
 * - hashes (targets, seeds, processes, rated_processes): kernels before 6.1 refuse BPF_F_NO_PREALLOC in
 * perf_event programs (34dd3bad1a6f); there the flag must go, and max_entries with it, for all of it is
 *   allocated then (72 bytes an entry).
 */
#pragma once

#include "unwind_state.h"

#define MAP __attribute__((weak))

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 4096);
} samples MAP SEC(".maps");

/* The rest of samples that met a miss: struct raw_stack and its bytes. */
struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 1 << 18);
} raw_stacks MAP SEC(".maps");

/* By CPU; a value is larger than per-CPU maps allow. The loader sets the number of CPUs. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct cpu_memory);
} cpus MAP SEC(".maps");

/* Unwind tables (tables.h). No BPF_F_INNER_MAP: lookups in inner maps of one size are inlined by the JIT. */
struct shard_map {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, SHARD_BYTES);
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, SHARDS_MAX);
    __type(key, __u32);
    __array(values, struct shard_map);
} shards MAP SEC(".maps");

/* One value each, not one an element: the address of an element is then arithmetic, and no key goes through
 * memory. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, DIRECTORY_PAGES * sizeof(__u32));
} directory MAP SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1);
    __uint(key_size, sizeof(__u32));
    __uint(value_size, RULES_MAX * sizeof(struct unwind_rule));
} rules MAP SEC(".maps");

/* By thread group as our pid namespace numbers it; children get their parent's entry when they are forked. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, PROCESSES_MAX);
    __type(key, __u32);
    __type(value, struct process_entry);
} processes MAP SEC(".maps");

/* Slot 0 is the program `walk_tail`, put there by the loader when it attaches on_cpu_sample_tail. */
struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} steps MAP SEC(".maps");

/* Sampled processes by thread group, as the host numbers them; children are added when they are forked. The
 * value is the process's boot-time start, 0 where user space put it there. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, MAX_TARGETS);
    __type(key, __u32);
    __type(value, __u64);
} targets MAP SEC(".maps");

/* Inside a pid namespace the host's numbers are unknown to us: the asked pids, moved to `targets` when first
 * met. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 4096);
    __type(key, __u32);
    __type(value, __u64);
} seeds MAP SEC(".maps");

/* Of the filter; behind them those of the rules about rates, each in the slot CGROUPS_MAX + its index. */
struct {
    __uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
    __uint(max_entries, CGROUPS_MAX + RATE_RULES_MAX);
    __type(key, __u32);
    __type(value, __u32);
} cgroups MAP SEC(".maps");

/* Thread names, padded with zeros. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, COMMS_MAX);
    __uint(key_size, COMM_BYTES);
    __type(value, __u8);
} comms MAP SEC(".maps");

/* By thread group as our pid namespace numbers it; children are added when they are forked. The loader makes
 * it small when no rule names a pid. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, MAX_TARGETS);
    __type(key, __u32);
    __type(value, struct rated_process);
} rated_processes MAP SEC(".maps");

/* By inode. */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, PID_NAMESPACES_MAX);
    __type(key, __u32);
    __type(value, __u8);
} pid_namespaces MAP SEC(".maps");
