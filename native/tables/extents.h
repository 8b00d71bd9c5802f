// Free ranges of a number line, best fit, neighbours joined again. The arena counts units of shards with it,
// the directory its words. Knows nothing of the memory it hands out; all of its own is ordinary.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace emberscope {

class Extents {
  public:
    // No range handed out crosses a multiple of `boundary` (0: there is none to respect).
    explicit Extents(uint32_t boundary) : boundary_(boundary) {}

    // Start of `size` numbers (not 0) that were free: from the smallest free range that holds them, the
    // lowest of those. Nothing when no range does.
    std::optional<uint32_t> Take(uint32_t size);
    // Makes [start, start + size) free, within a boundary and never free already: new numbers, or what was
    // taken.
    void Free(uint32_t start, uint32_t size);
    uint64_t free() const { return free_; }

  private:
    void Insert(uint32_t start, uint32_t size);
    void Erase(std::map<uint32_t, uint32_t>::iterator range);
    bool AreJoined(uint32_t end, uint32_t start) const;

    uint32_t boundary_;
    uint64_t free_ = 0;
    std::map<uint32_t, uint32_t> by_start_;           // start -> size
    std::set<std::pair<uint32_t, uint32_t>> by_size_; // the same as (size, start)
};

} // namespace emberscope
