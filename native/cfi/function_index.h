// From an address to the functions there: the linker's sorted table (.eh_frame_hdr) as it lies in the file,
// or an index of our own, made by one pass over a section that has none.
#pragma once

#include <memory>
#include <vector>

#include "elf_file.h"
#include "cie.h"

namespace emberscope {

struct IndexedFunction {
    uint64_t start; // ELF address
    uint64_t at;    // section offset of its FDE
};

class FunctionIndex {
  public:
    virtual ~FunctionIndex() = default;
    virtual uint64_t size() const = 0;
    virtual size_t memory() const = 0;
    // Functions that start in [start, end), and the last one before, which may reach into it; ascending.
    // Error: corrupt, when they are more than any page can hold.
    virtual Result<std::vector<IndexedFunction>> Find(uint64_t start, uint64_t end) const = 0;
};

// Where PT_GNU_EH_FRAME or the section .eh_frame_hdr says that .eh_frame lies.
struct FrameHeader {
    uint64_t section_address = 0; // of .eh_frame
    uint64_t table = 0;           // file offset of the sorted table
    uint64_t count = 0;           // its entries; 0: there is none that can be used
    uint64_t base = 0;            // what the table's numbers count from
};

// False when there is none, or no usable one.
bool ReadFrameHeader(const ElfFile &file, FrameHeader *header);

// The index over the linker's table; null when it is not sorted, so that no search could trust it. One pass
// over the table, none over the entries.
std::unique_ptr<FunctionIndex> OpenSortedTable(const FrameSection &section, const FrameHeader &header);

// One pass over the entries. `note` gets what was left out; `whole`: a terminator is only skipped.
std::unique_ptr<FunctionIndex> ScanSection(const FrameSection &section, const Architecture &architecture,
                                           bool whole, std::string *note);

} // namespace emberscope
