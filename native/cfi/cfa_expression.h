// The DWARF expressions that compilers and linkers write into call frame information, recognized by what they
// compute instead of by their bytes.
#pragma once

#include "architecture.h"
#include "cursor.h"

namespace emberscope {

// Stands for the frame's CFA as a base, which a register's expression starts with.
constexpr uint64_t kCfaBase = UINT64_MAX - 1;

// base + offset; or, loaded, *(base + offset) + addend.
struct AddressShape {
    uint64_t base = kNoRegister; // kNoRegister: the number `offset`
    int64_t offset = 0;
    bool is_loaded = false;
    int64_t addend = 0;
};

// False when the expression computes anything else. `with_cfa`: the CFA is on the stack when it starts.
bool ReadAddressShape(Bytes expression, bool with_cfa, AddressShape *shape);

// The linker's expression for lazy binding stubs: sp + 8, and 8 more when (pc & 15) >= *threshold.
bool ReadPltShape(Bytes expression, uint8_t *threshold);

} // namespace emberscope
