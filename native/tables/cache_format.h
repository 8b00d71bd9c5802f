// A file of the disk cache: rows of one executable, page by page, each page with its own rules. Pure bytes to
// and from memory; whatever is read is checked as a whole before a row of it is used, as anything may lie on
// a disk.
//
//   cache_header
//   cache_index[pages]           by ascending page
//   for each page: unwind_rule[rules], unwind_row[rows]    rows point into the page's rules
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cfi/file_rows.h"

namespace emberscope {

// The executable that rows belong to. A file's owner could give it any build id: the rows of his files are
// his own.
struct CacheKey {
    std::string build_id; // hex, at most 64 digits
    uint64_t file_bytes = 0;
    uint32_t owner = 0;
    bool operator==(const CacheKey &) const = default;
    // Name of its file in the cache directory.
    std::string FileName() const;
};

// One page, pointing into a CachedPage or a file's bytes.
struct PageView {
    uint32_t page = 0;
    uint32_t day = 0; // since 1970: when a sample last asked for it
    std::span<const unwind_rule> rules;
    std::span<const unwind_row> rows;
};

// One page with memory of its own: a sixth of the rows by value.
struct CachedPage {
    uint32_t page = 0, day = 0;
    std::vector<unwind_rule> rules;
    std::vector<unwind_row> rows;
    // `rows` are valid (row_check.h).
    static CachedPage Of(uint32_t page, uint32_t day, std::span<const CfiRow> rows);
    PageView view() const { return {page, day, rules, rows}; }
    size_t memory() const;
};

constexpr size_t kCacheFileBytesMax = 16 << 20;

class CacheFile {
  public:
    // The pages in `bytes`, or nothing when any of them is not what was written for this key.
    static std::optional<CacheFile> Read(std::vector<uint8_t> bytes, const CacheKey &key);
    // Bytes of a file; of pages beyond its largest size the ones asked for longest ago are left out. `pages`:
    // each once.
    static std::vector<uint8_t> Write(const CacheKey &key, std::vector<PageView> pages);

    const std::vector<PageView> &pages() const { return pages_; }
    // nullptr when it is not there.
    const PageView *Find(uint32_t page) const;
    size_t memory() const { return bytes_.size() + pages_.size() * sizeof(PageView); }

  private:
    std::vector<uint8_t> bytes_;
    std::vector<PageView> pages_; // by page
};

// Sets the checksum of a file's bytes. It finds damage, not malice: that is what the other checks of Read()
// are for.
void Seal(std::vector<uint8_t> *bytes);

// The rows by value again.
std::vector<CfiRow> RowsOf(const PageView &page);

} // namespace emberscope
