/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Searches in the unwind tables (tables.h). The includer provides
 *   const __u8 *shard_at(const struct unwind_state *, __u32 index)               SHARD_BYTES, or NULL
 *   const __u32 *directory_at(const struct unwind_state *, __u32 word)           NULL past the end
 *   const struct unwind_rule *rule_at(const struct unwind_state *, __u64 index)  index modulo RULES_MAX
 * Whatever the tables hold, nothing outside of them is read: every offset into a shard is masked or compared
 * just before it is used. A mask makes one state for the verifier where a comparison makes two.
 */
#pragma once

#include "dialect.h"
#include "unwind_state.h"

#define WORD_IN_SHARD (SHARD_BYTES - 4)          /* multiples of 4: rows */
#define UNIT_IN_SHARD (SHARD_BYTES - ARENA_UNIT) /* multiples of 16: starts of mappings */

enum page_rule {
    PAGE_RULE_FOUND,
    PAGE_RULE_NONE,   /* no table covers the address */
    PAGE_RULE_MISSING /* the page is not loaded */
};

/*
 * The index of the last of `count` entries after entry `index` that begins at or before `wanted`; entry
 * `index` is taken to. Halves rounded up and no branch on the comparison: a few entries more are compared
 * than a search by cases would, none is mispredicted.
 */
#define LAST_AT_OR_BEFORE(index, count, steps, wanted, entry)                                                \
    for (int step = 0; step < (steps) && (count); step++) {                                                  \
        __u64 half = ((count) + 1) >> 1;                                                                     \
        __u64 at = (index) + half;                                                                           \
        (index) += half & ~(((__s64)((wanted) - (entry))) >> 63);                                            \
        (count) -= half;                                                                                     \
    }

HOT __u64 mapping_start(const __u8 *shard, __u64 table, __u64 index) {
    __u64 at = table + sizeof(struct mapping_table) + index * sizeof(struct unwind_mapping);
    BOUND(at, UNIT_IN_SHARD);
    return *(const __u64 *)(shard + at);
}

/* Finds the mapping that holds an address, into state->mapping; 0 when there is none. */
HOT int search_mapping(struct unwind_state *state, const __u8 *shard, __u64 address) {
    __u64 table = LOCATION_OFFSET(state->mapping_table);
    __u64 index = 0, count = state->mapping_count;
    if (!count) return 0;
    count--;
    LAST_AT_OR_BEFORE(index, count, 13, address, mapping_start(shard, table, at));
    __u64 at = table + sizeof(struct mapping_table) + index * sizeof(struct unwind_mapping);
    if (at > SHARD_BYTES - sizeof(struct unwind_mapping)) return 0;
    const struct unwind_mapping *mapping = (const struct unwind_mapping *)(shard + at);
    if (address < mapping->start || address >= mapping->end) return 0;
    state->mapping = *mapping;
    state->mapping_index = index;
    return 1;
}

/* Takes the mappings of a process for the walk, unless the entry is stale. */
HOT void open_mappings(struct unwind_state *state, const struct process_entry *entry) {
    __u64 at = LOCATION_OFFSET(entry->location);
    const __u8 *shard = shard_at(state, LOCATION_SHARD(entry->location));
    if (!shard || at > SHARD_BYTES - sizeof(struct mapping_table)) return;
    const struct mapping_table *table = (const struct mapping_table *)(shard + at);
    if (table->id != entry->id) return;
    state->mapping_table = entry->location;
    state->mapping_count = table->count < MAPPINGS_MAX ? table->count : MAPPINGS_MAX;
}

HOT const struct unwind_row *row_in_shard(const __u8 *shard, __u64 rows, __u64 index) {
    __u64 at = rows + index * sizeof(struct unwind_row);
    BOUND(at, WORD_IN_SHARD);
    return (const struct unwind_row *)(shard + at);
}

/* The rule in force at an offset of a text page; `blob` is the offset of its page_blob, not past the last
 * place for one. */
HOT __u32 search_rows(__u8 *shard, __u64 blob, __u64 offset) {
    struct page_blob *page = (struct page_blob *)(shard + blob);
    __u64 bucket = offset >> BUCKET_SHIFT;
    BOUND(bucket, BUCKETS - 1);
    __u64 low = page->bucket[bucket], high = page->bucket[bucket + 1];
    if (!page->used) page->used = 1;
    __u64 index = low - (low != 0), count = high > index + 1 ? high - index - 1 : 0;
    __u64 rows = blob + sizeof(struct page_blob);
    LAST_AT_OR_BEFORE(index, count, 9, offset, row_in_shard(shard, rows, at)->lo);
    return row_in_shard(shard, rows, index)->rule;
}

/* What the directory says of a page. Frames in a row often lie in one page: the last answer is kept, so that
 * the processor can go ahead of the loads when it guesses so. */
HOT __u32 find_page(struct unwind_state *state, __u32 word) {
    if (word == state->page_word && state->page_location) return state->page_location;
    const __u32 *entry = directory_at(state, word);
    if (!entry) return PAGE_WITHOUT_ROWS;
    state->page_word = word;
    state->page_location = *(volatile const __u32 *)entry; /* read once: it changes under us */
    return state->page_location;
}

/* The rule in force at a file offset of state->mapping. */
HOT enum page_rule find_rule(struct unwind_state *state, __u64 position, const struct unwind_rule **rule) {
    const struct unwind_mapping *mapping = &state->mapping;
    if (mapping->kind != MAPPING_FILE) return PAGE_RULE_NONE;
    __u32 location = find_page(state, mapping->directory + (__u32)(position >> TEXT_PAGE_SHIFT));
    if (location == PAGE_NOT_LOADED) return PAGE_RULE_MISSING;
    if (location == PAGE_WITHOUT_ROWS) return PAGE_RULE_NONE;
    __u8 *shard = (__u8 *)shard_at(state, LOCATION_SHARD(location));
    __u64 blob = LOCATION_OFFSET(location);
    if (!shard || blob > SHARD_BYTES - sizeof(struct page_blob)) return PAGE_RULE_NONE;
    *rule = rule_at(state, search_rows(shard, blob, position & (TEXT_PAGE_BYTES - 1)));
    return *rule && (*rule)->kind != RULE_NONE ? PAGE_RULE_FOUND : PAGE_RULE_NONE;
}
