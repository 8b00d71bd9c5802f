// Pages, mappings and directories as they are published, evicted and reused.
// sources: native/tables/table_store.cc native/tables/arena.cc native/tables/extents.cc
// sources: native/tables/rule_table.cc native/tables/row_check.cc
// threads
#include <atomic>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "check.h"
#include "tables/plain_memory.h"
#include "tables/row_check.h"
#include "tables/table_store.h"

using namespace emberscope;

namespace {

constexpr uint64_t kMiB = 1 << 20;

unwind_rule Rule(int32_t offset) {
    return {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset, .ra_offset = -8};
}

// `count` rows, `step` bytes apart; the rules tell page and row apart.
std::vector<CfiRow> Rows(int32_t page, uint32_t count, uint32_t step = 1) {
    std::vector<CfiRow> rows;
    for (uint32_t i = 0; i < count; ++i) {
        rows.push_back({static_cast<uint16_t>(i * step), Rule(page * 16 + static_cast<int32_t>(i % 16))});
    }
    return rows;
}

const page_blob *Blob(const TableStore &store, uint32_t word) {
    uint32_t location = store.page_state(word);
    return reinterpret_cast<const page_blob *>(store.shard(LOCATION_SHARD(location)) +
                                               LOCATION_OFFSET(location));
}

// The rule in force at an offset, found as bpf/tables.h says it can be.
const unwind_rule *Lookup(const TableStore &store, uint32_t word, uint16_t offset) {
    const page_blob *blob = Blob(store, word);
    const auto *row = reinterpret_cast<const unwind_row *>(blob + 1);
    uint32_t low = blob->bucket[offset >> BUCKET_SHIFT], high = blob->bucket[(offset >> BUCKET_SHIFT) + 1];
    while (low < high && row[low].lo <= offset) {
        ++low;
    }
    return low == 0 ? nullptr : &store.rules()[row[low - 1].rule];
}

void Lookups() {
    PlainMemory memory;
    TableStore store(memory, 4 * kMiB);
    uint32_t first = store.AddDirectory(600).value();
    std::mt19937 random(7);
    bool agrees = true;
    for (uint32_t page = 0; page < 400; ++page) {
        std::map<uint16_t, int32_t> wanted = {{0, static_cast<int32_t>(random() % 5000)}};
        for (uint32_t i = random() % 1000; i > 0; --i) {
            uint32_t spread = page % 3 == 0 ? 3000 : TEXT_PAGE_BYTES;
            wanted[static_cast<uint16_t>(random() % spread)] = static_cast<int32_t>(random() % 5000);
        }
        std::vector<CfiRow> rows;
        for (auto [lo, offset] : wanted) {
            rows.push_back({lo, Rule(offset)});
        }
        agrees &= store.SetPage(first + page, rows);
        for (uint32_t i = 0; i < 500; ++i) {
            uint16_t at = static_cast<uint16_t>(random() % TEXT_PAGE_BYTES);
            const unwind_rule *rule = Lookup(store, first + page, at);
            agrees &= rule != nullptr && rule->offset == std::prev(wanted.upper_bound(at))->second;
        }
    }
    check(agrees, "every offset finds the last row at or before it");
    check(store.stats().pages == 400 && store.stats().refused == 0, "pages are counted");
    check(store.SetPage(first + 500, {}) && store.page_state(first + 500) == PAGE_WITHOUT_ROWS,
          "a page without rows is published as such");
    check(store.page_state(first + 501) == PAGE_NOT_LOADED, "others are not loaded");
    check(store.SetPage(first, Rows(1, 5)) && store.stats().pages == 400, "a page can be replaced");
    check(Lookup(store, first, 4)->offset == 20, "by what came last");
    store.DropDirectory(first, 600);
    store.DropDirectory(first, 0);
    check(store.page_state(first) == PAGE_NOT_LOADED && store.stats().pages == 0,
          "a dropped file has no pages");
    store.Reclaim();
    check(store.stats().kernel_bytes == 0 && store.stats().rules == 1, "and gives all its memory back");
}

void HostileRows() {
    PlainMemory memory;
    TableStore store(memory, kMiB);
    uint32_t word = store.AddDirectory(1).value();
    auto refused = [&](std::vector<CfiRow> rows) { return !store.SetPage(word, rows); };
    check(refused({{1, Rule(8)}}), "rows must begin at offset 0");
    check(refused({{0, Rule(8)}, {4, Rule(16)}, {4, Rule(8)}}), "offsets must ascend");
    check(refused({{0, Rule(8)}, {4, Rule(16)}, {3, Rule(8)}}), "offsets must not descend");
    check(refused({{0, {.kind = RULE_KIND_COUNT}}}), "kinds must exist");
    check(refused({{0, {.kind = RULE_CFA, .base = REGISTER_COUNT}}}), "registers must exist");
    check(refused({{0, {.kind = RULE_CFA, .ra_register = 200}}}), "return registers must exist");
    check(refused({{0, {.kind = RULE_CFA, .saved = 64}}}), "bits of saved must exist");
    check(refused({{0, Rule(8)}, {TEXT_PAGE_BYTES, Rule(16)}}), "offsets must lie in the page");
    check(refused(Rows(1, kPageRowsMax + 1)), "there are no more rows than bytes");
    check(store.SetPage(word, Rows(1, kPageRowsMax)), "as many there may be");
    check(Lookup(store, word, TEXT_PAGE_BYTES - 1)->offset == Rows(1, kPageRowsMax).back().rule.offset,
          "and the last is found");
    check(!store.SetPage(DIRECTORY_PAGES, Rows(1, 1)) && !store.SetPage(word + 1, Rows(1, 1)),
          "words that no file has are refused");
    check(store.stats().refused == 11, "refusals are counted");
    check(store.page_state(DIRECTORY_PAGES) == PAGE_NOT_LOADED, "beyond the directory nothing is loaded");
}

void Eviction() {
    PlainMemory memory;
    TableStore store(memory, kMiB);
    constexpr uint32_t kPages = 600;
    uint32_t first = store.AddDirectory(kPages).value();
    bool placed = true, bounded = true, kept = true;
    page_blob *hot = nullptr;
    for (uint32_t page = 0; page < kPages; ++page) {
        placed &= store.SetPage(first + page, Rows(static_cast<int32_t>(page % 200), 650, 25));
        if (page == 0) hot = const_cast<page_blob *>(Blob(store, first));
        kept &= store.page_state(first) != PAGE_NOT_LOADED;
        store.Reclaim();
        hot->used = 1; // as if every turn unwound through it
        bounded &= store.stats().shard_bytes <= kMiB && store.stats().kernel_bytes_max <= kMiB;
    }
    check(placed, "with the budget reached, pages still find room");
    check(bounded, "the budget is never exceeded");
    check(kept, "a page in use stays");
    check(store.stats().evicted > 200, "others go");
    check(store.page_state(first + 10) == PAGE_NOT_LOADED, "evicted pages are not loaded again");
    check(store.page_state(first + kPages - 1) != PAGE_NOT_LOADED, "the newest is there");
    check(memory.waits() < 60, "readers are waited for once for many pages");
    check(store.stats().pages + store.stats().evicted == kPages, "each page is loaded or was evicted");
}

void FullOfMappings() {
    PlainMemory memory;
    TableStore store(memory, kMiB);
    std::vector<unwind_mapping> mappings(1000);
    std::vector<TableStore::Placed> tables;
    for (;;) {
        TableStore::Placed placed = store.AddMappings(mappings);
        if (placed.location == 0) break;
        tables.push_back(placed);
    }
    check(tables.size() == 32 && store.stats().mapping_tables == 32,
          "mapping tables are bounded by the budget");
    uint32_t word = store.AddDirectory(1).value();
    check(!store.SetPage(word, Rows(1, 6000)), "and never evicted for a page");
    check(store.stats().refused == 2 && store.stats().evicted == 0, "refusals are counted");
    store.DropMappings(tables[5]);
    store.DropMappings(tables[5]);
    check(store.stats().mapping_tables == 31, "a table is dropped once");
    check(store.SetPage(word, Rows(1, 6000)), "its room can be used");
    check(store.AddMappings(std::vector<unwind_mapping>(MAPPINGS_MAX + 1)).location == 0,
          "too many mappings are refused");
    std::set<uint32_t> ids;
    for (TableStore::Placed table : tables) {
        ids.insert(table.id);
    }
    check(ids.size() == tables.size() && *ids.begin() >= 0x80000001, "ids are unique");
    check(store.AddMappings({}).location != 0, "a process may have no mapping at all");
}

void FullDirectory() {
    PlainMemory memory;
    TableStore store(memory, kMiB);
    check(!store.AddDirectory(0).ok(), "no pages need no directory");
    check(!store.AddDirectory(DIRECTORY_PAGES + 1).ok(), "more pages than there are words are refused");
    uint32_t half = store.AddDirectory(DIRECTORY_PAGES / 2).value();
    uint32_t rest = store.AddDirectory(DIRECTORY_PAGES / 2).value();
    Result<uint32_t> more = store.AddDirectory(1);
    check(!more.ok() && more.status().message.find("of " + std::to_string(DIRECTORY_PAGES) + " are in use") !=
                            std::string::npos,
          "a full directory says so");
    store.DropDirectory(half, DIRECTORY_PAGES / 2);
    uint64_t waits = memory.waits();
    check(store.AddDirectory(100).ok() && memory.waits() == waits + 1,
          "words are reused when their readers are gone");
    store.DropDirectory(rest, 0xffffffff);
    store.DropDirectory(0xfffffff0, 100);
    check(!store.AddDirectory(DIRECTORY_PAGES / 2).ok(), "ranges out of bounds are not dropped");
}

void FullRules() {
    PlainMemory memory;
    TableStore store(memory, 64 * kMiB);
    uint32_t first = store.AddDirectory(100).value();
    bool placed = true;
    for (int32_t page = 0; page < 100; ++page) {
        std::vector<CfiRow> rows;
        for (int32_t i = 0; i < 2000; ++i) {
            rows.push_back({static_cast<uint16_t>(i), Rule(page * 2000 + i)});
        }
        placed &= store.SetPage(first + static_cast<uint32_t>(page), rows);
    }
    check(placed && store.stats().evicted > 50, "pages go when the rules are used up, too");
    check(store.stats().rules <= RULES_MAX, "rules are bounded");
    bool right = true;
    for (int32_t page = 0; page < 100; ++page) {
        uint32_t word = first + static_cast<uint32_t>(page);
        if (store.page_state(word) == PAGE_NOT_LOADED) continue;
        right &= Lookup(store, word, 7)->offset == page * 2000 + 7;
    }
    check(right, "the pages that stayed have their own rules");
}

void NoShards() {
    PlainMemory memory(1);
    TableStore store(memory, 64 * kMiB);
    uint32_t first = store.AddDirectory(600).value();
    bool placed = true;
    for (uint32_t page = 0; page < 600; ++page) {
        placed &= store.SetPage(first + page, Rows(1, 650, 25));
    }
    check(placed && store.stats().evicted > 0, "where the kernel gives no more shards, pages are evicted");
    PlainMemory nothing(0);
    TableStore empty(nothing, kMiB);
    check(!empty.SetPage(empty.AddDirectory(1).value(), Rows(1, 1)), "without any shard a page is refused");
    check(empty.shard(0) == nullptr && empty.AddMappings({}).location == 0, "and mappings are");
}

// Memory whose readers are real: WaitForReaders() returns when the reader was outside of a program once.
class WatchedMemory : public PlainMemory {
  public:
    void WaitForReaders() override {
        PlainMemory::WaitForReaders();
        uint64_t now = programs.load();
        while (now % 2 == 1 && programs.load() == now) {
            std::this_thread::yield();
        }
    }
    std::atomic<uint64_t> programs{0}; // odd: one runs
};

// A reader that never stops, while pages come and go at a tight budget: it must see whole pages only, each
// its own.
void ConcurrentReader() {
    constexpr uint32_t kPages = 512;
    WatchedMemory memory;
    TableStore store(memory, kMiB);
    uint32_t first = store.AddDirectory(kPages).value();
    store.SetPage(first, Rows(0, 10));
    const uint8_t *shard = store.shard(0);
    const unwind_rule *rules = store.rules();
    std::atomic<bool> stop{false};
    uint64_t read = 0, wrong = 0;
    std::thread reader([&] {
        std::mt19937 random(3);
        while (!stop.load()) {
            memory.programs.fetch_add(1);
            for (int i = 0; i < 20; ++i) {
                uint32_t page = random() % kPages;
                uint32_t state = __atomic_load_n(&store.directory()[first + page], __ATOMIC_ACQUIRE);
                if (state == PAGE_NOT_LOADED || state == PAGE_WITHOUT_ROWS) continue;
                auto *blob = reinterpret_cast<const page_blob *>(shard + LOCATION_OFFSET(state));
                const auto *row = reinterpret_cast<const unwind_row *>(blob + 1);
                uint32_t at = random() % blob->rows;
                wrong += row[at].lo != at || blob->bucket[BUCKETS] != blob->rows ||
                         rules[row[at].rule].offset != static_cast<int32_t>(page * 16 + at % 16);
                __atomic_store_n(&const_cast<page_blob *>(blob)->used, 1, __ATOMIC_RELAXED);
                ++read;
            }
            memory.programs.fetch_add(1);
        }
    });
    std::mt19937 random(4);
    for (int i = 0; i < 20000; ++i) {
        uint32_t page = random() % kPages;
        store.SetPage(first + page, Rows(static_cast<int32_t>(page), 1 + random() % 1200));
        if (i % 50 == 0) store.Reclaim();
    }
    stop = true;
    reader.join();
    check(wrong == 0, "a reader sees whole pages, each its own");
    check(read > 1000 && store.stats().evicted > 100, "and there was something to see");
}

} // namespace

int main() {
    Lookups();
    HostileRows();
    Eviction();
    FullOfMappings();
    FullDirectory();
    FullRules();
    NoShards();
    ConcurrentReader();
    return report();
}
