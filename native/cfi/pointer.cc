#include "pointer.h"

namespace emberscope {

namespace {

constexpr uint64_t kAddressBytes = 8;

void SkipToAligned(Cursor *cursor, uint64_t section) {
    const uint64_t beyond = (section + cursor->at()) % kAddressBytes;
    if (beyond) cursor->Block(kAddressBytes - beyond);
}

bool IsFormat(uint8_t encoding) {
    const uint8_t format = encoding & kPointerFormatMask;
    return format <= kPointerUdata8 || (format >= kPointerSleb && format <= kPointerSdata8);
}

} // namespace

uint64_t TakeUnbased(Cursor *cursor, uint8_t encoding) {
    switch (encoding & kPointerFormatMask) {
    case kPointerUleb:
        return cursor->Uleb();
    case kPointerSleb:
        return static_cast<uint64_t>(cursor->Sleb());
    case kPointerUdata2:
        return cursor->Take<uint16_t>();
    case kPointerSdata2:
        return static_cast<uint64_t>(int64_t{cursor->Take<int16_t>()});
    case kPointerUdata4:
        return cursor->Take<uint32_t>();
    case kPointerSdata4:
        return static_cast<uint64_t>(int64_t{cursor->Take<int32_t>()});
    default:
        return cursor->Take<uint64_t>();
    }
}

bool TakePointer(Cursor *cursor, uint8_t encoding, const PointerBases &bases, uint64_t *address) {
    if ((encoding & kPointerIndirect) || !IsFormat(encoding)) return false;
    uint64_t base = 0;
    switch (encoding & kPointerBaseMask) {
    case kPointerAbsolute:
        break;
    case kPointerPcrel:
        base = bases.section + cursor->at();
        break;
    case kPointerTextrel:
        base = bases.text;
        break;
    case kPointerDatarel:
        base = bases.data;
        break;
    case kPointerAligned:
        SkipToAligned(cursor, bases.section);
        break;
    default:
        return false; // relative to a function: only language data is
    }
    const uint8_t kind = encoding & kPointerBaseMask;
    if ((kind == kPointerTextrel || kind == kPointerDatarel) && base == 0) return false;
    *address = base + TakeUnbased(cursor, encoding);
    return cursor->ok();
}

} // namespace emberscope
