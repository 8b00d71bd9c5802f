// Common information entries: what the functions of one object file share. And the head of an FDE, which
// cannot be read without one.
#pragma once

#include <vector>

#include "frame_section.h"
#include "frame_state.h"

namespace emberscope {

struct Cie {
    Cie() = default;
    Cie(Cie &&) = default;
    Cie &operator=(Cie &&) = default;
    Cie(const Cie &) = delete; // `initial` points into `bytes`
    Cie &operator=(const Cie &) = delete;
    ~Cie() = default;

    uint64_t at = 0;
    bool usable = false;  // false: its functions cannot be followed
    bool locates = false; // false: not even their addresses can be read
    uint64_t code_alignment = 1;
    int64_t data_alignment = 1;
    uint8_t pointer_encoding = kPointerAbsolute;
    bool has_augmentation_data = false;
    bool is_signal_frame = false;
    FrameState initial;
    std::vector<uint8_t> bytes; // what `initial` points into
};

// Never fails: what cannot be read is a CIE that locates nothing.
Cie ReadCie(FrameReader *reader, const Architecture &architecture, uint64_t at);

// One function's frame information.
struct Fde {
    uint64_t start = 0, end = 0; // ELF addresses
    bool usable = false;         // false: only the range could be read
    Bytes instructions;
    uint64_t instructions_at = 0; // ELF address of their first byte
};

// False when there is no address range to be had. `body` is the entry's, cut or whole.
bool ReadFde(const FrameSection &section, const FrameEntry &entry, const Cie &cie, Bytes body, Fde *fde);

// The few CIEs that a page of functions needs, each read once.
class CieCache {
  public:
    CieCache(const FrameSection &section, const Architecture &architecture)
        : reader_(section), architecture_(&architecture) {}
    // Valid until the next call.
    const Cie &Find(uint64_t at);

  private:
    static constexpr size_t kCapacity = 64;
    FrameReader reader_;
    const Architecture *architecture_;
    std::vector<Cie> cies_;
    size_t oldest_ = 0;
};

} // namespace emberscope
