// The shards and what is free in them. Things lie at multiples of ARENA_UNIT and never cross a shard; shards
// are made when they are needed, up to a number, and stay.
#pragma once

#include <cstdint>
#include <vector>

#include "tables/extents.h"
#include "tables/table_memory.h"

namespace emberscope {

class Arena {
  public:
    Arena(TableMemory &memory, uint32_t shards_max) : memory_(memory), shards_max_(shards_max) {}

    // Location of `bytes` that nobody uses, 0 when no shard has them free.
    uint32_t Take(uint64_t bytes);
    // One more shard. False: as many as there may be, or the kernel refused one since the last AllowGrowth().
    bool Grow();
    void AllowGrowth() { is_refused_ = false; }
    // Gives back what Take() gave for as many bytes.
    void Free(uint32_t location, uint64_t bytes);

    uint8_t *At(uint32_t location) const;
    const uint8_t *shard(uint32_t index) const { return index < shards_.size() ? shards_[index] : nullptr; }
    uint64_t shard_bytes() const { return static_cast<uint64_t>(shards_.size()) * SHARD_BYTES; }
    uint64_t taken() const { return taken_; }
    uint64_t taken_max() const { return taken_max_; }

  private:
    TableMemory &memory_;
    uint32_t shards_max_;
    bool is_refused_ = false;
    std::vector<uint8_t *> shards_;
    Extents units_{SHARD_BYTES / ARENA_UNIT}; // a unit's number is its location
    uint64_t taken_ = 0, taken_max_ = 0;      // bytes
};

} // namespace emberscope
