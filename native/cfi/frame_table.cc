#include "frame_table.h"

#include <elf.h>

#include "cfa_program.h"

namespace emberscope {

namespace {

constexpr uint64_t kMaxFde = 1 << 20;
// Bytes of instructions run for one range: the largest real page needs a hundredth.
constexpr uint64_t kMaxInstructions = 4 << 20;

// One walk over the functions of a range.
class Collector {
  public:
    Collector(const FrameSection &section, const Architecture &architecture, RowCollector *into)
        : section_(section), architecture_(architecture), into_(into), reader_(section),
          cies_(section, architecture) {}

    // `next`: where the following function starts. False when the range has cost too much.
    bool AddFunction(const IndexedFunction &function, uint64_t next) {
        FrameEntry entry;
        Fde fde;
        const bool is_fde = reader_.ReadEntry(function.at, &entry) && !entry.is_cie && !entry.is_terminator;
        if (!is_fde || !ReadRange(entry, &fde) || fde.start != function.start) {
            into_->Add(function.start, next, RuleOf(RULE_UNSUPPORTED));
            return true;
        }
        if (fde.end <= into_->start()) return true;
        return AddRows(entry);
    }

  private:
    static constexpr uint64_t kRangeBytes = 64;

    bool ReadRange(const FrameEntry &entry, Fde *fde) {
        return ReadFde(section_, entry, cies_.Find(entry.cie), reader_.ReadBody(entry, kRangeBytes), fde);
    }

    bool AddRows(const FrameEntry &entry) {
        const Cie &cie = cies_.Find(entry.cie);
        Fde fde;
        if (!ReadFde(section_, entry, cie, reader_.ReadBody(entry, kMaxFde), &fde)) return true;
        instructions_ += fde.instructions.size();
        if (instructions_ > kMaxInstructions) return false;
        PointerBases bases = section_.bases;
        bases.section = fde.instructions_at;
        rows_.clear();
        const bool makes_sense =
            fde.usable && cie.usable &&
            RunFunction(fde, cie, bases, architecture_, into_->start(), into_->end(), &rows_);
        if (!makes_sense) into_->Add(fde.start, fde.end, RuleOf(RULE_UNSUPPORTED));
        for (const RowSpan &row : rows_) {
            if (makes_sense) into_->Add(row.start, row.end, row.rule);
        }
        return true;
    }

    const FrameSection &section_;
    const Architecture &architecture_;
    RowCollector *into_;
    FrameReader reader_;
    CieCache cies_;
    std::vector<RowSpan> rows_;
    uint64_t instructions_ = 0;
};

uint64_t AddressOfSection(const ElfFile &file, const char *name) {
    const ElfSection *section = file.FindSection(name);
    return section ? section->address : 0;
}

// From an address to the end of the section of that name when the address is in it, else of its segment.
bool FindEhFrame(const ElfFile &file, uint64_t address, FrameSection *section, bool *is_whole) {
    const ElfSection *header = file.FindSection(".eh_frame");
    if (header && (header->type == SHT_NOBITS || header->size == 0)) header = nullptr;
    if (address == 0 && header) address = header->address;
    uint64_t offset = 0;
    if (address == 0 || !file.OffsetOf(address, 1, &offset)) return false;
    section->source = &file.source();
    section->offset = offset;
    section->is_eh = true;
    const bool within = header && address >= header->address && address - header->address < header->size;
    *is_whole = within;
    if (within) section->size = header->size - (address - header->address);
    for (const ElfSegment &segment : file.segments()) {
        const bool holds = segment.type == PT_LOAD && address >= segment.address &&
                           address - segment.address < segment.file_size;
        if (holds && !within) section->size = segment.file_size - (address - segment.address);
    }
    section->bases = {address, AddressOfSection(file, ".text"), AddressOfSection(file, ".got")};
    return true;
}

} // namespace

Status FrameTable::Collect(RowCollector *into) const {
    Result<std::vector<IndexedFunction>> found = index_->Find(into->start(), into->end());
    if (!found.ok()) return found.status();
    const std::vector<IndexedFunction> &functions = found.value();
    Collector collector(section_, architecture_, into);
    for (size_t index = 0; index < functions.size(); ++index) {
        const uint64_t next = index + 1 < functions.size() ? functions[index + 1].start : into->end();
        if (collector.AddFunction(functions[index], next) && into->ok()) continue;
        return Status::Error(Kind::corrupt, std::string("corrupt: ") + name_ +
                                                " has overlapping or endless " + "functions at " +
                                                HexText(functions[index].start));
    }
    return Status::Ok();
}

std::unique_ptr<RowSource> OpenEhFrame(const ElfFile &file, const Architecture &architecture) {
    FrameHeader header;
    FrameSection section;
    bool is_whole = false;
    const bool has_header = ReadFrameHeader(file, &header);
    if (!FindEhFrame(file, has_header ? header.section_address : 0, &section, &is_whole)) return nullptr;
    std::string note;
    std::unique_ptr<FunctionIndex> index = OpenSortedTable(section, header);
    if (!index) index = ScanSection(section, architecture, is_whole, &note);
    if (!note.empty()) note = ".eh_frame: " + note;
    return std::make_unique<FrameTable>(".eh_frame", section, architecture, std::move(index), std::move(note),
                                        nullptr);
}

std::unique_ptr<RowSource> OpenDebugFrame(const ElfFile &file, const Architecture &architecture,
                                          std::string *note) {
    const ElfSection *header = file.FindSection(".debug_frame");
    if (!header) header = file.FindSection(".zdebug_frame");
    if (!header || header->type == SHT_NOBITS || header->size == 0) return nullptr;
    std::unique_ptr<UnpackedSection> unpacked;
    FrameSection section{&file.source(), header->offset, header->size, false, {}};
    if (IsPacked(*header)) {
        Result<std::unique_ptr<UnpackedSection>> content = UnpackSection(file, *header);
        if (!content.ok()) *note = content.status().message;
        if (!content.ok()) return nullptr;
        unpacked = std::move(content.value());
        section = {&unpacked->source(), 0, unpacked->size(), false, {}};
    }
    section.bases.text = AddressOfSection(file, ".text");
    std::string left_out;
    std::unique_ptr<FunctionIndex> index = ScanSection(section, architecture, true, &left_out);
    if (!left_out.empty()) left_out = ".debug_frame: " + left_out;
    return std::make_unique<FrameTable>(".debug_frame", section, architecture, std::move(index),
                                        std::move(left_out), std::move(unpacked));
}

} // namespace emberscope
