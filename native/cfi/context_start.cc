#include "cfi/context_start.h"

#include <elf.h>

namespace emberscope {

namespace {

constexpr size_t kCodeBytes = 7;

// The rule at a function's entry. The cold part of a function may begin like this too, as a landing pad does
// that puts the stack pointer back: its frame is the function's.
bool IsEntry(const unwind_rule &rule) {
    return rule.kind == RULE_CFA && rule.base == REGISTER_SP && rule.offset == 8 && rule.saved == 0;
}

// [endbr64,] mov %reg,%rsp
bool TakesAnotherStack(Bytes code) {
    static constexpr uint8_t kEndBranch[] = {0xf3, 0x0f, 0x1e, 0xfa};
    if (code.size() >= sizeof kEndBranch &&
        std::equal(std::begin(kEndBranch), std::end(kEndBranch), code.begin()))
        code = code.subspan(sizeof kEndBranch);
    if (code.size() < 3) return false;
    const bool is_wide = code[0] == 0x48 || code[0] == 0x4c; // the latter: from r8 to r15
    return is_wide && code[1] == 0x89 && (code[2] & 0xc7) == 0xc4;
}

} // namespace

std::vector<RowSpan> WithContextStarts(const RowCollector &collector, const ElfFile &file, uint64_t offset) {
    if (file.machine() != EM_X86_64) return collector.spans();
    WindowReader reader(file.source());
    std::vector<RowSpan> spans;
    uint64_t reached = collector.start();
    for (RowSpan span : collector.spans()) {
        const bool follows_gap = span.start > reached;
        reached = span.end;
        if (follows_gap && IsEntry(span.rule) &&
            TakesAnotherStack(reader.At(span.start + offset, kCodeBytes))) {
            span.rule = RuleOf(RULE_ROOT);
            span.start--;
        }
        spans.push_back(span);
    }
    return spans;
}

} // namespace emberscope
