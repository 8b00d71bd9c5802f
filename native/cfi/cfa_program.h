// The interpreter of call frame instructions.
#pragma once

#include "cie.h"
#include "row_source.h"

namespace emberscope {

// Runs a CIE's instructions into `cie->initial`; false when they are not what a CIE may hold.
bool RunInitial(Bytes instructions, const Architecture &architecture, Cie *cie);

// Adds the rows of a function that touch [start, end), ascending, to `rows`; false, with `rows` in any state,
// when its instructions up to `end` make no sense.
bool RunFunction(const Fde &fde, const Cie &cie, const PointerBases &bases, const Architecture &architecture,
                 uint64_t start, uint64_t end, std::vector<RowSpan> *rows);

} // namespace emberscope
