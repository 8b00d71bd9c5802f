#include "cie.h"

#include "cfa_program.h"

namespace emberscope {

namespace {

constexpr uint64_t kMaxCie = 64 * 1024;
constexpr size_t kMaxAugmentation = 16;

std::string ToText(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}

// The letters behind 'z', each with its piece of augmentation data. False at one whose meaning is unknown: so
// is then where the data of the next one starts.
bool ReadAugmentation(const std::string &letters, const PointerBases &bases, Cursor *cursor, Cie *cie) {
    for (char letter : letters) {
        if (letter == 'R') {
            cie->pointer_encoding = cursor->Take<uint8_t>();
        } else if (letter == 'P') {
            const auto encoding = cursor->Take<uint8_t>();
            uint64_t personality = 0;
            // Only skipped, so that nothing is refused for where it lies.
            const bool is_aligned = (encoding & kPointerBaseMask) == kPointerAligned;
            if (is_aligned) TakePointer(cursor, encoding & ~kPointerIndirect, bases, &personality);
            else if (encoding != kPointerOmitted) TakeUnbased(cursor, encoding);
        } else if (letter == 'L') {
            cursor->Take<uint8_t>();
        } else if (letter == 'S') {
            cie->is_signal_frame = true;
        } else if (letter != 'B' && letter != 'G') { // arm64: keys of return addresses, tagged stacks
            return false;
        }
    }
    return cursor->ok();
}

bool ReadVersion(Cursor *cursor, uint8_t version) {
    if (version != 4) return version == 1 || version == 3;
    const auto address_size = cursor->Take<uint8_t>();
    return address_size == 8 && cursor->Take<uint8_t>() == 0;
}

// Everything before the initial instructions.
bool ReadHead(const PointerBases &bases, const Architecture &architecture, Cursor *cursor, Cie *cie) {
    const auto version = cursor->Take<uint8_t>();
    const std::string augmentation = ToText(cursor->String(kMaxAugmentation));
    if (!cursor->ok() || !ReadVersion(cursor, version)) return false;
    if (augmentation == "eh") cursor->Take<uint64_t>(); // GCC 2: a pointer to exception ranges
    cie->code_alignment = cursor->Uleb();
    cie->data_alignment = cursor->Sleb();
    const uint64_t column = version == 1 ? cursor->Take<uint8_t>() : cursor->Uleb();
    cie->has_augmentation_data = !augmentation.empty() && augmentation[0] == 'z';
    cie->locates = cursor->ok();
    if (cie->has_augmentation_data) {
        const Bytes data = cursor->Block(cursor->Uleb());
        PointerBases at = bases;
        at.section += cursor->at() - data.size();
        Cursor letters(data);
        cie->locates = ReadAugmentation(augmentation.substr(1), at, &letters, cie);
        if (!cie->locates) return false;
    } else if (!augmentation.empty() && augmentation != "eh") {
        return false;
    }
    return cursor->ok() && column == architecture.return_address;
}

} // namespace

Cie ReadCie(FrameReader *reader, const Architecture &architecture, uint64_t at) {
    Cie cie;
    cie.at = at;
    FrameEntry entry;
    if (!reader->ReadEntry(at, &entry) || !entry.is_cie || entry.body_size > kMaxCie) return cie;
    const Bytes body = reader->ReadBody(entry, kMaxCie);
    cie.bytes.assign(body.begin(), body.end());
    PointerBases bases = reader->section().bases;
    bases.section += entry.body;
    Cursor cursor(cie.bytes);
    if (!ReadHead(bases, architecture, &cursor, &cie)) return cie;
    const Bytes instructions = Bytes(cie.bytes).subspan(cursor.at());
    cie.usable = cie.bytes.size() == entry.body_size && RunInitial(instructions, architecture, &cie);
    return cie;
}

bool ReadFde(const FrameSection &section, const FrameEntry &entry, const Cie &cie, Bytes body, Fde *fde) {
    if (!cie.locates) return false;
    PointerBases bases = section.bases;
    bases.section += entry.body;
    Cursor cursor(body);
    if (!TakePointer(&cursor, cie.pointer_encoding, bases, &fde->start)) return false;
    const uint64_t size = TakeUnbased(&cursor, cie.pointer_encoding);
    if (!cursor.ok() || size > UINT64_MAX - fde->start) return false;
    fde->end = fde->start + size;
    if (cie.has_augmentation_data) cursor.Block(cursor.Uleb());
    fde->instructions_at = bases.section + cursor.at();
    fde->usable = cursor.ok() && body.size() == entry.body_size;
    fde->instructions = fde->usable ? body.subspan(cursor.at()) : Bytes();
    return true;
}

const Cie &CieCache::Find(uint64_t at) {
    for (const Cie &cie : cies_) {
        if (cie.at == at) return cie;
    }
    Cie cie = ReadCie(&reader_, *architecture_, at);
    if (cies_.size() < kCapacity) return cies_.emplace_back(std::move(cie));
    oldest_ = (oldest_ + 1) % kCapacity;
    return cies_[oldest_] = std::move(cie);
}

} // namespace emberscope
