// The arena against a model: a set of units that are taken.
// sources: native/tables/arena.cc native/tables/extents.cc
#include <random>
#include <vector>

#include "check.h"
#include "tables/arena.h"
#include "tables/plain_memory.h"

using namespace emberscope;

namespace {

constexpr uint32_t kShardUnits = SHARD_BYTES / ARENA_UNIT;

struct Taken {
    uint32_t location;
    uint64_t bytes;
};

uint32_t Units(uint64_t bytes) {
    return static_cast<uint32_t>((bytes + ARENA_UNIT - 1) / ARENA_UNIT);
}

// Every unit belongs to one thing at most, things stay within a shard, and what was taken adds up.
struct Model {
    std::vector<bool> units = std::vector<bool>(4 * kShardUnits);
    std::vector<Taken> things;
    uint64_t bytes = 0;
    bool overlapped = false, crossed = false;

    void Take(Taken thing) {
        uint32_t count = Units(thing.bytes);
        crossed |= LOCATION_SHARD(thing.location) != LOCATION_SHARD(thing.location + count - 1);
        for (uint32_t unit = thing.location; unit < thing.location + count; ++unit) {
            overlapped |= units[unit];
            units[unit] = true;
        }
        bytes += uint64_t{count} * ARENA_UNIT;
        things.push_back(thing);
    }
    Taken Free(size_t index) {
        Taken thing = things[index];
        things[index] = things.back();
        things.pop_back();
        for (uint32_t i = 0; i < Units(thing.bytes); ++i) {
            units[thing.location + i] = false;
        }
        bytes -= uint64_t{Units(thing.bytes)} * ARENA_UNIT;
        return thing;
    }
};

void RandomOperations(uint32_t seed) {
    PlainMemory memory;
    Arena arena(memory, 4);
    Model model;
    std::mt19937 random(seed);
    uint64_t most = 0;
    for (int i = 0; i < 40000; ++i) {
        bool takes = model.things.empty() || random() % 100 < (i / 5000 % 2 == 0 ? 70U : 30U);
        if (!takes) {
            Taken thing = model.Free(random() % model.things.size());
            arena.Free(thing.location, thing.bytes);
            continue;
        }
        uint64_t bytes = 1 + random() % (random() % 50 == 0 ? 300000 : 6000);
        uint32_t location = arena.Take(bytes);
        if (location == 0 && arena.Grow()) location = arena.Take(bytes);
        if (location != 0) model.Take({location, bytes});
        most = std::max(most, model.bytes);
        if (arena.taken() != model.bytes) break;
    }
    check(!model.overlapped, "no two things share a unit");
    check(!model.crossed, "no thing crosses a shard");
    check(arena.taken() == model.bytes && arena.taken_max() == most, "what is taken adds up");
    check(arena.shard_bytes() <= 4 * SHARD_BYTES, "no more shards than allowed");
    while (!model.things.empty()) {
        Taken thing = model.Free(0);
        arena.Free(thing.location, thing.bytes);
    }
    check(arena.taken() == 0, "everything freed is free");
    bool whole = arena.Take(SHARD_BYTES - ARENA_UNIT) != 0;
    for (uint64_t shard = 1; shard < arena.shard_bytes() / SHARD_BYTES; ++shard) {
        whole &= arena.Take(SHARD_BYTES) != 0;
    }
    check(whole, "freed neighbours join into whole shards again");
}

void Limits() {
    PlainMemory memory(2);
    Arena arena(memory, 64);
    check(arena.Take(16) == 0, "without a shard there is no room");
    check(arena.Grow() && arena.Take(SHARD_BYTES) == 0, "shard 0 has no room for a whole shard");
    check(arena.Take(1) == 1, "the first unit of shard 0 stays unused");
    check(arena.Take(0) == 0 && arena.Take(SHARD_BYTES + 1) == 0,
          "nothing, and more than a shard, are refused");
    check(arena.Grow() && arena.Take(SHARD_BYTES) == kShardUnits, "a whole shard can be one thing");
    check(!arena.Grow() && arena.shard_bytes() == 2 * SHARD_BYTES,
          "a shard that the kernel refuses is no shard");
    check(arena.Take(uint64_t{1} << 40) == 0, "sizes beyond 32 bits are refused");
}

void BestFit() {
    Extents extents(0);
    extents.Free(0, 10);
    extents.Free(20, 4);
    extents.Free(30, 5);
    check(extents.Take(4) == 20u, "the smallest range that fits is taken");
    check(extents.Take(5) == 30u, "exactly fitting ranges vanish");
    check(extents.Take(11) == std::nullopt && extents.free() == 10, "what does not fit changes nothing");
    extents.Free(10, 3);
    check(extents.Take(13) == 0u, "neighbours are joined");
}

} // namespace

int main() {
    for (uint32_t seed = 1; seed <= 5; ++seed) {
        RandomOperations(seed);
    }
    Limits();
    BestFit();
    return report();
}
