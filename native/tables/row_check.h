// What the rows of a page must be before anything relies on them: rows come from files that anybody wrote.
#pragma once

#include <span>

#include "cfi/file_rows.h"

namespace emberscope {

// A page holds at most this many: one for each byte, and its bucket index has 16 bits.
constexpr size_t kPageRowsMax = TEXT_PAGE_BYTES < 0x10000 ? TEXT_PAGE_BYTES : 0xffff;

// A kind, registers and saved registers that exist.
bool IsValidRule(const unwind_rule &rule);

// None, or at most kPageRowsMax: the first at lo 0, ascending and in the page, each with a valid rule.
bool AreValidRows(std::span<const CfiRow> rows);

} // namespace emberscope
