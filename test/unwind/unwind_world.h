// A made-up process for the unwinder: stack, code, unwind tables, each exactly as large as it says, so that
// AddressSanitizer sees a read outside. Gives bpf/unwind.h what it asks of its includer; for x86-64, or for
// arm64 with __TARGET_ARCH_arm64.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "tables.h"
#include "unwind_state.h"

namespace {

constexpr uint64_t kStack = 0x7ffc12340000; // address of the stack's first word
constexpr uint64_t kCode = 0x400000;        // address of file offset 0 of the only file
constexpr uint64_t kCodeBytes = 4 * TEXT_PAGE_BYTES;
constexpr uint32_t kDirectory = 100; // directory word of the file's page 0

struct World {
    std::vector<uint64_t> stack = std::vector<uint64_t>(4096, 0);
    std::vector<uint8_t> code = std::vector<uint8_t>(kCodeBytes, 0);
    std::unique_ptr<uint8_t[]> shard; // shard 0
    std::vector<uint32_t> directory = std::vector<uint32_t>(1024, PAGE_NOT_LOADED);
    std::vector<unwind_rule> rules = std::vector<unwind_rule>(RULES_MAX);
    uint32_t next_rule = 1, next_unit = 1;
    bool is_code_readable = true;

    uint64_t frames[MAX_USER_FRAMES] = {};
    uint32_t count = 0;
    unwind_state state = {};
};

World *world; // of the test that runs

const __u8 *shard_at(const unwind_state *, __u32 index) {
    return index == 0 ? world->shard.get() : nullptr;
}

const __u32 *directory_at(const unwind_state *, __u32 word) {
    return word < world->directory.size() ? &world->directory[word] : nullptr;
}

const unwind_rule *rule_at(const unwind_state *, __u64 index) {
    return &world->rules[index & (RULES_MAX - 1)];
}

int read_user(void *to, __u64 from, __u32 bytes) {
    if (!world->is_code_readable || from < kCode || from - kCode > kCodeBytes - bytes) return -1;
    memcpy(to, &world->code[from - kCode], bytes);
    return 0;
}

int copy_stack(unwind_state *, __u64 address, __u64 *words, __u32 bytes) {
    uint64_t size = world->stack.size() * 8;
    if (address < kStack || address - kStack > size || size - (address - kStack) < bytes)
        return STACK_END_UNREADABLE;
    memcpy(words, reinterpret_cast<const char *>(world->stack.data()) + (address - kStack), bytes);
    return 0;
}

int read_stack(unwind_state *state, __u64 address, __u64 *word) {
    return copy_stack(state, address, word, sizeof(*word));
}

int find_mapping(unwind_state *state, __u64 address);

#include "unwind.h"

int find_mapping(unwind_state *state, __u64 address) {
    if (!state->mapping_table) return STACK_END_UNKNOWN_PROCESS;
    const __u8 *shard = shard_at(state, LOCATION_SHARD(state->mapping_table));
    return shard && search_mapping(state, shard, address) ? 0 : STACK_END_UNKNOWN_MAPPING;
}

constexpr uint64_t Slot(uint64_t word) {
    return kStack + 8 * word;
}

// Room in the arena, its location.
uint32_t Place(const void *bytes, size_t size) {
    uint32_t unit = world->next_unit;
    memcpy(world->shard.get() + size_t{unit} * ARENA_UNIT, bytes, size);
    world->next_unit += static_cast<uint32_t>((size + ARENA_UNIT - 1) / ARENA_UNIT);
    return unit;
}

struct Row {
    uint16_t lo;
    unwind_rule rule;
};

// Publishes the rows of page `page` of the file.
uint32_t SetRows(uint32_t page, const std::vector<Row> &rows) {
    std::vector<uint8_t> bytes(sizeof(page_blob) + rows.size() * sizeof(unwind_row));
    auto *blob = reinterpret_cast<page_blob *>(bytes.data());
    blob->rows = static_cast<uint32_t>(rows.size());
    for (size_t i = 0; i < rows.size(); i++) {
        uint16_t rule = rows[i].rule.kind == RULE_NONE ? 0 : static_cast<uint16_t>(world->next_rule++);
        world->rules[rule] = rows[i].rule;
        reinterpret_cast<unwind_row *>(blob + 1)[i] = {rows[i].lo, rule};
    }
    for (uint32_t bucket = 0; bucket <= BUCKETS; bucket++)
        while (blob->bucket[bucket] < rows.size() && rows[blob->bucket[bucket]].lo >> BUCKET_SHIFT < bucket)
            blob->bucket[bucket]++;
    return world->directory[kDirectory + page] = Place(bytes.data(), bytes.size());
}

process_entry SetMappings(const std::vector<unwind_mapping> &mappings) {
    mapping_table table = {.id = 0x12345678, .count = static_cast<uint32_t>(mappings.size()), .padding = {}};
    uint32_t location = Place(&table, sizeof(table));
    if (!mappings.empty()) Place(mappings.data(), mappings.size() * sizeof(unwind_mapping));
    return {.start = 1, .exec_id = 1, .location = location, .id = table.id, .is_target = 0};
}

unwind_mapping FileMapping() {
    return {.start = kCode,
            .end = kCode + kCodeBytes,
            .position = 0,
            .directory = kDirectory,
            .kind = MAPPING_FILE,
            .padding = {}};
}

// A fresh world: an empty stack, one file mapped whole, no page loaded; the innermost frame is at `pc`.
void Begin(uint64_t pc, const std::vector<unwind_mapping> &mappings = {FileMapping()}) {
    delete world;
    world = new World();
    world->shard = std::make_unique<uint8_t[]>(SHARD_BYTES);
    unwind_begin(&world->state);
    process_entry entry = SetMappings(mappings);
    open_mappings(&world->state, &entry);
    world->state.raw.is_exact = REGISTERS_EXACT;
    world->state.raw.registers[REGISTER_PC] = pc;
    world->state.raw.registers[REGISTER_SP] = Slot(0);
}

void Set(uint32_t number, uint64_t value) {
    world->state.raw.registers[number] = value;
}

// What the BPF program does with the steps.
void Walk() {
    world->count = 0;
    while (world->count < MAX_USER_FRAMES) {
        world->frames[world->count++] = world->state.raw.registers[REGISTER_PC];
        if (unwind_step(&world->state) != STEP_CALLER) return;
    }
}

const char *EndName(uint32_t end) {
    static const char *const names[] = {
#define END_NAME(id, name, quality) name,
        STACK_ENDS(END_NAME)
#undef END_NAME
    };
    return end < STACK_END_COUNT ? names[end] : "no end";
}

// Walks; checks the end and the callers' addresses.
void Expect(const char *claim, uint32_t end, const std::vector<uint64_t> &callers) {
    Walk();
    std::string text = std::string(claim) + ": " + std::to_string(callers.size() + 1) + " frames and " +
                       EndName(end) + ", got " + std::to_string(world->count) + " and " +
                       EndName(world->state.end);
    bool is_right = world->state.end == end && world->count == callers.size() + 1;
    for (size_t i = 0; is_right && i < callers.size(); i++)
        if (world->frames[i + 1] != callers[i]) {
            is_right = false;
            text += "; caller " + std::to_string(i) + " differs";
        }
    check(is_right, text.c_str());
}

} // namespace
