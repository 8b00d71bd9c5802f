// The searches in the unwind tables: every row and mapping is found, and tables that lie lead nowhere outside
// of them (AddressSanitizer watches; each table is exactly as large as it says).
#include <random>

#include "unwind_world.h"

namespace {

unwind_rule Rule(int32_t offset) {
    return {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset, .ra_offset = -8};
}

// The offset of the rule at a position of the file, 0 when there is none.
int32_t OffsetAt(uint64_t position) {
    const unwind_rule *rule = nullptr;
    world->state.mapping = FileMapping();
    world->state.page_location = PAGE_NOT_LOADED;
    return find_rule(&world->state, position, &rule) == PAGE_RULE_FOUND ? rule->offset : 0;
}

void EveryRow() {
    std::mt19937 random(11);
    for (uint32_t rows : {1U, 2U, 3U, 10U, 100U, 1000U, 5000U}) {
        Begin(kCode);
        std::map<uint16_t, int32_t> wanted = {{0, 1}};
        while (wanted.size() < rows) // half of them crowded into one bucket
            wanted[static_cast<uint16_t>(random() % 2 ? random() : 0x4200 + random() % 256)] =
                static_cast<int32_t>(1 + random() % 100000);
        std::vector<Row> table;
        for (auto [lo, offset] : wanted)
            table.push_back({lo, Rule(offset)});
        SetRows(1, table);
        uint32_t wrong = 0;
        for (uint32_t offset = 0; offset < TEXT_PAGE_BYTES; offset++) {
            auto in_force = std::prev(wanted.upper_bound(static_cast<uint16_t>(offset)));
            wrong += OffsetAt(TEXT_PAGE_BYTES + offset) != in_force->second;
        }
        std::string claim = "each byte of a page with " + std::to_string(rows) + " rows has its rule";
        check(wrong == 0, claim.c_str());
    }
}

void EveryMapping() {
    for (uint64_t count : {1U, 2U, 3U, 7U, 8U, 100U, 8192U}) {
        std::vector<unwind_mapping> mappings;
        for (uint64_t i = 0; i < count; i++)
            mappings.push_back({.start = 0x10000 + i * 0x3000,
                                .end = 0x12000 + i * 0x3000,
                                .position = i,
                                .directory = 0,
                                .kind = MAPPING_JIT,
                                .padding = {}});
        Begin(kCode, mappings);
        uint64_t wrong = 0;
        for (uint64_t i = 0; i < count; i++) {
            uint64_t start = mappings[i].start;
            for (uint64_t address : {start, start + 0x1fff})
                wrong += find_mapping(&world->state, address) != 0 || world->state.mapping_index != i;
            for (uint64_t address : {start - 1, start + 0x2000})
                wrong += find_mapping(&world->state, address) != STACK_END_UNKNOWN_MAPPING;
        }
        for (uint64_t address : {uint64_t{0}, ~uint64_t{0}})
            wrong += find_mapping(&world->state, address) != STACK_END_UNKNOWN_MAPPING;
        std::string claim = "each of " + std::to_string(count) + " mappings is found, and no gap";
        check(wrong == 0, claim.c_str());
    }
}

void UsedMarks() {
    Begin(kCode);
    uint32_t location = SetRows(0, {{0, Rule(8)}});
    auto *blob = reinterpret_cast<page_blob *>(world->shard.get() + LOCATION_OFFSET(location));
    check(blob->used == 0 && OffsetAt(5) == 8 && blob->used == 1, "a page that served is marked");
}

void LyingPlaces() {
    for (uint32_t location : {0xffffU, 0xffe0U, 0xfff0U, 0x10001U, 0x3f0001U, 0x400001U, 0xfffffffeU, 1U}) {
        Begin(kCode);
        world->directory[kDirectory] = location;
        Set(REGISTER_SP, 8);
        Walk();
        check(world->state.end < STACK_END_COUNT, "a page that is nowhere ends it");
        unwind_begin(&world->state);
        process_entry entry = {.start = 1, .exec_id = 1, .location = location, .id = 0, .is_target = 0};
        open_mappings(&world->state, &entry);
        Walk();
        check(world->state.end < STACK_END_COUNT, "mappings that are nowhere end it");
    }
    Begin(kCode);
    world->state.mapping_table = 0xffff, world->state.mapping_count = MAPPINGS_MAX;
    Expect("more mappings than a shard can hold", STACK_END_UNKNOWN_MAPPING, {});
}

// Random bytes for the whole arena, then walks over random addresses.
void RandomTables() {
    std::mt19937_64 random(13);
    uint32_t walks = 0;
    for (int round = 0; round < 30; round++) {
        Begin(kCode);
        for (size_t i = 0; i < SHARD_BYTES; i += 8) {
            uint64_t word = random() & (round % 2 ? 0x0000000f0fff07ff : ~uint64_t{0});
            memcpy(world->shard.get() + i, &word, 8);
        }
        for (uint32_t &word : world->directory)
            word = static_cast<uint32_t>(random()) & (round % 3 ? 0xffff : 0xffffffff);
        for (unwind_rule &rule : world->rules)
            for (size_t i = 0; i < sizeof(rule); i++)
                reinterpret_cast<uint8_t *>(&rule)[i] = static_cast<uint8_t>(random() & (i < 2       ? 0x1f
                                                                                         : round % 2 ? 0x3f
                                                                                                     : 0xff));
        for (uint64_t &word : world->stack)
            word = random() % 3 ? kCode + random() % kCodeBytes : Slot(random() % 4096);
        for (int start = 0; start < 200; start++, walks++) {
            world->state = {};
            world->state.raw.is_exact = static_cast<uint8_t>(random() % 3);
            world->state.mapping = FileMapping();
            world->state.mapping_table = 1 + static_cast<uint32_t>(random() % 0xffff);
            world->state.mapping_count = static_cast<uint32_t>(random() % (MAPPINGS_MAX + 1));
            world->state.end = STACK_END_DEPTH;
            for (uint32_t i = 0; i < REGISTER_COUNT; i++)
                Set(i, Slot(random() % 4096));
            Set(REGISTER_PC, kCode + random() % kCodeBytes);
            Walk();
        }
    }
    check(walks == 6000, "walks over random tables end");
}

} // namespace

int main() {
    EveryRow();
    EveryMapping();
    UsedMarks();
    LyingPlaces();
    RandomTables();
    delete world;
    return report();
}
