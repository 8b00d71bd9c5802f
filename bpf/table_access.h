/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* The unwind tables as the BPF programs reach them; what arena.h and unwind.h ask for. */
#pragma once

#include "dialect.h"
#include "unwind_state.h"

static __always_inline const __u8 *shard_at(const struct unwind_state *state, __u32 index) {
    (void)state;
    __u32 zero = 0;
    void *shard = bpf_map_lookup_elem(&shards, &index);
    return shard ? bpf_map_lookup_elem(shard, &zero) : 0;
}

static __always_inline const __u32 *directory_at(const struct unwind_state *state, __u32 word) {
    (void)state;
    __u32 zero = 0;
    const __u32 *words = bpf_map_lookup_elem(&directory, &zero);
    return words && word < DIRECTORY_PAGES ? words + word : 0;
}

static __always_inline const struct unwind_rule *rule_at(const struct unwind_state *state, __u64 index) {
    (void)state;
    __u32 zero = 0;
    const struct unwind_rule *all = bpf_map_lookup_elem(&rules, &zero);
    BOUND(index, RULES_MAX - 1);
    return all ? all + index : 0;
}

#include "arena.h"

static __noinline int find_mapping(struct unwind_state *state, __u64 address) {
    if (!state->mapping_table) return STACK_END_UNKNOWN_PROCESS;
    const __u8 *shard = shard_at(state, LOCATION_SHARD(state->mapping_table));
    return shard && search_mapping(state, shard, address) ? 0 : STACK_END_UNKNOWN_MAPPING;
}
