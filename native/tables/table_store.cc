#include "tables/table_store.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tables/arena.h"
#include "tables/row_check.h"
#include "tables/rule_table.h"

namespace emberscope {

namespace {

// Waiting for the readers takes some milliseconds whatever is freed after it, so what is given back is
// collected until it is worth that, or until there is no room without it.
constexpr uint64_t kQuarantineBytes = 256 << 10;
constexpr size_t kQuarantineThings = 4096;
// An eviction frees this part of the budget and twice as much each time it was not enough, all of it in the
// end.
constexpr uint64_t kEvictedPart = 32;
constexpr uint64_t kEvictedBytesMin = 128 << 10; // with a small budget, too, one wait is for many pages
constexpr int kEvictions = 7;
// With this part of the budget or of the rules in use, pages age: all of them in so many turns.
constexpr uint64_t kAgeingEighths = 6;
constexpr uint32_t kAgeingTurns = 64;

uint64_t BlobBytes(uint64_t rows) {
    return sizeof(page_blob) + rows * sizeof(unwind_row);
}

uint64_t MappingBytes(uint64_t count) {
    return sizeof(mapping_table) + count * sizeof(unwind_mapping);
}

bool IsLocation(uint32_t word) {
    return word != PAGE_NOT_LOADED && word != PAGE_WITHOUT_ROWS;
}

uint32_t ShardsOf(uint64_t budget_bytes) {
    return static_cast<uint32_t>(std::clamp<uint64_t>(budget_bytes / SHARD_BYTES, 1, SHARDS_MAX));
}

} // namespace

struct TableStore::State {
    enum class Thing { page, mappings, directory };
    // Unpublished, perhaps still read.
    struct GivenBack {
        Thing thing;
        uint32_t start; // location or directory word
        uint64_t size;  // bytes or directory words
    };

    State(TableMemory &memory, uint64_t budget_bytes)
        : memory(memory), budget(ShardsOf(budget_bytes) * uint64_t{SHARD_BYTES}),
          arena(memory, ShardsOf(budget_bytes)), rules(memory.rules()), directory(memory.directory()) {
        words.Free(0, DIRECTORY_PAGES);
    }

    page_blob *Blob(uint32_t location) const { return reinterpret_cast<page_blob *>(arena.At(location)); }
    std::span<const unwind_row> Rows(const page_blob *blob) const {
        return {reinterpret_cast<const unwind_row *>(blob + 1), blob->rows};
    }
    uint64_t eviction_bytes() const { return std::max(budget / kEvictedPart, kEvictedBytesMin); }
    uint32_t Place(uint64_t bytes);
    std::optional<std::span<const unwind_row>> Hold(std::span<const CfiRow> rows);
    void WriteBlob(uint32_t location, std::span<const unwind_row> rows) const;
    void Publish(uint32_t word, uint32_t state);
    void Age();
    bool EvictPages(uint64_t bytes);
    void GiveBack(Thing thing, uint32_t start, uint64_t size);
    void FreeGivenBack();
    void Free(const GivenBack &given);

    TableMemory &memory;
    uint64_t budget;
    Arena arena;
    RuleTable rules;
    uint32_t *directory;
    Extents words{0};
    uint32_t words_end = 0; // no word from here on was ever given to a file
    uint32_t clock = 0;     // next word that an eviction looks at
    uint32_t ageing = 0;    // next word that Age() looks at
    uint32_t next_id = 0x80000001;
    std::vector<GivenBack> quarantine;
    uint64_t quarantine_bytes = 0;
    TableStats stats;
};

TableStore::TableStore(TableMemory &memory, uint64_t budget_bytes)
    : state_(std::make_unique<State>(memory, budget_bytes)) {}
TableStore::~TableStore() = default;

// Room for `bytes`: free, in a new shard, given back, or taken from pages that were not used of late. 0:
// none.
uint32_t TableStore::State::Place(uint64_t bytes) {
    if (uint32_t location = arena.Take(bytes)) return location;
    if (quarantine_bytes >= kQuarantineBytes) {
        FreeGivenBack();
        if (uint32_t location = arena.Take(bytes)) return location;
    }
    if (bytes <= SHARD_BYTES - ARENA_UNIT && arena.Grow()) return arena.Take(bytes);
    for (int i = 0; i < kEvictions; ++i) {
        if (i > 0 && !EvictPages(std::max(eviction_bytes(), bytes) << (i - 1))) return 0;
        FreeGivenBack();
        if (uint32_t location = arena.Take(bytes)) return location;
    }
    return 0;
}

std::optional<std::span<const unwind_row>> TableStore::State::Hold(std::span<const CfiRow> rows) {
    auto held = rules.Hold(rows);
    for (int i = 0; i < kEvictions && !held; ++i) {
        if (i > 0 && !EvictPages(eviction_bytes() << (i - 1))) break;
        FreeGivenBack();
        held = rules.Hold(rows);
    }
    return held;
}

void TableStore::State::WriteBlob(uint32_t location, std::span<const unwind_row> rows) const {
    page_blob *blob = Blob(location);
    // Used, so that a page is not evicted before the sample that asked for it went through it.
    __atomic_store_n(&blob->used, 1, __ATOMIC_RELAXED);
    blob->rows = static_cast<uint32_t>(rows.size());
    blob->padding = 0;
    size_t next = 0;
    for (uint32_t bucket = 0; bucket <= BUCKETS; ++bucket) {
        while (next < rows.size() && rows[next].lo >> BUCKET_SHIFT < static_cast<int>(bucket)) {
            ++next;
        }
        blob->bucket[bucket] = static_cast<uint16_t>(next);
    }
    std::copy(rows.begin(), rows.end(), reinterpret_cast<unwind_row *>(blob + 1));
}

void TableStore::State::Publish(uint32_t word, uint32_t state) {
    uint32_t old = directory[word];
    __atomic_store_n(&directory[word], state, __ATOMIC_RELEASE);
    stats.pages += IsLocation(state) ? 1 : 0;
    if (!IsLocation(old)) return;
    --stats.pages;
    GiveBack(Thing::page, old, BlobBytes(Blob(old)->rows));
}

// Clears the marks of some pages a turn, so that an eviction knows which pages were used in the last seconds:
// if it had to clear them all itself, it would then evict whatever comes first.
void TableStore::State::Age() {
    for (uint32_t i = 0; i <= words_end / kAgeingTurns && words_end > 0; ++i) {
        if (ageing >= words_end) ageing = 0;
        uint32_t state = directory[ageing++];
        if (IsLocation(state)) __atomic_store_n(&Blob(state)->used, 0, __ATOMIC_RELAXED);
    }
}

// Takes back `bytes` of pages, those that nobody used since the clock last came by. False: there was no page.
bool TableStore::State::EvictPages(uint64_t bytes) {
    uint64_t before = quarantine_bytes, evicted = stats.evicted;
    // Twice around: the first round may only clear marks.
    for (uint64_t i = 0; i < 2 * uint64_t{words_end} && quarantine_bytes - before < bytes; ++i) {
        if (clock >= words_end) clock = 0;
        uint32_t word = clock++;
        if (!IsLocation(directory[word])) continue;
        if (__atomic_exchange_n(&Blob(directory[word])->used, 0, __ATOMIC_RELAXED) != 0) continue;
        ++stats.evicted;
        Publish(word, PAGE_NOT_LOADED);
    }
    return stats.evicted > evicted;
}

void TableStore::State::GiveBack(Thing thing, uint32_t start, uint64_t size) {
    quarantine.push_back({thing, start, size});
    if (thing != Thing::directory) quarantine_bytes += size;
}

void TableStore::State::FreeGivenBack() {
    if (quarantine.empty()) return;
    memory.WaitForReaders();
    for (const GivenBack &given : quarantine) {
        Free(given);
    }
    quarantine.clear();
    quarantine_bytes = 0;
}

void TableStore::State::Free(const GivenBack &given) {
    if (given.thing == Thing::directory) {
        words.Free(given.start, static_cast<uint32_t>(given.size));
        return;
    }
    if (given.thing == Thing::page) rules.Release(Rows(Blob(given.start)));
    arena.Free(given.start, given.size);
}

Result<uint32_t> TableStore::AddDirectory(uint32_t pages) {
    if (pages == 0)
        return Status::Error(Kind::invalid, "a file without executable pages needs no unwind tables");
    std::optional<uint32_t> first = state_->words.Take(pages);
    if (!first) {
        state_->FreeGivenBack();
        first = state_->words.Take(pages);
    }
    if (!first) {
        return Status::Error(Kind::unsupported,
                             "no room for the unwind tables of " + std::to_string(pages) +
                                 " pages of code: " + std::to_string(DIRECTORY_PAGES - state_->words.free()) +
                                 " of " + std::to_string(DIRECTORY_PAGES) +
                                 " are in use; profile fewer programs at a time");
    }
    state_->words_end = std::max(state_->words_end, *first + pages);
    return *first;
}

void TableStore::DropDirectory(uint32_t first, uint32_t pages) {
    if (!FitsIn(first, pages, state_->words_end) || pages == 0) return;
    for (uint32_t word = first; word < first + pages; ++word) {
        state_->Publish(word, PAGE_NOT_LOADED);
    }
    // Not reused at once: who reads an old mapping table must not find the pages of another file there.
    state_->GiveBack(State::Thing::directory, first, pages);
}

bool TableStore::SetPage(uint32_t word, std::span<const CfiRow> rows) {
    if (word >= state_->words_end || !AreValidRows(rows)) {
        ++state_->stats.refused;
        return false;
    }
    if (rows.empty()) {
        state_->Publish(word, PAGE_WITHOUT_ROWS);
        return true;
    }
    // Room first: what is evicted for it may take rules along that this page would have shared.
    uint32_t location = state_->Place(BlobBytes(rows.size()));
    auto held = location != 0 ? state_->Hold(rows) : std::nullopt;
    if (!held) {
        if (location != 0) state_->arena.Free(location, BlobBytes(rows.size()));
        ++state_->stats.refused;
        return false;
    }
    state_->WriteBlob(location, *held);
    state_->Publish(word, location);
    return true;
}

uint32_t TableStore::page_state(uint32_t word) const {
    return word < DIRECTORY_PAGES ? state_->directory[word] : PAGE_NOT_LOADED;
}

TableStore::Placed TableStore::AddMappings(std::span<const unwind_mapping> mappings) {
    uint64_t bytes = MappingBytes(mappings.size());
    uint32_t location = mappings.size() <= MAPPINGS_MAX ? state_->Place(bytes) : 0;
    if (location == 0) {
        ++state_->stats.refused;
        return {0, 0};
    }
    auto *table = reinterpret_cast<mapping_table *>(state_->arena.At(location));
    uint32_t id = state_->next_id++;
    // An entry of `processes` can outlive its table (a fork copies it late) and must not take what lies there
    // then for a table. So ids are what a word of a blob or a table hardly ever is: above 2^31, where rows
    // and counts do not reach, and no multiple of 4096, as addresses and positions are.
    if (state_->next_id % 4096 == 0) ++state_->next_id;
    if (state_->next_id >= 0xc0000000) state_->next_id = 0x80000001;
    table->count = static_cast<uint32_t>(mappings.size());
    std::memset(table->padding, 0, sizeof table->padding);
    std::copy(mappings.begin(), mappings.end(), reinterpret_cast<unwind_mapping *>(table + 1));
    __atomic_store_n(&table->id, id, __ATOMIC_RELEASE);
    ++state_->stats.mapping_tables;
    return {location, id};
}

void TableStore::DropMappings(Placed placed) {
    if (placed.location == 0) return;
    auto *table = reinterpret_cast<mapping_table *>(state_->arena.At(placed.location));
    if (table->id != placed.id) return;
    __atomic_store_n(&table->id, 0, __ATOMIC_RELEASE);
    --state_->stats.mapping_tables;
    state_->GiveBack(State::Thing::mappings, placed.location, MappingBytes(table->count));
}

void TableStore::Reclaim() {
    state_->arena.AllowGrowth();
    if (state_->quarantine_bytes >= kQuarantineBytes || state_->quarantine.size() >= kQuarantineThings) {
        state_->FreeGivenBack();
    }
    if (state_->arena.taken() >= state_->budget / 8 * kAgeingEighths ||
        state_->rules.count() >= RULES_MAX / 8 * kAgeingEighths) {
        state_->Age();
    }
}

const uint8_t *TableStore::shard(uint32_t index) const {
    return state_->arena.shard(index);
}
const unwind_rule *TableStore::rules() const {
    return state_->memory.rules();
}
const uint32_t *TableStore::directory() const {
    return state_->directory;
}

TableStats TableStore::stats() const {
    TableStats stats = state_->stats;
    stats.kernel_bytes = state_->arena.taken();
    stats.kernel_bytes_max = state_->arena.taken_max();
    stats.shard_bytes = state_->arena.shard_bytes();
    stats.rules = state_->rules.count();
    return stats;
}

} // namespace emberscope
