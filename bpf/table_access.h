/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* The unwind tables as the BPF programs reach them; what arena.h and unwind.h ask for. */
#pragma once

#include "bound.h"
#include "unwind_state.h"

static __always_inline const __u8 *shard_at(const struct unwind_state *state, __u32 index) {
    (void)state;
    __u32 zero = 0;
    void *shard = bpf_map_lookup_elem(&shards, &index);
    return shard ? bpf_map_lookup_elem(shard, &zero) : 0;
}

static __always_inline const __u32 *directory_at(const struct unwind_state *state, __u32 word) {
    (void)state;
    __u32 key = word / DIRECTORY_PAIR;
    __u64 half = word % DIRECTORY_PAIR;
    struct directory_pair *pair = bpf_map_lookup_elem(&directory, &key);
    BOUND(half, DIRECTORY_PAIR - 1);
    return pair ? &pair->words[half] : 0;
}

static __always_inline const struct unwind_rule *rule_at(const struct unwind_state *state, __u32 index) {
    (void)state;
    return bpf_map_lookup_elem(&rules, &index);
}

#include "arena.h"

static __noinline int find_mapping(struct unwind_state *state, __u64 address) {
    if (!state->mapping_table) return STACK_END_UNKNOWN_PROCESS;
    const __u8 *shard = shard_at(state, LOCATION_SHARD(state->mapping_table));
    return shard && search_mapping(state, shard, address) ? 0 : STACK_END_UNKNOWN_MAPPING;
}
