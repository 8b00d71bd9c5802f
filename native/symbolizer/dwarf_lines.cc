#include "dwarf_lines.h"

#include <algorithm>
#include <malloc.h>
#include <optional>
#include <unordered_map>

#include "llvm/DebugInfo/DWARF/DWARFCompileUnit.h"
#include "llvm/DebugInfo/DWARF/DWARFDebugLine.h"
#include "llvm/Support/Path.h"

#include "function_name.h"
#include "unit_functions.h"

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
        : alternate_(alternate), counts_(counts) {
        const DWARFDie die = unit->getUnitDIE();
        const bool split =
            die && (die.find(llvm::dwarf::DW_AT_GNU_dwo_name) || die.find(llvm::dwarf::DW_AT_dwo_name));
        const char *directory = unit->getCompilationDir();
        directory_ = directory ? directory : "";
        table_ = context.getLineTableForUnit(unit);
        // For a split unit its functions are in a .dwo file, which only a path leads to.
        if (!split) functions_.emplace(unit);
    }

    void Find(uint64_t address, std::vector<SourceFrame> &frames) {
        InlineChain chain;
        if (functions_) chain = functions_->Find(address);
        else ++counts_.split_unit;
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
    LineCounts &counts_;
    std::optional<UnitFunctions> functions_;
    std::string directory_;
    const LineTable *table_ = nullptr;
    std::unordered_map<uint64_t, std::string> files_;
    std::unordered_map<uint64_t, FunctionName> names_;
};

struct Task {
    // Offset of the unit: the unit object itself may be renewed. kNoUnit sorts last.
    uint64_t unit;
    uint64_t address;
    size_t index;
};
constexpr uint64_t kNoUnit = UINT64_MAX;

std::vector<Task> GroupByUnit(DWARFContext &context, const std::vector<uint64_t> &addresses) {
    std::vector<Task> tasks;
    tasks.reserve(addresses.size());
    for (size_t i = 0; i < addresses.size(); ++i) {
        const DWARFUnit *unit = context.getCompileUnitForCodeAddress(addresses[i]);
        tasks.push_back({unit ? unit->getOffset() : kNoUnit, addresses[i], i});
    }
    std::sort(tasks.begin(), tasks.end(), [](const Task &a, const Task &b) {
        return a.unit != b.unit ? a.unit < b.unit : a.address < b.address;
    });
    return tasks;
}

uint64_t HeapInUse() {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

} // namespace

LineCounts FindLines(DebugData &data, DebugData *alternate, const std::vector<uint64_t> &addresses,
                     uint64_t heap_bytes, const FrameSink &sink) {
    LineCounts counts;
    std::vector<SourceFrame> frames;
    const std::vector<Task> tasks = GroupByUnit(data.context(), addresses);
    const uint64_t heap_at_start = HeapInUse();
    for (size_t i = 0; i < tasks.size() && tasks[i].unit != kNoUnit;) {
        const uint64_t offset = tasks[i].unit;
        DWARFUnit *unit = data.context().getCompileUnitForOffset(offset);
        if (unit == nullptr) break;
        UnitLines lines(data.context(), alternate ? &alternate->context() : nullptr, unit, counts);
        for (; i < tasks.size() && tasks[i].unit == offset; ++i) {
            frames.clear();
            lines.Find(tasks[i].address, frames);
            if (!frames.empty()) sink.frames(tasks[i].index, frames);
        }
        data.context().clearLineTableForUnit(unit);
        sink.unit_done();
        if (HeapInUse() < heap_at_start + heap_bytes) continue;
        data.Renew();
        if (alternate) alternate->Renew();
    }
    counts.uncovered += static_cast<uint64_t>(
        std::count_if(tasks.begin(), tasks.end(), [](const Task &task) { return task.unit == kNoUnit; }));
    return counts;
}

} // namespace emberscope
