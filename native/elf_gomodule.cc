#include "elf_gomodule.h"

#include <elf.h>

namespace emberscope {

namespace {

// Programs of a gigabyte have 20 MB of each; a sparse file can claim any size.
constexpr uint64_t kMaxScanned = 256 << 20;
constexpr size_t kChunk = 64 * 1024;
// moduledata (runtime/symtab.go), the same since Go 1.16: pcHeader, six slices, findfunctab, then these.
constexpr uint64_t kMinPc = 160, kMaxPc = 168, kText = 176;

bool IsRelative(const ElfFile &file, uint64_t info) {
    const uint64_t type = ELF64_R_TYPE(info);
    return file.machine() == EM_AARCH64 ? type == R_AARCH64_RELATIVE : type == R_X86_64_RELATIVE;
}

// Calls `visit(place, addend)` for each relative relocation until it returns true.
template <typename Visit> bool FindRelocation(const ElfFile &file, const Visit &visit) {
    constexpr size_t kEntries = kChunk / sizeof(Elf64_Rela);
    std::vector<uint8_t> chunk(kEntries * sizeof(Elf64_Rela));
    for (const ElfSection &section : file.sections()) {
        if (section.type != SHT_RELA || !(section.flags & SHF_ALLOC)) continue;
        const uint64_t size = std::min(section.size, kMaxScanned);
        for (uint64_t done = 0; done < size; done += chunk.size()) {
            const Result<size_t> read =
                file.source().Read(AddClamped(section.offset, done),
                                   {chunk.data(), std::min<uint64_t>(chunk.size(), size - done)});
            if (!read.ok()) break;
            const Bytes bytes = Bytes(chunk).first(read.value());
            for (size_t at = 0; at + sizeof(Elf64_Rela) <= bytes.size(); at += sizeof(Elf64_Rela)) {
                const auto entry = LoadAt<Elf64_Rela>(bytes, at);
                if (!IsRelative(file, entry.r_info)) continue;
                if (visit(entry.r_offset, static_cast<uint64_t>(entry.r_addend))) return true;
            }
            if (bytes.size() < chunk.size()) break;
        }
    }
    return false;
}

uint64_t WordAt(const ElfFile &file, uint64_t address) {
    uint8_t bytes[8] = {};
    uint64_t offset = 0;
    if (!file.OffsetOf(address, sizeof bytes, &offset)) return 0;
    return file.source().ReadExact(offset, bytes, "moduledata").ok() ? LoadAt<uint64_t>(bytes, 0) : 0;
}

// The text as a moduledata's three words tell it; nothing when they contradict each other or the table.
std::optional<uint64_t> Agreed(const ElfFile &file, uint64_t min_pc, uint64_t max_pc, uint64_t text,
                               const GoTextBounds &bounds) {
    if (min_pc - text != bounds.first_entry || max_pc - text != bounds.end_entry) return std::nullopt;
    if (!IsGoText(file, text, bounds)) return std::nullopt;
    return text;
}

std::optional<uint64_t> TextOfModuleAt(const ElfFile &file, uint64_t module, const GoTextBounds &bounds) {
    return Agreed(file, WordAt(file, module + kMinPc), WordAt(file, module + kMaxPc),
                  WordAt(file, module + kText), bounds);
}

// Words in the file: programs at a fixed address, and those whose relocations have their addends in place.
std::optional<uint64_t> FindModuleInData(const ElfFile &file, const GoTextBounds &bounds) {
    std::vector<uint8_t> chunk(kChunk);
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_W)) continue;
        const uint64_t start = (segment.address + 7) & ~7ULL;
        const uint64_t size = std::min(segment.file_size, kMaxScanned);
        for (uint64_t done = start - segment.address; done < size; done += chunk.size()) {
            const Result<size_t> read =
                file.source().Read(AddClamped(segment.offset, done),
                                   {chunk.data(), std::min<uint64_t>(chunk.size(), size - done)});
            if (!read.ok()) break;
            const Bytes bytes = Bytes(chunk).first(read.value());
            for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
                if (LoadAt<uint64_t>(bytes, at) != bounds.table) continue;
                const auto text = TextOfModuleAt(file, segment.address + done + at, bounds);
                if (text) return text;
            }
            if (bytes.size() < chunk.size()) break;
        }
    }
    return std::nullopt;
}

// Words that only the relocations know.
std::optional<uint64_t> FindModuleInRelocations(const ElfFile &file, const GoTextBounds &bounds) {
    std::vector<uint64_t> modules;
    constexpr size_t kMaxPointers = 64; // to the table: the runtime has two
    FindRelocation(file, [&](uint64_t place, uint64_t addend) {
        if (addend == bounds.table) modules.push_back(place);
        return modules.size() == kMaxPointers;
    });
    for (const uint64_t module : modules) {
        uint64_t words[3] = {};
        FindRelocation(file, [&](uint64_t place, uint64_t addend) {
            const uint64_t index = (place - module - kMinPc) / 8;
            if (place >= module + kMinPc && index < 3) words[index] = addend;
            return false;
        });
        const auto text = Agreed(file, words[0], words[1], words[2], bounds);
        if (text) return text;
    }
    return std::nullopt;
}

} // namespace

bool IsGoText(const ElfFile &file, uint64_t text, const GoTextBounds &bounds) {
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X) || text < segment.address) continue;
        if (FitsIn(text - segment.address, bounds.end_entry, segment.file_size)) return true;
    }
    return false;
}

std::optional<uint64_t> FindGoText(const ElfFile &file, uint64_t header_field, const GoTextBounds &bounds) {
    uint64_t text = 0;
    const bool relocated = FindRelocation(file, [&](uint64_t place, uint64_t addend) {
        text = addend;
        return place == header_field;
    });
    if (relocated && IsGoText(file, text, bounds)) return text;
    if (const ElfSection *section = file.FindSection(".go.module")) {
        const auto found = TextOfModuleAt(file, section->address, bounds);
        if (found) return found;
    }
    const auto found = FindModuleInData(file, bounds);
    return found ? found : FindModuleInRelocations(file, bounds);
}

} // namespace emberscope
