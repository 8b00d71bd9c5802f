// Pages on their way to the disk cache: any thread adds them, one writes them, when it has nothing better to
// do.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tables/handoff.h"
#include "tables/row_cache.h"

namespace emberscope {

class KeptPages {
  public:
    using Clock = std::chrono::steady_clock;

    // `bytes_max`: what may wait; pages beyond are counted as not written.
    KeptPages(const RowCache &cache, uint64_t bytes_max, FirstText *note)
        : cache_(cache), bytes_max_(bytes_max), note_(note) {}

    // Any thread. `rows` are valid (row_check.h).
    void Add(const CacheKey &key, uint32_t page, std::span<const CfiRow> rows);
    bool HasNew() const { return !added_.IsEmpty(); }
    uint64_t bytes() const { return bytes_.load(); }
    uint64_t written() const { return written_.load(); }
    uint64_t not_written() const { return not_written_.load(); }

    // The thread that writes. True when pages wait for their time.
    bool Collect();
    // Writes when it is time: after some quiet, or long after the first page, or when they take much memory.
    void WriteWhenDue(bool is_quiet);
    // Writes all, until the deadline; what is left then is counted.
    void WriteAll(Clock::time_point deadline);

  private:
    struct Added {
        CacheKey key;
        CachedPage page;
    };
    Status WriteFile(const CacheKey &key, const std::vector<CachedPage> &pages);

    const RowCache &cache_;
    const uint64_t bytes_max_;
    FirstText *note_;
    HandoffList<Added> added_;
    std::atomic<uint64_t> bytes_{0}, written_{0}, not_written_{0};
    std::unordered_map<std::string, std::pair<CacheKey, std::vector<CachedPage>>> files_; // by name
    Clock::time_point oldest_{}, newest_{}, not_before_{};
};

// Days since 1970.
uint32_t Today();

} // namespace emberscope
