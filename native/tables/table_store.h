// Writer of the unwind tables: places blobs and mapping tables in the arena, shares rules by reference count,
// gives files their range of the directory, and evicts what was not used when the budget is reached. Owned by
// the thread that drains; no locks, no reading of files. Pages arrive already parsed (see page_loader.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "cfi/file_rows.h"
#include "tables/table_memory.h"

namespace emberscope {

struct TableStats {
    uint64_t kernel_bytes = 0;                    // shards in use, by what is allocated in them
    uint64_t kernel_bytes_max = 0;                // the most it ever was
    uint64_t shard_bytes = 0;                     // shards as the kernel charges them
    uint64_t pages = 0, evicted = 0, refused = 0; // loaded now; so far; for want of room
    uint64_t rules = 0, mapping_tables = 0;
};

class TableStore {
  public:
    // `budget_bytes`: of shards, at least one.
    TableStore(TableMemory &memory, uint64_t budget_bytes);
    ~TableStore();

    // A range of `pages` directory words for a file; the first word's index, or an error when the directory
    // is full.
    Result<uint32_t> AddDirectory(uint32_t pages);
    // Unpublishes and frees every page of the range.
    void DropDirectory(uint32_t first, uint32_t pages);

    // Publishes the rows of directory word `word`. False: no room, counted as refused.
    bool SetPage(uint32_t word, std::span<const CfiRow> rows);
    uint32_t page_state(uint32_t word) const; // PAGE_NOT_LOADED, PAGE_WITHOUT_ROWS or a location

    // Copies the mappings into the arena. Location and id for a process_entry; location 0: no room.
    struct Placed {
        uint32_t location, id;
    };
    Placed AddMappings(std::span<const unwind_mapping> mappings);
    void DropMappings(Placed placed);

    // For the user-space build of the unwinder.
    const uint8_t *shard(uint32_t index) const; // nullptr when there is none
    const unwind_rule *rules() const;
    const uint32_t *directory() const;
    TableStats stats() const;

    // Frees what was given back and whose readers are gone; call it once a turn.
    void Reclaim();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace emberscope
