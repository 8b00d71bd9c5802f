#include "tables/rule_table.h"

#include <algorithm>
#include <cstring>

namespace emberscope {

namespace {

constexpr uint32_t kSlots = 2 * RULES_MAX;
static_assert((kSlots & (kSlots - 1)) == 0, "used as a mask");
static_assert(RULES_MAX <= 65536, "an index has 16 bits");

uint32_t HomeSlot(const unwind_rule &rule) {
    uint64_t words[2];
    std::memcpy(words, &rule, sizeof words);
    uint64_t mixed = (words[0] ^ (words[1] * 0x9e3779b97f4a7c15)) * 0xd6e8feb86659fd93;
    return static_cast<uint32_t>((mixed ^ (mixed >> 32)) * 0x2545f491 >> 8) & (kSlots - 1);
}

bool AreEqual(const unwind_rule &a, const unwind_rule &b) {
    return std::memcmp(&a, &b, sizeof a) == 0;
}

} // namespace

RuleTable::RuleTable(unwind_rule *rules)
    : rules_(rules), slots_(kSlots), pages_(RULES_MAX), last_seen_(RULES_MAX) {
    rules_[0] = unwind_rule{};
}

std::optional<std::span<const unwind_row>> RuleTable::Hold(std::span<const CfiRow> rows) {
    held_.clear();
    LookAtNextPage();
    for (const CfiRow &row : rows) {
        std::optional<uint16_t> index = Intern(row.rule);
        if (!index) {
            Release(held_);
            return std::nullopt;
        }
        if (IsFirstSight(*index)) ++pages_[*index];
        held_.push_back({row.lo, *index});
    }
    return held_;
}

void RuleTable::Release(std::span<const unwind_row> rows) {
    LookAtNextPage();
    for (const unwind_row &row : rows) {
        if (row.rule == 0 || row.rule >= RULES_MAX || !IsFirstSight(row.rule)) continue;
        if (--pages_[row.rule] == 0) Forget(row.rule);
    }
}

void RuleTable::LookAtNextPage() {
    if (++sight_ != 0) return;
    std::fill(last_seen_.begin(), last_seen_.end(), 0);
    sight_ = 1;
}

bool RuleTable::IsFirstSight(uint16_t index) {
    if (last_seen_[index] == sight_) return false;
    last_seen_[index] = sight_;
    return true;
}

// The slot that holds the rule, or the empty one where it belongs.
uint32_t RuleTable::SlotOf(const unwind_rule &rule) const {
    uint32_t slot = HomeSlot(rule);
    while (slots_[slot] != 0 && !AreEqual(rules_[slots_[slot]], rule)) {
        slot = (slot + 1) & (kSlots - 1);
    }
    return slot;
}

std::optional<uint16_t> RuleTable::Intern(const unwind_rule &rule) {
    if (rule.kind == RULE_NONE) return uint16_t{0};
    uint32_t slot = SlotOf(rule);
    if (slots_[slot] != 0) return slots_[slot];
    if (count_ == RULES_MAX) return std::nullopt;
    uint16_t index = static_cast<uint16_t>(count_);
    if (!vacant_.empty()) {
        index = vacant_.back();
        vacant_.pop_back();
    }
    ++count_;
    rules_[index] = rule;
    slots_[slot] = index;
    pages_[index] = 0;
    last_seen_[index] = 0;
    return index;
}

// Takes the rule out of the hash table: whatever follows it there moves up, unless it would then lie before
// its home.
void RuleTable::Forget(uint16_t index) {
    uint32_t hole = SlotOf(rules_[index]);
    for (uint32_t at = (hole + 1) & (kSlots - 1); slots_[at] != 0; at = (at + 1) & (kSlots - 1)) {
        uint32_t home = HomeSlot(rules_[slots_[at]]);
        uint32_t past_home = (at - home) & (kSlots - 1), past_hole = (at - hole) & (kSlots - 1);
        if (past_home < past_hole) continue;
        slots_[hole] = slots_[at];
        hole = at;
    }
    slots_[hole] = 0;
    vacant_.push_back(index);
    --count_;
}

} // namespace emberscope
