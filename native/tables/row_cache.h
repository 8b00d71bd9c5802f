// The disk cache of unwind rows: one file an executable (cache_format.h) in a directory that must be ours
// alone. Several profilers may use it at once: files are only ever replaced as a whole. What is damaged or
// not ours counts as absent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "file_reader.h"
#include "tables/cache_format.h"

namespace emberscope {

constexpr uint64_t kCacheBytesMax = 256 << 20;

// Const after construction, but for what it does to the disk; usable from two threads.
class RowCache {
  public:
    // Makes the directory (0700) when it is missing. '' is no cache.
    explicit RowCache(const std::string &directory, uint64_t bytes_max = kCacheBytesMax);

    bool IsUsable() const { return directory_.valid(); }
    // Why it is not usable, '' when it is or was not wanted.
    const std::string &note() const { return note_; }

    // Nothing for a file whose rows must not be kept: without a build id, or one that everybody may write.
    std::optional<CacheKey> KeyOf(int fd, const std::string &build_id) const;
    std::optional<CacheFile> Load(const CacheKey &key) const;
    // Writes these pages and those that the file has already; of two profilers that write at once the later
    // one wins, and the other's pages are parsed again some day. Errors: io.
    Status Store(const CacheKey &key, const std::vector<CachedPage> &pages) const;
    // Removes the files that were not used for longest until the rest fits, and what writers left that died.
    void Trim() const;

  private:
    Status Replace(const std::string &name, Bytes bytes) const;
    std::string path_;
    uint64_t bytes_max_;
    Fd directory_;
    std::string note_;
};

} // namespace emberscope
