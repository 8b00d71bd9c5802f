// .eh_frame and .debug_frame as a chain of entries: where each starts, what it belongs to. The content of
// entries is read by cie.h and cfa_program.h.
#pragma once

#include <vector>

#include "file_reader.h"
#include "pointer.h"

namespace emberscope {

struct FrameSection {
    const ByteSource *source = nullptr;
    uint64_t offset = 0; // in the source
    uint64_t size = 0;
    bool is_eh = true;  // .eh_frame: relative CIE pointers, encoded addresses
    PointerBases bases; // `section`: ELF address of its first byte

    // The section offset of an ELF address, false when it lies elsewhere.
    bool OffsetOf(uint64_t address, uint64_t *at) const {
        if (address < bases.section || address - bases.section >= size) return false;
        *at = address - bases.section;
        return true;
    }
};

// One CIE or FDE, by section offsets.
struct FrameEntry {
    uint64_t at = 0;
    uint64_t next = 0; // the entry behind it
    uint64_t body = 0; // behind length and id
    uint64_t body_size = 0;
    bool is_cie = false;
    bool is_terminator = false; // a zero length: the linker's end mark, but also between merged tables
    uint64_t cie = 0;           // of an FDE
};

// Reads entries through a window; bodies stay valid until the next call.
class FrameReader {
  public:
    explicit FrameReader(const FrameSection &section)
        : section_(&section), window_(*section.source, kWindow) {}

    const FrameSection &section() const { return *section_; }
    // False when no whole entry lies at `at`.
    bool ReadEntry(uint64_t at, FrameEntry *entry);
    // At most `limit` bytes of the body; fewer when the file ends before.
    Bytes ReadBody(const FrameEntry &entry, uint64_t limit);

  private:
    static constexpr size_t kWindow = 4 * 1024;
    const FrameSection *section_;
    WindowReader window_;
    std::vector<uint8_t> large_; // a body that no window holds
};

} // namespace emberscope
