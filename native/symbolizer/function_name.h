// The name of a function from its DWARF entry, followed through abstract origins and declarations, also where
// dwz moved those into an alternate file. LLVM's own lookup stops at that border and prints a word for it.
#pragma once

#include <cstdint>
#include <string>

#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/DebugInfo/DWARF/DWARFDie.h"

namespace emberscope {

struct FunctionName {
    // Linkage name where there is one, else the source name with its namespaces and classes; '' when none is
    // known.
    std::string text;
    // 1-based line of the declaration, 0 when unknown.
    uint64_t start_line = 0;
    // True when a name exists but lies in an alternate file that was not given.
    bool in_missing_alternate = false;
};

// `alternate` may be null.
FunctionName NameFunction(llvm::DWARFDie die, llvm::DWARFContext *alternate);

} // namespace emberscope
