// Addresses as exception tables encode them: a format, and what the number counts from.
#pragma once

#include "cursor.h"

namespace emberscope {

enum PointerEncoding : uint8_t {
    kPointerAbsolute = 0x00,
    kPointerUleb = 0x01,
    kPointerUdata2 = 0x02,
    kPointerUdata4 = 0x03,
    kPointerUdata8 = 0x04,
    kPointerSleb = 0x09,
    kPointerSdata2 = 0x0a,
    kPointerSdata4 = 0x0b,
    kPointerSdata8 = 0x0c,
    kPointerFormatMask = 0x0f,
    kPointerPcrel = 0x10,
    kPointerTextrel = 0x20,
    kPointerDatarel = 0x30,
    kPointerFuncrel = 0x40,
    kPointerAligned = 0x50,
    kPointerBaseMask = 0x70,
    kPointerIndirect = 0x80, // the number is where the address lies at run time: refused
    kPointerOmitted = 0xff,
};

// What encoded pointers of a table may count from; zero where the file does not say.
struct PointerBases {
    uint64_t section = 0; // ELF address of the cursor's byte 0
    uint64_t text = 0;
    uint64_t data = 0;
};

// The number without its base: for sizes, and to skip.
uint64_t TakeUnbased(Cursor *cursor, uint8_t encoding);
// ELF address; false (cursor in any state) for an encoding or a base that cannot be resolved.
bool TakePointer(Cursor *cursor, uint8_t encoding, const PointerBases &bases, uint64_t *address);

} // namespace emberscope
