#include "elf_resolve.h"

#include <elf.h>

#include "elf_debugdata.h"
#include "elf_gopclntab.h"
#include "elf_plt.h"
#include "elf_symbols.h"

namespace emberscope {

namespace {

constexpr double kOffsetEnd = 9007199254740992.0; // 2^53

bool IsFileOffset(double value) {
    return value >= 0 && value < kOffsetEnd;
}

void Note(ElfAnswer *answer, const std::string &what) {
    if (answer->detail.empty()) answer->detail = what;
}

Result<ElfFile> OpenLinked(const ByteSource &source) {
    Result<ElfFile> opened = ElfFile::Open(source);
    if (opened.ok() && !opened.value().IsLinked()) return opened.value().NotLinked();
    return opened;
}

// The debug file when it belongs to this file; a note otherwise.
bool OpenDebugFile(const ByteSource &source, const ElfFile &file, ElfFile *debug, ElfAnswer *answer) {
    Result<ElfFile> opened = OpenLinked(source);
    if (!opened.ok()) {
        Note(answer, "debug file ignored: " + opened.status().message);
        return false;
    }
    const std::string &id = opened.value().build_id();
    if (!id.empty() && !file.build_id().empty() && id != file.build_id()) {
        Note(answer, "debug file ignored: its build id is " + id);
        return false;
    }
    *debug = std::move(opened.value());
    if (!debug->note().empty()) Note(answer, "debug file: " + debug->note());
    return true;
}

// The tables in order of preference, with what keeps their bytes alive.
class TableList {
  public:
    TableList(const ElfFile &file, const ElfFile *debug, ElfAnswer *answer) : answer_(answer) {
        TableSet own = FindSymbolTables(file);
        Note(answer, own.note);
        dynsym_ = own.dynsym;
        Add(own.symtab, nullptr);
        if (debug) Add(FindSymbolTables(*debug).symtab, "debug file");
        Add(own.dynsym, nullptr);
        AddDebugData(file);
    }
    const std::vector<SymbolTable> &tables() const { return tables_; }
    const SymbolTable &dynsym() const { return dynsym_; }

  private:
    void Add(SymbolTable table, const char *label) {
        if (table.count == 0) return;
        if (label) table.label = label;
        tables_.push_back(table);
    }

    void AddDebugData(const ElfFile &file) {
        const ElfSection *section = file.FindSection(".gnu_debugdata");
        if (!section) return;
        Result<std::vector<uint8_t>> bytes = UnpackDebugData(file, *section);
        if (!bytes.ok()) return Note(answer_, bytes.status().message);
        inner_bytes_ = std::move(bytes.value());
        inner_source_ = std::make_unique<MemorySource>(Bytes(inner_bytes_));
        Result<ElfFile> inner = OpenLinked(*inner_source_);
        if (!inner.ok()) return Note(answer_, ".gnu_debugdata: " + inner.status().message);
        inner_ = std::move(inner.value());
        Add(FindSymbolTables(inner_).symtab, ".gnu_debugdata");
    }

    ElfAnswer *answer_;
    std::vector<SymbolTable> tables_;
    SymbolTable dynsym_;
    std::vector<uint8_t> inner_bytes_;
    std::unique_ptr<MemorySource> inner_source_;
    ElfFile inner_;
};

void FillAddresses(const ElfFile &file, const std::vector<double> &offsets, ElfAnswer *answer,
                   std::vector<uint64_t> *addresses) {
    for (size_t row = 0; row < offsets.size(); ++row) {
        if (!IsFileOffset(offsets[row])) continue;
        const uint64_t address = file.AddressOf(static_cast<uint64_t>(offsets[row]));
        answer->elf_address[row] = static_cast<double>(address);
        addresses->push_back(address);
    }
    if (offsets.empty() || !IsFileOffset(offsets[0])) return;
    const ElfSegment *code = file.CodeSegmentAt(static_cast<uint64_t>(offsets[0]));
    if (!code) return;
    answer->segment_address = code->address;
    answer->segment_file_offset = code->offset;
    answer->segment_size = code->memory_size;
}

// Go's own table names every Go function exactly; it yields to a full symbol table, never to .dynsym, whose
// few labels would reach over the functions between them.
void NameFromGoTable(const ElfFile &file, const std::vector<SymbolTable> &tables,
                     const AddressQueries &queries, std::vector<SymbolName> *found, ElfAnswer *answer) {
    std::vector<bool> wanted(queries.size());
    bool any = false;
    for (size_t position = 0; position < queries.size(); ++position) {
        const SymbolName &symbol = (*found)[position];
        const std::string_view label = symbol.name.empty() ? "" : tables[symbol.table].label;
        wanted[position] = label != ".symtab" && label != "debug file";
        any = any || wanted[position];
    }
    if (!any && answer->has_symbols) return;
    const Result<GoTable> table = FindGoTable(file);
    if (!table.ok()) return Note(answer, table.status().message);
    if (!table.value().file) return;
    answer->has_symbols = true;
    const size_t named = NameGoFunctions(table.value(), queries, wanted, found);
    if (named > 0) answer->sources.push_back(".gopclntab");
}

// Fills the PLT stubs among the positions that no symbol covers.
void NameStubs(const ElfFile &file, const SymbolTable &dynsym, const AddressQueries &queries,
               std::vector<SymbolName> *found) {
    std::vector<uint64_t> unnamed;
    for (size_t position = 0; position < queries.size(); ++position) {
        if ((*found)[position].name.empty()) unnamed.push_back(queries[position]);
    }
    std::vector<PltName> stubs = NamePltStubs(file, dynsym, unnamed);
    for (size_t row = 0; row < unnamed.size(); ++row) {
        if (stubs[row].name.empty()) continue;
        (*found)[queries.Find(unnamed[row])] = {stubs[row].start, stubs[row].name, SIZE_MAX};
    }
}

void FillRows(const std::vector<SymbolName> &found, const AddressQueries &queries, const ElfFile &file,
              const std::vector<double> &offsets, ElfAnswer *answer) {
    for (size_t row = 0; row < offsets.size(); ++row) {
        if (!IsFileOffset(offsets[row])) continue;
        const SymbolName &symbol = found[queries.Find(file.AddressOf(static_cast<uint64_t>(offsets[row])))];
        if (symbol.name.empty()) continue;
        answer->name[row] = answer->names.Intern(symbol.name);
        answer->symbol_start[row] = static_cast<double>(symbol.start);
    }
}

void FillNames(const ElfFile &file, const ElfFile *debug, const std::vector<double> &offsets,
               std::vector<uint64_t> addresses, ElfAnswer *answer) {
    const AddressQueries queries(std::move(addresses));
    const TableList list(file, debug, answer);
    SymbolSearch search(queries);
    for (const SymbolTable &table : list.tables()) {
        Status read = search.AddTable(table);
        if (!read.ok()) Note(answer, read.message);
        // An unreadable file is the caller's to know; a damaged one still gives the names it has.
        if (read.kind == Kind::io && table.file == &file) answer->failure = "io_error";
    }
    answer->has_symbols = search.has_functions();
    std::vector<SymbolName> found = search.Names();
    std::vector<bool> used(list.tables().size());
    NameFromGoTable(file, list.tables(), queries, &found, answer);
    for (const SymbolName &symbol : found) {
        if (symbol.table < used.size() && !symbol.name.empty()) used[symbol.table] = true;
    }
    for (size_t index = 0; index < used.size(); ++index) {
        if (used[index]) answer->sources.push_back(list.tables()[index].label);
    }
    if (!answer->failure.empty()) return;
    NameStubs(file, list.dynsym(), queries, &found);
    FillRows(found, queries, file, offsets, answer);
}

} // namespace

ElfAnswer ResolveElf(const ByteSource &source, const ByteSource *debug_source,
                     const std::vector<double> &file_offsets) {
    ElfAnswer answer(file_offsets.size());
    for (size_t row = 0; row < file_offsets.size(); ++row) {
        answer.elf_address[row] = file_offsets[row];
    }
    Result<ElfFile> opened = OpenLinked(source);
    if (!opened.ok()) {
        answer.failure = opened.status().kind == Kind::io ? "io_error" : "not_elf";
        answer.detail = opened.status().message;
        return answer;
    }
    const ElfFile &file = opened.value();
    answer.build_id = file.build_id();
    Note(&answer, file.note());
    ElfFile debug;
    const bool has_debug = debug_source && OpenDebugFile(*debug_source, file, &debug, &answer);
    answer.has_dwarf = file.HasDwarf() || (has_debug && debug.HasDwarf());
    std::vector<uint64_t> addresses;
    FillAddresses(file, file_offsets, &answer, &addresses);
    FillNames(file, has_debug ? &debug : nullptr, file_offsets, std::move(addresses), &answer);
    return answer;
}

} // namespace emberscope
