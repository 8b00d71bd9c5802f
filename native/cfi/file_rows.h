// The unwind rows of one ELF file, a text page at a time: .eh_frame through the sorted table of
// .eh_frame_hdr, else an index of our own over .eh_frame or .debug_frame (compressed too), and Go's
// .gopclntab. Reads by pread through small windows, keeps no section in memory. Const after Open() and safe
// to use from two threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "elf_file.h"
#include "tables.h"

namespace emberscope {

// In force from `lo` to the next row; rules by value, the table store gives them their index.
struct CfiRow {
    uint16_t lo;
    unwind_rule rule;
};

struct CfiSummary {
    std::string source; // ".eh_frame", ".debug_frame", ".gopclntab", joined by " + "; '' when there is none
    uint64_t functions = 0; // FDEs, or Go functions
    std::string note;       // what was left out and why, '' when all is in order
};

class FileRows {
  public:
    // `source` must outlive the rows. A file without tables is no error: every page is empty.
    // Errors: not_elf, corrupt (nothing usable), io.
    static Result<std::unique_ptr<FileRows>> Open(const ByteSource &source);
    virtual ~FileRows() = default;

    // File pages [first_page, first_page + pages) hold executable segments; others have no rows.
    virtual uint32_t first_page() const = 0;
    virtual uint32_t pages() const = 0;
    // Rows of file page `page` (file offsets [page << TEXT_PAGE_SHIFT, (page + 1) << TEXT_PAGE_SHIFT)), by
    // ascending lo, neighbours with equal rules merged, first row at lo 0. Empty when no table covers any
    // byte of the page. Errors: corrupt, io.
    virtual Result<std::vector<CfiRow>> Page(uint32_t page) const = 0;
    virtual CfiSummary Summary() const = 0;
    // Bytes of memory held (an own index), for the budget.
    virtual size_t memory() const = 0;
};

} // namespace emberscope
