#include "dwarf_lines.h"

#include <algorithm>
#include <unordered_map>

#include "llvm/DebugInfo/DWARF/DWARFCompileUnit.h"
#include "llvm/DebugInfo/DWARF/DWARFDebugLine.h"
#include "llvm/Support/Path.h"

#include "function_name.h"

namespace emberscope {
namespace {

using llvm::DWARFContext;
using llvm::DWARFDie;
using llvm::DWARFUnit;
using LineTable = llvm::DWARFDebugLine::LineTable;

// Deeper chains are not made by compilers; the outermost frame is kept.
constexpr size_t kMaxChain = 256;

struct Position {
    uint64_t file = 0;
    uint64_t line = 0;
    uint64_t column = 0;
    bool known = false;
};

// Looks up addresses in one unit.
class UnitLines {
  public:
    UnitLines(DWARFContext &context, DWARFContext *alternate, DWARFUnit *unit, LineCounts &counts)
        : alternate_(alternate), unit_(unit), counts_(counts) {
        const DWARFDie die = unit->getUnitDIE();
        split_ = die && (die.find(llvm::dwarf::DW_AT_GNU_dwo_name) || die.find(llvm::dwarf::DW_AT_dwo_name));
        const char *directory = unit->getCompilationDir();
        directory_ = directory ? directory : "";
        table_ = context.getLineTableForUnit(unit);
    }

    void Find(uint64_t address, std::vector<SourceFrame> &frames) {
        llvm::SmallVector<DWARFDie, 8> chain;
        // For a split unit LLVM would open the .dwo file by its path.
        if (split_) ++counts_.split_unit;
        else unit_->getInlinedChainForAddress(address, chain);
        Position position = RowOf(address);
        if (chain.empty() && !position.known) {
            ++counts_.uncovered;
            return;
        }
        if (chain.empty()) frames.push_back(At(position));
        for (size_t i = 0; i < chain.size(); ++i) {
            if (i < kMaxChain - 1 || i + 1 == chain.size()) AddFrame(chain[i], position, frames);
            position = CallSite(chain[i]);
        }
    }

  private:
    Position RowOf(uint64_t address) const {
        if (!table_) return {};
        const uint32_t row = table_->lookupAddress({address, llvm::object::SectionedAddress::UndefSection});
        // LLVM says UINT32_MAX for "none".
        if (row >= table_->Rows.size()) return {};
        const auto &found = table_->Rows[row];
        return {found.File, found.Line, found.Column, true};
    }

    static Position CallSite(DWARFDie die) {
        uint32_t file = 0, line = 0, column = 0, discriminator = 0;
        die.getCallerFrame(file, line, column, discriminator);
        return {file, line, column, file != 0 || line != 0};
    }

    SourceFrame At(const Position &position) {
        SourceFrame frame;
        if (!position.known) return frame;
        frame.file = FileName(position.file);
        frame.line = position.line;
        frame.column = position.column;
        return frame;
    }

    void AddFrame(DWARFDie die, const Position &position, std::vector<SourceFrame> &frames) {
        SourceFrame frame = At(position);
        const FunctionName &name = NameOf(die);
        frame.function = name.text;
        frame.start_line = name.start_line;
        if (name.in_missing_alternate) ++counts_.missing_alternate;
        frames.push_back(std::move(frame));
    }

    const FunctionName &NameOf(DWARFDie die) {
        auto [entry, is_new] = names_.try_emplace(die.getOffset());
        if (is_new) entry->second = NameFunction(die, alternate_);
        return entry->second;
    }

    const std::string &FileName(uint64_t file) {
        auto [entry, is_new] = files_.try_emplace(file);
        if (!is_new || !table_) return entry->second;
        std::string path;
        using Kind = llvm::DILineInfoSpecifier::FileLineInfoKind;
        if (table_->getFileNameByIndex(file, directory_, Kind::AbsoluteFilePath, path)) {
            llvm::SmallString<256> clean(path);
            llvm::sys::path::remove_dots(clean, /*remove_dot_dot=*/true);
            entry->second = clean.str().str();
        }
        return entry->second;
    }

    DWARFContext *alternate_;
    DWARFUnit *unit_;
    LineCounts &counts_;
    bool split_ = false;
    std::string directory_;
    const LineTable *table_ = nullptr;
    std::unordered_map<uint64_t, std::string> files_;
    std::unordered_map<uint64_t, FunctionName> names_;
};

struct Task {
    DWARFUnit *unit;
    uint64_t address;
    size_t index;
};

std::vector<Task> GroupByUnit(DWARFContext &context, const std::vector<uint64_t> &addresses) {
    std::vector<Task> tasks;
    tasks.reserve(addresses.size());
    for (size_t i = 0; i < addresses.size(); ++i) {
        tasks.push_back({context.getCompileUnitForCodeAddress(addresses[i]), addresses[i], i});
    }
    std::sort(tasks.begin(), tasks.end(), [](const Task &a, const Task &b) {
        if (a.unit != b.unit) return std::less<DWARFUnit *>()(a.unit, b.unit);
        return a.address < b.address;
    });
    return tasks;
}

} // namespace

LineCounts FindLines(DWARFContext &context, DWARFContext *alternate, const std::vector<uint64_t> &addresses,
                     const FrameSink &sink, const std::function<void()> &unit_done) {
    LineCounts counts;
    std::vector<SourceFrame> frames;
    const std::vector<Task> tasks = GroupByUnit(context, addresses);
    for (size_t i = 0; i < tasks.size();) {
        DWARFUnit *unit = tasks[i].unit;
        size_t end = i;
        while (end < tasks.size() && tasks[end].unit == unit)
            ++end;
        if (unit == nullptr) {
            counts.uncovered += end - i;
            i = end;
            continue;
        }
        UnitLines lines(context, alternate, unit, counts);
        for (; i < end; ++i) {
            frames.clear();
            lines.Find(tasks[i].address, frames);
            if (!frames.empty()) sink(tasks[i].index, frames);
        }
        context.clearLineTableForUnit(unit);
        unit_done();
    }
    return counts;
}

} // namespace emberscope
