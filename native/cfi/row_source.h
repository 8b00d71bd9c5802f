// One table of a file (.eh_frame, .debug_frame, .gopclntab) as a source of rows. FileRows asks its sources in
// order of trust: a later one only fills bytes that no earlier one covers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "status.h"
#include "tables.h"

namespace emberscope {

// A rule in force over ELF addresses [start, end).
struct RowSpan {
    uint64_t start, end;
    unwind_rule rule;
};

// What covers [start, end), from functions in any order; cheap when they ascend. Bytes that two functions
// cover with different rules become RULE_UNSUPPORTED: which one is right cannot be known.
class RowCollector {
  public:
    RowCollector(uint64_t start, uint64_t end) : start_(start), end_(end) {}

    uint64_t start() const { return start_; }
    uint64_t end() const { return end_; }
    // Clips to the range; an empty span is no error.
    void Add(uint64_t start, uint64_t end, const unwind_rule &rule);
    // The spans of `other` wherever nothing is covered yet.
    void FillFrom(const RowCollector &other);
    bool Covers(uint64_t address) const;
    // Start of the first span after `address`, end() when there is none.
    uint64_t NextStart(uint64_t address) const;
    // Ascending and disjoint.
    const std::vector<RowSpan> &spans() const { return spans_; }
    // False when functions overlap so often that the rest was left out: the table is no real one.
    bool ok() const { return work_ <= kMaxWork; }

  private:
    static constexpr uint64_t kMaxWork = 1 << 20;
    void Append(uint64_t start, uint64_t end, const unwind_rule &rule);
    void Insert(uint64_t start, uint64_t end, const unwind_rule &rule);

    uint64_t start_, end_;
    uint64_t work_ = 0; // spans moved for the sake of overlaps
    std::vector<RowSpan> spans_;
};

class RowSource {
  public:
    virtual ~RowSource() = default;
    // ".eh_frame", ".debug_frame", ".gopclntab".
    virtual const char *name() const = 0;
    virtual uint64_t functions() const = 0;
    // Bytes of memory held.
    virtual size_t memory() const = 0;
    // What was left out and why, '' when all is in order.
    virtual std::string note() const = 0;
    // Adds the rows of every function that touches the collector's range. Safe from two threads. Errors:
    // corrupt (work out of all proportion), io.
    virtual Status Collect(RowCollector *into) const = 0;
};

// A rule that says no more than its kind.
inline unwind_rule RuleOf(rule_kind kind) {
    unwind_rule rule{};
    rule.kind = static_cast<uint8_t>(kind);
    return rule;
}

inline bool SameRule(const unwind_rule &one, const unwind_rule &other) {
    return __builtin_memcmp(&one, &other, sizeof one) == 0;
}

} // namespace emberscope
