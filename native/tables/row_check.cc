#include "tables/row_check.h"

namespace emberscope {

bool IsValidRule(const unwind_rule &rule) {
    constexpr unsigned kSavedBits = SAVED_FP_AT_CFA | SAVED_FP_AT_FP | SAVED_BX_AT_CFA | SAVED_BX_AT_FP |
                                    SAVED_RA_REGISTER | RULE_GUESSED;
    return rule.kind < RULE_KIND_COUNT && rule.base < REGISTER_COUNT && rule.ra_register < REGISTER_COUNT &&
           (rule.saved & ~kSavedBits) == 0;
}

bool AreValidRows(std::span<const CfiRow> rows) {
    if (rows.empty()) return true;
    if (rows.size() > kPageRowsMax || rows[0].lo != 0) return false;
    for (size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].lo >= TEXT_PAGE_BYTES || (i > 0 && rows[i].lo <= rows[i - 1].lo)) return false;
        if (!IsValidRule(rows[i].rule)) return false;
    }
    return true;
}

} // namespace emberscope
