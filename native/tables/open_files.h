// The files that one thread reads rows from, opened once each: cache file first, the executable itself when
// the cache does not have a page. Least recently used ones are closed when their memory or their number grows
// too large.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tables/page_loader.h"
#include "tables/row_cache.h"

namespace emberscope {

struct ReadPage {
    std::vector<CfiRow> rows;
    std::string error;
    bool is_cached = false;      // it came from the cache
    std::optional<CacheKey> key; // where it is to be kept; none: nowhere
    uint32_t day = 0;            // of the cached page
};

class OpenFiles {
  public:
    // `memory` is kept at the bytes in use; at least one file stays open whatever it takes.
    OpenFiles(const RowCache &cache, const OpenRows &open, uint64_t budget_bytes,
              std::atomic<uint64_t> *memory);
    ~OpenFiles();

    // Rows of a file page, from the cache or parsed; they are valid (row_check.h).
    ReadPage Read(const std::shared_ptr<TableFile> &file, uint32_t page);
    // Pages of the file that the cache has, those asked for since `day`, the latest first, at most `limit`.
    std::vector<uint32_t> CachedPages(const std::shared_ptr<TableFile> &file, uint32_t day, size_t limit);
    // Closes the files that nobody else knows any more.
    void CloseForgotten();

  private:
    struct OpenFile {
        std::weak_ptr<TableFile> file; // whoever asks holds it: its descriptor is open then
        const TableFile *address = nullptr;
        std::optional<CacheKey> key;
        std::optional<CacheFile> cached;
        FileSource source;
        std::unique_ptr<FileRows> rows;
        std::string error; // why there are no rows
        uint64_t memory = 0;
    };
    using Place = std::list<OpenFile>::iterator;

    OpenFile &Open(const std::shared_ptr<TableFile> &file);
    void OpenExecutable(OpenFile *open, int fd);
    void Weigh(OpenFile *open);
    void Close(Place place);

    const RowCache &cache_;
    const OpenRows &open_;
    uint64_t budget_, used_ = 0;
    std::atomic<uint64_t> *memory_;
    std::list<OpenFile> files_; // most recently used first
    std::unordered_map<const TableFile *, Place> places_;
};

} // namespace emberscope
