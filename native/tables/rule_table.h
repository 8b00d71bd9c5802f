// The unwind rules that all pages share: 16-bit index by content, counted by how many pages hold each.
// Programs are a few thousand distinct rules however many they are, so a row needs four bytes instead of
// twenty.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "cfi/file_rows.h"

namespace emberscope {

class RuleTable {
  public:
    // `rules`: RULES_MAX of them, written here only and outliving the table. Rule 0 is RULE_NONE for ever.
    explicit RuleTable(unwind_rule *rules);

    // The rows of one page with their rules' indexes, each distinct rule counted once. Nothing, and nothing
    // counted, when there is no index left. Valid until the next call.
    std::optional<std::span<const unwind_row>> Hold(std::span<const CfiRow> rows);
    // Gives back what Hold() counted for a page with these rows. Its readers must be gone: an index that no
    // page holds is reused at once.
    void Release(std::span<const unwind_row> rows);
    uint32_t count() const { return count_; } // rule 0 included

  private:
    std::optional<uint16_t> Intern(const unwind_rule &rule);
    uint32_t SlotOf(const unwind_rule &rule) const;
    void Forget(uint16_t index);
    void LookAtNextPage();
    bool IsFirstSight(uint16_t index);

    unwind_rule *rules_;
    uint32_t count_ = 1;
    uint32_t sight_ = 0;              // number of the page being looked at
    std::vector<uint16_t> slots_;     // hash table of indexes, 0 = empty; twice RULES_MAX, so never full
    std::vector<uint32_t> pages_;     // by index: how many hold it
    std::vector<uint32_t> last_seen_; // by index: the page it was last met in
    std::vector<uint16_t> vacant_;    // indexes given back
    std::vector<unwind_row> held_;
};

} // namespace emberscope
