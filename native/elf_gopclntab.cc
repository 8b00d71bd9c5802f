#include "elf_gopclntab.h"

#include <elf.h>

#include "elf_gomodule.h"

namespace emberscope {

namespace {

constexpr uint32_t kMagic116 = 0xfffffffa;
constexpr uint32_t kMagic118 = 0xfffffff0;
constexpr uint32_t kMagic120 = 0xfffffff1;
// Twenty times those of the largest programs; a table of such a size would have 100 MB of entries.
constexpr uint64_t kMaxFunctions = 1 << 24;
constexpr uint64_t kMaxSearched = 512 << 20;
constexpr size_t kChunk = 64 * 1024;
constexpr uint64_t kMaxNotes = 4096;
constexpr uint32_t kGoBuildIdNote = 4;

// What differs between versions, in bytes; offsets in the header and in a function's record.
struct Layout {
    uint64_t entry_bytes; // of a value in the function table: an address, or an offset from the text
    uint64_t text_field;  // in the header, 0: none
    uint64_t offsets;     // in the header: names, (compilation units, files,) values, entries
    uint64_t name, pcsp;  // in the record
    uint64_t flags;       // in the record
};

Layout LayoutOf(uint32_t magic) {
    if (magic == kMagic116) return {8, 0, 24, 8, 20, 41};
    if (magic == kMagic118) return {4, 24, 32, 4, 16, 37};
    return {4, 24, 32, 4, 16, 41};
}

Status Corrupt(const std::string &what) {
    return Status::Error(Kind::corrupt, "corrupt: .gopclntab " + what);
}

// magic, two zeros, the unit of pc steps, the size of a pointer.
bool IsHeader(Bytes bytes) {
    const auto magic = LoadAt<uint32_t>(bytes, 0);
    if (magic != kMagic116 && magic != kMagic118 && magic != kMagic120) return false;
    const auto rest = LoadAt<uint32_t>(bytes, 4);
    return rest == 0x08010000 || rest == 0x08040000;
}

bool HasGoNote(const ElfFile &file, const ElfSegment &segment) {
    uint8_t bytes[kMaxNotes];
    const uint64_t size = std::min(segment.file_size, kMaxNotes);
    const Result<size_t> read = file.source().Read(segment.offset, {bytes, size});
    if (!read.ok()) return false;
    const Bytes notes(bytes, read.value());
    for (size_t at = 0; at + sizeof(Elf64_Nhdr) + 4 <= notes.size(); at += 4) {
        const auto header = LoadAt<Elf64_Nhdr>(notes, at);
        if (header.n_namesz != 4 || header.n_type != kGoBuildIdNote) continue;
        if (std::memcmp(notes.data() + at + sizeof header, "Go\0", 4) == 0) return true;
    }
    return false;
}

// Searching a file for its table reads all of its data, so only Go programs are searched.
bool IsGoProgram(const ElfFile &file) {
    if (file.FindSection(".go.buildinfo") || file.FindSection(".note.go.buildid")) return true;
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type == PT_NOTE && HasGoNote(file, segment)) return true;
    }
    return false;
}

struct Place {
    uint64_t address, offset, end;
};

Result<GoTable> ReadHeader(const ElfFile &file, const Place &place);

// Linkers put the table at a multiple of 8 at least. Position-independent programs of Go 1.25 and earlier
// have it in the midst of .data.rel.ro.
Result<GoTable> SearchSegment(const ElfFile &file, const ElfSegment &segment) {
    std::vector<uint8_t> chunk(kChunk);
    const uint64_t size = std::min(segment.file_size, kMaxSearched);
    for (uint64_t done = -segment.address & 7; done < size; done += chunk.size()) {
        const Result<size_t> read = file.source().Read(
            AddClamped(segment.offset, done), {chunk.data(), std::min<uint64_t>(chunk.size(), size - done)});
        if (!read.ok()) return read.status();
        const Bytes bytes = Bytes(chunk).first(read.value());
        for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            if (!IsHeader(bytes.subspan(at))) continue;
            Result<GoTable> table = ReadHeader(file, {segment.address + done + at, segment.offset + done + at,
                                                      AddClamped(segment.offset, segment.file_size)});
            if (table.ok() || table.status().kind == Kind::io) return table;
        }
        if (bytes.size() < chunk.size()) break;
    }
    return GoTable{};
}

Result<GoTable> Search(const ElfFile &file) {
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type != PT_LOAD || (segment.flags & PF_X)) continue;
        Result<GoTable> table = SearchSegment(file, segment);
        if (!table.ok() || table.value().file) return table;
    }
    return Corrupt("is not where a Go program has it");
}

// The offsets of the header, from the table's start to the file's.
bool ReadOffsets(Bytes header, const Layout &layout, const Place &place, GoTable *table) {
    const uint64_t size = table->end - place.offset;
    const auto names = LoadAt<uint64_t>(header, layout.offsets);
    const auto values = LoadAt<uint64_t>(header, layout.offsets + 24);
    const auto entries = LoadAt<uint64_t>(header, layout.offsets + 32);
    if (names > size || values > size || entries > size || !(names < values && values < entries))
        return false;
    table->names = place.offset + names;
    table->values = place.offset + values;
    table->entries = place.offset + entries;
    // One entry more than functions: where the last one ends.
    return FitsIn(entries, (table->functions * 2 + 1) * layout.entry_bytes, size);
}

Status FindText(const Layout &layout, const Place &place, Bytes header, GoTable *table) {
    const ElfFile &file = *table->file;
    WindowReader entries(file.source());
    GoTextBounds bounds{place.address, 0, 0};
    bounds.first_entry = LoadAt<uint32_t>(entries.At(table->entries, 4), 0);
    bounds.end_entry = LoadAt<uint32_t>(entries.At(table->entries + table->functions * 8, 4), 0);
    const auto written = LoadAt<uint64_t>(header, layout.text_field);
    table->text = written;
    if (written != 0 && IsGoText(file, written, bounds)) return Status::Ok();
    const auto found = FindGoText(file, place.address + layout.text_field, bounds);
    if (!found) return Corrupt("at " + HexText(place.address) + ": the text it describes is nowhere named");
    table->text = *found;
    return Status::Ok();
}

Result<GoTable> ReadHeader(const ElfFile &file, const Place &place) {
    uint8_t bytes[72] = {};
    Status read = file.source().ReadExact(place.offset, bytes, ".gopclntab");
    if (!read.ok()) return read;
    const Bytes header(bytes);
    const std::string where = "at " + HexText(place.address);
    if (!IsHeader(header)) return Corrupt(where + " starts with " + HexText(LoadAt<uint64_t>(header, 0)));
    GoTable table;
    table.file = &file;
    table.magic = LoadAt<uint32_t>(header, 0);
    table.instruction_unit = header[6];
    table.functions = LoadAt<uint64_t>(header, 8);
    table.end = std::min(place.end, file.source().size());
    if (table.functions == 0 || table.functions > kMaxFunctions) {
        return Corrupt(where + " claims " + std::to_string(table.functions) + " functions");
    }
    const Layout layout = LayoutOf(table.magic);
    if (place.offset > table.end || !ReadOffsets(header, layout, place, &table)) {
        return Corrupt(where + " ends beyond its section");
    }
    if (layout.text_field != 0) {
        Status text = FindText(layout, place, header, &table);
        if (!text.ok()) return text;
    }
    return table;
}

} // namespace

bool GoTableHasFlags(const GoTable &table) {
    return table.magic != kMagic116;
}

Result<GoTable> FindGoTable(const ElfFile &file) {
    for (const char *name : {".gopclntab", ".data.rel.ro.gopclntab"}) {
        const ElfSection *section = file.FindSection(name);
        if (!section || section->type == SHT_NOBITS) continue;
        return ReadHeader(file,
                          {section->address, section->offset, AddClamped(section->offset, section->size)});
    }
    if (!IsGoProgram(file)) return GoTable{};
    return Search(file);
}

GoTableReader::GoTableReader(const GoTable &table)
    : table_(table), entries_(table.file->source()), records_(table.file->source()),
      names_(table.file->source()), values_(table.file->source()) {}

// Of a function, or of the end of the last one (offset 0 then).
GoTableReader::Entry GoTableReader::EntryAt(uint64_t index) {
    const Layout layout = LayoutOf(table_.magic);
    const Bytes pair = entries_.At(table_.entries + index * 2 * layout.entry_bytes, 2 * layout.entry_bytes);
    if (layout.entry_bytes == 8) return {LoadAt<uint64_t>(pair, 0), LoadAt<uint64_t>(pair, 8)};
    return {table_.text + LoadAt<uint32_t>(pair, 0), LoadAt<uint32_t>(pair, 4)};
}

uint64_t GoTableReader::IndexOf(uint64_t address) {
    uint64_t low = 0, high = table_.functions; // the answer + 1 is in [low, high]
    if (address >= EntryAt(table_.functions).address) return table_.functions;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        if (EntryAt(middle).address <= address) low = middle + 1;
        else high = middle;
    }
    return low == 0 ? 0 : low - 1;
}

bool GoTableReader::Function(uint64_t index, GoFunction *function) {
    const Layout layout = LayoutOf(table_.magic);
    const Entry entry = EntryAt(index);
    function->start = entry.address;
    function->end = EntryAt(index + 1).address;
    if (function->end <= function->start) return false;
    const uint64_t record = AddClamped(table_.entries, entry.offset);
    if (!FitsIn(record, layout.flags + 1, table_.end)) return false;
    const Bytes bytes = records_.At(record, layout.flags + 1);
    const uint64_t start =
        layout.entry_bytes == 8 ? LoadAt<uint64_t>(bytes, 0) : table_.text + LoadAt<uint32_t>(bytes, 0);
    if (start != function->start) return false;
    function->name = LoadAt<uint32_t>(bytes, layout.name);
    function->pcsp = LoadAt<uint32_t>(bytes, layout.pcsp);
    function->flags = LoadAt<uint8_t>(bytes, layout.flags);
    return bytes.size() > layout.flags;
}

std::string GoTableReader::Name(const GoFunction &function, size_t limit) {
    return names_.String(table_.names + function.name, table_.values, limit);
}

Bytes GoTableReader::Values(uint64_t offset, size_t size) {
    const uint64_t at = AddClamped(table_.values, offset);
    return at < table_.entries ? values_.At(at, std::min<uint64_t>(size, table_.entries - at)) : Bytes();
}

size_t NameGoFunctions(const GoTable &table, const AddressQueries &queries, const std::vector<bool> &wanted,
                       std::vector<SymbolName> *names) {
    GoTableReader reader(table);
    GoFunction function;
    size_t given = 0;
    for (size_t position = 0; position < queries.size(); ++position) {
        const uint64_t address = queries[position];
        if (!wanted[position]) continue;
        if (address < function.start || address >= function.end) {
            const uint64_t index = reader.IndexOf(address);
            if (index == table.functions || !reader.Function(index, &function)) function = {};
            if (address < function.start || address >= function.end) continue;
        }
        std::string name = reader.Name(function);
        if (name.empty()) continue;
        (*names)[position] = {function.start, std::move(name), SIZE_MAX};
        ++given;
    }
    return given;
}

} // namespace emberscope
