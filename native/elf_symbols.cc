#include "elf_symbols.h"

#include <elf.h>

#include "elf_dynamic.h"

namespace emberscope {

namespace {

// 800 MB of symbols, ten times those of the largest browsers; a sparse file can claim any number.
constexpr uint64_t kMaxSymbols = 1 << 25;
constexpr size_t kSymbolsPerRead = 10 * 1024; // 240 KiB
constexpr size_t kMaxName = 32 * 1024;
constexpr size_t kMaxNamesTotal = 128 << 20;
// Reads of names that only decide between symbols (a second or two of a hostile file); beyond, labels are
// left out and ties fall to the earlier symbol.
constexpr uint64_t kMaxNameReads = 1 << 20;
constexpr uint8_t kLabelRank = 4;

uint8_t BindingRank(uint8_t info) {
    switch (ELF64_ST_BIND(info)) {
    case STB_GLOBAL:
    case STB_GNU_UNIQUE:
        return 0;
    case STB_WEAK:
        return 1;
    default:
        return 2;
    }
}

bool IsFunction(uint8_t info) {
    return ELF64_ST_TYPE(info) == STT_FUNC || ELF64_ST_TYPE(info) == STT_GNU_IFUNC;
}

// Cuts a table to what the file holds; the note says so.
SymbolTable TableOfSection(const ElfFile &file, const ElfSection &section, const char *label,
                           std::string *note) {
    const std::vector<ElfSection> &sections = file.sections();
    const uint64_t file_size = file.source().size();
    auto reject = [&](const std::string &why) {
        if (note->empty()) *note = std::string("corrupt: ") + label + " " + why;
        return SymbolTable{};
    };
    if (section.entry_size != sizeof(Elf64_Sym)) {
        return reject("has entries of " + std::to_string(section.entry_size) + " bytes");
    }
    if (section.link >= sections.size() || sections[section.link].type != SHT_STRTAB) {
        return reject("names no string table");
    }
    if (section.offset > file_size) return reject("at " + HexText(section.offset) + " lies beyond the file");
    const ElfSection &strings = sections[section.link];
    const uint64_t bytes = std::min(section.size, file_size - section.offset);
    const uint64_t count = std::min(bytes / sizeof(Elf64_Sym), kMaxSymbols);
    if (count < section.size / sizeof(Elf64_Sym)) {
        (void)reject("is cut at " + std::to_string(count) + " symbols");
    }
    return {&file, label, section.offset, count, strings.offset, AddClamped(strings.offset, strings.size)};
}

} // namespace

TableSet FindSymbolTables(const ElfFile &file) {
    TableSet set;
    for (const ElfSection &section : file.sections()) {
        if (section.type == SHT_SYMTAB && set.symtab.count == 0) {
            set.symtab = TableOfSection(file, section, ".symtab", &set.note);
        }
        if (section.type == SHT_DYNSYM && set.dynsym.count == 0) {
            set.dynsym = TableOfSection(file, section, ".dynsym", &set.note);
        }
    }
    if (set.dynsym.count == 0) set.dynsym = FindDynamicSymbols(file, kMaxSymbols);
    return set;
}

SymbolSearch::SymbolSearch(const AddressQueries &queries)
    : queries_(queries), covering_(queries.size()), before_(queries.size()) {}

Status SymbolSearch::AddTable(const SymbolTable &table) {
    const ByteSource &source = table.file->source();
    tables_.push_back(table);
    strings_.emplace_back(source);
    std::vector<uint8_t> chunk(kSymbolsPerRead * sizeof(Elf64_Sym));
    for (uint64_t done = 0; done < table.count;) {
        size_t symbols = std::min<uint64_t>(kSymbolsPerRead, table.count - done);
        std::span<uint8_t> bytes(chunk.data(), symbols * sizeof(Elf64_Sym));
        Result<size_t> count = source.Read(table.offset + done * sizeof(Elf64_Sym), bytes);
        if (!count.ok()) return count.status();
        size_t whole = count.value() / sizeof(Elf64_Sym);
        for (size_t index = 0; index < whole; ++index) {
            Candidate candidate;
            if (ReadCandidate(chunk.data() + index * sizeof(Elf64_Sym), &candidate)) Place(candidate);
        }
        done += whole;
        if (whole < symbols) {
            return Status::Error(Kind::corrupt,
                                 std::string("corrupt: ") + table.label + " ends beyond the file");
        }
    }
    return Status::Ok();
}

bool SymbolSearch::ReadCandidate(const uint8_t *bytes, Candidate *candidate) const {
    Elf64_Sym symbol;
    std::memcpy(&symbol, bytes, sizeof symbol);
    const SymbolTable &table = tables_.back();
    if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_COMMON || symbol.st_name == 0) return false;
    if (symbol.st_name >= table.strings_end - table.strings_offset) return false;
    const std::vector<ElfSection> &sections = table.file->sections();
    const bool function = IsFunction(symbol.st_info);
    if (!function) {
        if (ELF64_ST_TYPE(symbol.st_info) != STT_NOTYPE || symbol.st_shndx >= sections.size()) return false;
        if (!(sections[symbol.st_shndx].flags & SHF_EXECINSTR)) return false;
    }
    candidate->start = symbol.st_value;
    candidate->size = symbol.st_size;
    candidate->end = AddClamped(symbol.st_value, symbol.st_size);
    candidate->section = symbol.st_shndx;
    candidate->name_offset = symbol.st_name;
    candidate->table = static_cast<uint16_t>(tables_.size() - 1);
    candidate->rank = static_cast<uint8_t>((function ? 0 : kLabelRank) + BindingRank(symbol.st_info));
    return true;
}

// Where a symbol without a size ends at the latest: with its section, or with its segment where sections are
// stripped.
uint64_t SymbolSearch::RegionEnd(const Candidate &candidate) const {
    const ElfFile &file = *tables_[candidate.table].file;
    const uint64_t address = candidate.start;
    if (candidate.section < file.sections().size()) {
        const ElfSection &section = file.sections()[candidate.section];
        return AddClamped(section.address, section.size);
    }
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X) || address < segment.address) continue;
        if (address - segment.address < segment.memory_size)
            return AddClamped(segment.address, segment.memory_size);
    }
    return address;
}

void SymbolSearch::Place(const Candidate &candidate) {
    const bool function = candidate.rank < kLabelRank;
    has_functions_ = has_functions_ || function;
    const size_t first = queries_.From(candidate.start);
    size_t end = first;
    if (candidate.size > 0 && first < queries_.size() && queries_[first] < candidate.end) {
        end = queries_.From(candidate.end);
    }
    const bool wanted = before_.Wants(first, candidate.start);
    if (first == end && !wanted) return;
    if (!function && !IsUsefulLabel(candidate)) return;
    auto better = [this](const Candidate &a, const Candidate &b) { return Better(a, b); };
    if (first < end) covering_.Offer(first, end, candidate, better);
    if (wanted) {
        // A sized symbol keeps its place against an alias without a size, which then ends where the sized one
        // ends.
        before_.Offer(first, candidate, [&](const Candidate &a, const Candidate &b) {
            if (a.size > 0 || b.size > 0) return b.size == 0;
            return Better(a, b);
        });
    }
}

// Assemblers mark code and data by $x and $d (arm64) and jump targets by .L: not names of anything.
bool SymbolSearch::IsUsefulLabel(const Candidate &candidate) {
    if (strings_[candidate.table].reads() > kMaxNameReads) return false;
    std::string name = ReadName(candidate, 3);
    return !name.empty() && name[0] != '$' && !name.starts_with(".L");
}

bool SymbolSearch::Better(const Candidate &a, const Candidate &b) {
    if (a.start != b.start) return a.start > b.start;
    if (a.table != b.table) return a.table < b.table;
    if (a.rank != b.rank) return a.rank < b.rank;
    if (a.size != b.size) return a.size > b.size;
    if (a.name_offset == b.name_offset) return false;
    return Underscores(a) < Underscores(b);
}

int SymbolSearch::Underscores(const Candidate &candidate) {
    if (candidate.underscores >= 0) return candidate.underscores;
    if (strings_[candidate.table].reads() > kMaxNameReads) return 0;
    std::string name = ReadName(candidate, 8);
    size_t letter = name.find_first_not_of('_');
    candidate.underscores = static_cast<int8_t>(letter == std::string::npos ? name.size() : letter);
    return candidate.underscores;
}

std::string SymbolSearch::ReadName(const Candidate &candidate, size_t limit) {
    const SymbolTable &table = tables_[candidate.table];
    return strings_[candidate.table].String(AddClamped(table.strings_offset, candidate.name_offset),
                                            table.strings_end, limit);
}

std::vector<SymbolName> SymbolSearch::Names() {
    std::vector<SymbolName> rows(queries_.size());
    auto better = [this](const Candidate &a, const Candidate &b) { return Better(a, b); };
    before_.Finish();
    size_t budget = kMaxNamesTotal;
    for (size_t position = 0; position < rows.size(); ++position) {
        std::optional<Candidate> best = covering_.BestAt(position, better);
        const std::optional<Candidate> &before = before_.At(position);
        if (!best && before && before->size == 0 && queries_[position] < RegionEnd(*before)) best = before;
        if (!best) continue;
        rows[position] = {best->start, ReadName(*best, std::min(kMaxName, budget)), best->table};
        budget -= rows[position].name.size();
    }
    return rows;
}

} // namespace emberscope
