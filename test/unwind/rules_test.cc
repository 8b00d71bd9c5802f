// Indexes and reference counts of rules, against a model by content.
// sources: native/tables/rule_table.cc
#include <map>
#include <random>
#include <set>
#include <vector>

#include "check.h"
#include "tables/rule_table.h"

using namespace emberscope;

namespace {

unwind_rule Rule(int32_t offset) {
    return {.kind = RULE_CFA, .base = REGISTER_SP, .offset = offset, .ra_offset = -8};
}

std::vector<CfiRow> Rows(const std::vector<int32_t> &offsets) {
    std::vector<CfiRow> rows;
    for (int32_t offset : offsets) {
        rows.push_back({static_cast<uint16_t>(rows.size()), Rule(offset)});
    }
    return rows;
}

using Held = std::vector<unwind_row>;

Held Hold(RuleTable *table, const std::vector<int32_t> &offsets) {
    auto held = table->Hold(Rows(offsets));
    return held ? Held(held->begin(), held->end()) : Held();
}

void Sharing() {
    std::vector<unwind_rule> memory(RULES_MAX);
    RuleTable table(memory.data());
    Held first = Hold(&table, {8, 16, 8, 24});
    check(table.count() == 4 && first[0].rule == first[2].rule, "equal rules have one index");
    Held second = Hold(&table, {16, 16, 16});
    check(second[0].rule == first[1].rule, "pages share rules");
    table.Release(second);
    check(table.count() == 4, "a page counts a rule once however often it uses it");
    table.Release(first);
    check(table.count() == 1, "rules that no page holds are free");
    std::vector<CfiRow> none = {{0, {}}, {8, {.kind = RULE_NONE, .base = 3, .offset = 99}}};
    auto held = table.Hold(none);
    check(held && (*held)[0].rule == 0 && (*held)[1].rule == 0 && table.count() == 1, "no row is rule 0");
    check(memory[0].kind == RULE_NONE, "rule 0 is RULE_NONE");
}

void Full() {
    std::vector<unwind_rule> memory(RULES_MAX);
    RuleTable table(memory.data());
    std::vector<Held> pages;
    for (int32_t page = 0; page * 1000 < RULES_MAX - 1000; ++page) {
        std::vector<int32_t> offsets;
        for (int32_t i = 0; i < 1000; ++i) {
            offsets.push_back(page * 1000 + i);
        }
        pages.push_back(Hold(&table, offsets));
    }
    uint32_t count = table.count();
    std::vector<int32_t> many;
    for (int32_t i = 0; i < 2000; ++i) {
        many.push_back(1'000'000 + i);
    }
    check(Hold(&table, many).empty(), "a page that needs more rules than are left is refused");
    check(table.count() == count, "and leaves none behind");
    many.resize(RULES_MAX - count);
    Held last = Hold(&table, many);
    check(!last.empty() && table.count() == RULES_MAX, "the last index can be used");
    check(Hold(&table, {-1}).empty(), "one more rule is refused");
    check(!Hold(&table, {5, 6, 1'000'000}).empty(), "a page of known rules still fits");
    table.Release(pages[3]);
    check(table.count() == RULES_MAX - 1000, "indexes come back");
    check(!Hold(&table, {-1, -2}).empty(), "and are used again");
    std::set<uint16_t> indexes;
    for (const unwind_row &row : pages[4]) {
        indexes.insert(row.rule);
    }
    bool kept = true;
    for (const unwind_row &row : pages[4]) {
        kept &= memory[row.rule].offset == 4000 + row.lo;
    }
    check(indexes.size() == 1000 && kept, "rules of other pages stay what they were");
}

void RandomPages(uint32_t seed) {
    std::vector<unwind_rule> memory(RULES_MAX);
    RuleTable table(memory.data());
    std::mt19937 random(seed);
    std::vector<std::pair<std::vector<int32_t>, Held>> pages;
    std::map<int32_t, int> references;
    bool agrees = true;
    for (int i = 0; i < 3000 && agrees; ++i) {
        if (!pages.empty() && random() % 100 < 48) {
            size_t chosen = random() % pages.size();
            std::swap(pages[chosen], pages.back());
            table.Release(pages.back().second);
            for (int32_t offset : std::set(pages.back().first.begin(), pages.back().first.end())) {
                if (--references[offset] == 0) references.erase(offset);
            }
            pages.pop_back();
        } else {
            std::vector<int32_t> offsets(1 + random() % 60);
            for (int32_t &offset : offsets) {
                offset = static_cast<int32_t>(random() % 700) * 8;
            }
            pages.emplace_back(offsets, Hold(&table, offsets));
            for (int32_t offset : std::set(offsets.begin(), offsets.end())) {
                ++references[offset];
            }
        }
        agrees = table.count() == references.size() + 1;
        for (const auto &[offsets, held] : pages) {
            size_t at = random() % offsets.size();
            agrees &= held.size() == offsets.size() && memory[held[at].rule].offset == offsets[at];
        }
    }
    check(agrees, "indexes name the rules they were given for, whatever comes and goes");
}

} // namespace

int main() {
    Sharing();
    Full();
    for (uint32_t seed = 1; seed <= 4; ++seed) {
        RandomPages(seed);
    }
    return report();
}
