#include "row_source.h"

#include <algorithm>
#include <span>

namespace emberscope {

void RowCollector::Append(uint64_t start, uint64_t end, const unwind_rule &rule) {
    if (!spans_.empty() && spans_.back().end == start && SameRule(spans_.back().rule, rule)) {
        spans_.back().end = end;
        return;
    }
    spans_.push_back({start, end, rule});
}

void RowCollector::Add(uint64_t start, uint64_t end, const unwind_rule &rule) {
    start = std::max(start, start_);
    end = std::min(end, end_);
    if (start >= end || !ok()) return;
    if (spans_.empty() || start >= spans_.back().end) Append(start, end, rule);
    else Insert(start, end, rule);
}

namespace {

// Spans of `old` (those that touch [start, end), in order) with [start, end) laid over them.
std::vector<RowSpan> Overlay(std::span<const RowSpan> old, uint64_t start, uint64_t end,
                             const unwind_rule &rule) {
    std::vector<RowSpan> merged;
    uint64_t at = start;
    for (const RowSpan &span : old) {
        if (span.start < start) merged.push_back({span.start, start, span.rule});
        if (at < span.start) merged.push_back({at, span.start, rule});
        RowSpan both = {std::max(span.start, start), std::min(span.end, end), span.rule};
        if (!SameRule(span.rule, rule)) both.rule = RuleOf(RULE_UNSUPPORTED);
        merged.push_back(both);
        if (span.end > end) merged.push_back({end, span.end, span.rule});
        at = std::max(at, both.end);
    }
    if (at < end) merged.push_back({at, end, rule});
    return merged;
}

} // namespace

void RowCollector::Insert(uint64_t start, uint64_t end, const unwind_rule &rule) {
    auto first = std::partition_point(spans_.begin(), spans_.end(),
                                      [start](const RowSpan &span) { return span.end <= start; });
    auto last =
        std::partition_point(first, spans_.end(), [end](const RowSpan &span) { return span.start < end; });
    const std::vector<RowSpan> merged = Overlay({first, last}, start, end, rule);
    work_ += static_cast<uint64_t>(spans_.end() - first) + merged.size();
    const auto kept = static_cast<size_t>(last - first);
    const size_t replaced = std::min(kept, merged.size());
    std::copy_n(merged.begin(), replaced, first);
    if (merged.size() > kept) spans_.insert(last, merged.begin() + replaced, merged.end());
    else spans_.erase(first + replaced, last);
}

void RowCollector::FillFrom(const RowCollector &other) {
    std::vector<RowSpan> own;
    own.swap(spans_);
    auto next = own.begin();
    for (const RowSpan &span : other.spans_) {
        uint64_t at = std::max(span.start, start_);
        const uint64_t end = std::min(span.end, end_);
        for (; next != own.end() && next->start < end; ++next) {
            if (at < next->start) Append(at, next->start, span.rule);
            at = std::max(at, next->end);
            Append(next->start, next->end, next->rule);
        }
        if (!spans_.empty()) at = std::max(at, spans_.back().end);
        if (at < end) Append(at, end, span.rule);
    }
    for (; next != own.end(); ++next) {
        Append(next->start, next->end, next->rule);
    }
}

bool RowCollector::Covers(uint64_t address) const {
    auto span = std::partition_point(spans_.begin(), spans_.end(),
                                     [address](const RowSpan &row) { return row.end <= address; });
    return span != spans_.end() && span->start <= address;
}

uint64_t RowCollector::NextStart(uint64_t address) const {
    auto span = std::partition_point(spans_.begin(), spans_.end(),
                                     [address](const RowSpan &row) { return row.start <= address; });
    return span == spans_.end() ? end_ : span->start;
}

} // namespace emberscope
