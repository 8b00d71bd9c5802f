#include "unit_functions.h"

#include <algorithm>

#include "llvm/BinaryFormat/Dwarf.h"

namespace emberscope {
namespace {

using llvm::DWARFDie;
namespace dwarf = llvm::dwarf;

// Blocks and calls inside each other; compilers stay far below.
constexpr int kMaxDepth = 512;
// Ranges before an address that may begin earlier and still cover it (one function's code inside another's).
constexpr int kMaxOverlaps = 8;

bool HasCode(DWARFDie die) {
    const llvm::DWARFAbbreviationDeclaration *abbreviation = die.getAbbreviationDeclarationPtr();
    return abbreviation && (abbreviation->findAttributeIndex(dwarf::DW_AT_low_pc) ||
                            abbreviation->findAttributeIndex(dwarf::DW_AT_ranges));
}

bool Covers(DWARFDie die, uint64_t address) {
    uint64_t low = 0, high = 0, section = 0;
    if (die.getLowAndHighPC(low, high, section)) return low <= address && address < high;
    llvm::Expected<llvm::DWARFAddressRangesVector> ranges = die.getAddressRanges();
    if (!ranges) {
        llvm::consumeError(ranges.takeError());
        return false;
    }
    return std::any_of(ranges->begin(), ranges->end(), [address](const llvm::DWARFAddressRange &range) {
        return range.LowPC <= address && address < range.HighPC;
    });
}

bool IsBlock(dwarf::Tag tag) {
    return tag == dwarf::DW_TAG_lexical_block || tag == dwarf::DW_TAG_try_block ||
           tag == dwarf::DW_TAG_catch_block;
}

// Adds the inlined calls below `parent` that cover the address, outermost first. True when there was one.
bool AddInlined(DWARFDie parent, uint64_t address, InlineChain &chain, int depth) {
    if (depth > kMaxDepth) return false;
    for (DWARFDie child : parent.children()) {
        const dwarf::Tag tag = child.getTag();
        if (tag == dwarf::DW_TAG_inlined_subroutine) {
            if (!HasCode(child) || !Covers(child, address)) continue;
            chain.push_back(child);
            AddInlined(child, address, chain, depth + 1);
            return true;
        }
        // A block without a range of its own may still hold calls that have one.
        if (!IsBlock(tag) || (HasCode(child) && !Covers(child, address))) continue;
        if (AddInlined(child, address, chain, depth + 1)) return true;
    }
    return false;
}

} // namespace

UnitFunctions::UnitFunctions(llvm::DWARFUnit *unit) {
    for (const llvm::DWARFDebugInfoEntry &entry : unit->dies()) {
        const DWARFDie die(unit, &entry);
        if (die.isNULL() || die.getTag() != dwarf::DW_TAG_subprogram || !HasCode(die)) continue;
        llvm::Expected<llvm::DWARFAddressRangesVector> ranges = die.getAddressRanges();
        if (!ranges) {
            llvm::consumeError(ranges.takeError());
            continue;
        }
        for (const llvm::DWARFAddressRange &range : *ranges) {
            if (range.LowPC < range.HighPC) ranges_.push_back({range.LowPC, range.HighPC, die});
        }
    }
    std::stable_sort(ranges_.begin(), ranges_.end(),
                     [](const Range &a, const Range &b) { return a.low < b.low; });
}

InlineChain UnitFunctions::Find(uint64_t address) const {
    auto after = std::upper_bound(ranges_.begin(), ranges_.end(), address,
                                  [](uint64_t wanted, const Range &range) { return wanted < range.low; });
    for (int i = 0; i < kMaxOverlaps && after != ranges_.begin(); ++i) {
        --after;
        if (address >= after->high) continue;
        InlineChain chain = {after->die};
        AddInlined(after->die, address, chain, 0);
        std::reverse(chain.begin(), chain.end());
        return chain;
    }
    return {};
}

} // namespace emberscope
