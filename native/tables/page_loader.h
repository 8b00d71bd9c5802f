// Parses text pages on a thread of its own at idle priority (SCHED_IDLE), from the disk cache where it can.
// The thread that drains asks, and takes what is ready; neither ever waits for the other. What the disk cache
// has of a file it has by build id, size and owner; see cache_format.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cfi/file_rows.h"

namespace emberscope {

// The directory of a file that was dropped: its pages have no place to go to any more.
constexpr uint32_t kNoDirectory = 0xffffffff;

// A file whose rows can be loaded; shared by the tracker and the loader. The descriptor stays open. The
// loader's thread reads all of it but `directory`, so nothing else may change once a page was asked for.
struct TableFile {
    Fd fd;
    std::string build_id;   // hex, '' when it has none: then it is never cached on disk
    std::string path;       // for messages only
    uint32_t directory = 0; // first directory word; its words are file pages first_page, first_page + 1, ...
    uint32_t first_page = 0, pages = 0;
};

struct LoadedPage {
    std::shared_ptr<TableFile> file;
    uint32_t page = 0;        // file page
    std::vector<CfiRow> rows; // valid as row_check.h says
    std::string error;        // '' or why there are none; such a page is published as without rows
};

struct LoaderStats {
    uint64_t parsed = 0, from_cache = 0, failed = 0;
    uint64_t refused = 0; // asked while too many were
    uint64_t bytes =
        0; // in use now: indexes, cache files, pages that nobody took yet or that wait for the disk
    uint64_t written = 0;     // pages, to the disk cache
    uint64_t not_written = 0; // pages, for want of room, rights or time
};

// FileRows::Open, or what a test has in its place.
using OpenRows = std::function<Result<std::unique_ptr<FileRows>>(const ByteSource &source)>;

class PageLoader {
  public:
    // `cache_directory`: '' for none; it is made when missing, and ignored (with a note) when it is not ours
    // alone. `budget_bytes`: of LoaderStats.bytes; the file that is being read may go beyond by its own
    // index.
    PageLoader(const std::string &cache_directory, uint64_t budget_bytes, OpenRows open = FileRows::Open);
    ~PageLoader(); // writes the cache of what was loaded, within two seconds

    // Asks for a page; asking again costs a lookup. `is_urgent` puts it first. False: no page of the file, or
    // too many are asked for.
    bool Ask(const std::shared_ptr<TableFile> &file, uint32_t page, bool is_urgent);
    // Asks for the pages that samples went through lately, of those that the disk cache has of this file.
    void AskCached(const std::shared_ptr<TableFile> &file);
    // What is ready since the last call; never waits for the thread. A page may come unasked.
    std::vector<LoadedPage> Take();
    // Parses up to `pages` asked pages in the calling thread: on a busy host an idle thread gets no time.
    void Help(uint32_t pages);
    // True when nothing is asked, in work or ready.
    bool IsIdle() const;
    LoaderStats stats() const;
    // What is wrong with the cache, '' when nothing is.
    std::string note() const;

  private:
    struct State;
    std::shared_ptr<State> state_; // the thread's too
};

} // namespace emberscope
