#include "tables/arena.h"

#include <algorithm>

namespace emberscope {

namespace {

constexpr uint32_t kShardUnits = SHARD_BYTES / ARENA_UNIT;
static_assert(LOCATION_SHARD(kShardUnits) == 1 && LOCATION_OFFSET(kShardUnits) == 0,
              "units counted through all shards are locations");

uint32_t Units(uint64_t bytes) {
    return static_cast<uint32_t>((bytes + ARENA_UNIT - 1) / ARENA_UNIT);
}

} // namespace

uint32_t Arena::Take(uint64_t bytes) {
    if (bytes == 0 || bytes > SHARD_BYTES) return 0;
    std::optional<uint32_t> location = units_.Take(Units(bytes));
    if (!location) return 0;
    taken_ += static_cast<uint64_t>(Units(bytes)) * ARENA_UNIT;
    taken_max_ = std::max(taken_max_, taken_);
    return *location;
}

bool Arena::Grow() {
    uint32_t index = static_cast<uint32_t>(shards_.size());
    if (is_refused_ || index >= shards_max_) return false;
    Result<uint8_t *> shard = memory_.AddShard(index);
    if (!shard.ok()) {
        is_refused_ = true;
        return false;
    }
    shards_.push_back(shard.value());
    // Location 0 says "not loaded" in a directory word, so nothing may lie there.
    uint32_t unused = index == 0 ? 1 : 0;
    units_.Free(index * kShardUnits + unused, kShardUnits - unused);
    return true;
}

void Arena::Free(uint32_t location, uint64_t bytes) {
    units_.Free(location, Units(bytes));
    taken_ -= static_cast<uint64_t>(Units(bytes)) * ARENA_UNIT;
}

uint8_t *Arena::At(uint32_t location) const {
    return shards_[LOCATION_SHARD(location)] + LOCATION_OFFSET(location);
}

} // namespace emberscope
