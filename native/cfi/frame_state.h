// What the call frame instructions have said so far: how to find the frame, and where it keeps the registers
// that we follow. Expressions are kept as bytes of the entry that they come from.
#pragma once

#include <vector>

#include "architecture.h"
#include "cursor.h"

namespace emberscope {

enum class Place : uint8_t {
    unset,
    same_value,
    undefined,
    at_cfa,        // in memory at CFA + offset
    cfa_value,     // the value is CFA + offset
    at_expression, // in memory at an expression
    expression_value,
    in_register, // in register `offset`
};

struct SavedRegister {
    Place place = Place::unset;
    int64_t offset = 0;
    Bytes expression;
};

struct FrameState {
    bool defined = false; // some instruction said where the CFA is
    bool by_expression = false;
    uint64_t base = 0;
    int64_t offset = 0;
    Bytes expression;
    SavedRegister frame_pointer, kept, return_address;

    // The rule of a DWARF register, nullptr for those we do not follow.
    SavedRegister *Find(const Architecture &architecture, uint64_t number) {
        if (number == architecture.frame_pointer) return &frame_pointer;
        if (number == architecture.return_address) return &return_address;
        return number == architecture.kept ? &kept : nullptr;
    }
};

} // namespace emberscope
