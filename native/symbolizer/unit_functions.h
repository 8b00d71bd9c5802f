// Which function of a unit, and which functions inlined into it, an address belongs to. LLVM answers the same
// by a map of every inlined call of the unit; the ranges of those few calls that lead to the asked address
// are enough, and take half the time where a unit is big and the addresses are few.
#pragma once

#include <cstdint>
#include <vector>

#include "llvm/ADT/SmallVector.h"
#include "llvm/DebugInfo/DWARF/DWARFDie.h"
#include "llvm/DebugInfo/DWARF/DWARFUnit.h"

namespace emberscope {

using InlineChain = llvm::SmallVector<llvm::DWARFDie, 8>;

class UnitFunctions {
  public:
    explicit UnitFunctions(llvm::DWARFUnit *unit);
    // Innermost inlined call first, the function itself last; empty when no function covers the address.
    InlineChain Find(uint64_t address) const;

  private:
    struct Range {
        uint64_t low;
        uint64_t high;
        llvm::DWARFDie die;
    };
    std::vector<Range> ranges_;
};

} // namespace emberscope
