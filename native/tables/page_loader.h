// Parses text pages on a thread of its own at idle priority (SCHED_IDLE), from the disk cache where it can.
// The thread that drains asks, and takes what is ready; neither waits for the other, but for Settle() and
// Help().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cfi/file_rows.h"

namespace emberscope {

// A file whose rows can be loaded; shared by the tracker and the loader. The descriptor stays open.
struct TableFile {
    Fd fd;
    std::string build_id;   // hex, '' when it has none: then it is never cached on disk
    std::string path;       // for messages only
    uint32_t directory = 0; // first directory word; its words are file pages first_page, first_page + 1, ...
    uint32_t first_page = 0, pages = 0;
};

struct LoadedPage {
    std::shared_ptr<TableFile> file;
    uint32_t page = 0; // file page
    std::vector<CfiRow> rows;
    std::string error; // '' or why there are none; such a page is published as without rows
};

struct LoaderStats {
    uint64_t parsed = 0, from_cache = 0, failed = 0, bytes = 0;
};

class PageLoader {
  public:
    // `cache_directory`: '' for none; it is made when missing, and ignored (with a note) when it is not ours
    // alone. `budget_bytes`: memory of indexes and cached files.
    PageLoader(std::string cache_directory, uint64_t budget_bytes);
    ~PageLoader(); // writes the cache of what was loaded, unless there is none

    // Asks for a page; asking again costs a lookup. `is_urgent` puts it first.
    void Ask(const std::shared_ptr<TableFile> &file, uint32_t page, bool is_urgent);
    // Asks for every page that the disk cache has of this file.
    void AskCached(const std::shared_ptr<TableFile> &file);
    // What is ready since the last call; never waits for the thread.
    std::vector<LoadedPage> Take();
    // Parses up to `pages` asked pages in the calling thread: on a busy host an idle thread gets no time.
    void Help(uint32_t pages);
    // True when nothing is asked or in work.
    bool IsIdle() const;
    LoaderStats stats() const;
    std::string note() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace emberscope
