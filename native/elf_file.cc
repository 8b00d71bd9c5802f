#include "elf_file.h"

#include <elf.h>

namespace emberscope {

namespace {

// Far above what linkers make (a browser with debug info has about 40 sections), yet only 24 MB when it is a
// lie.
constexpr uint64_t kMaxSections = 1 << 18;
constexpr uint64_t kMaxSegments = 4096;
constexpr size_t kMaxSectionName = 31;
constexpr uint64_t kMaxNoteBytes = 64 * 1024;
constexpr uint64_t kMaxBuildId = 64;
constexpr uint64_t kPage = 4096;

Status Corrupt(const std::string &message) {
    return Status::Error(Kind::corrupt, "corrupt: " + message);
}

Status CheckIdentity(Bytes header) {
    if (std::memcmp(header.data(), ELFMAG, SELFMAG) != 0) return Status::Error(Kind::not_elf, "no ELF magic");
    if (header[EI_CLASS] == ELFCLASS32) {
        return Status::Error(Kind::not_elf, "a 32-bit ELF file; only 64-bit ones are read");
    }
    if (header[EI_CLASS] != ELFCLASS64 || header[EI_DATA] != ELFDATA2LSB) {
        return Status::Error(Kind::not_elf, "not a 64-bit little-endian ELF file");
    }
    return Status::Ok();
}

ElfSection ToSection(const Elf64_Shdr &header) {
    ElfSection section;
    section.name_offset = header.sh_name;
    section.type = header.sh_type;
    section.flags = header.sh_flags;
    section.address = header.sh_addr;
    section.offset = header.sh_offset;
    section.size = header.sh_size;
    section.link = header.sh_link;
    section.entry_size = header.sh_entsize;
    return section;
}

bool Contains(const ElfSegment &segment, uint64_t file_offset) {
    return file_offset >= segment.offset && file_offset - segment.offset < segment.file_size;
}

// A mapping starts and ends on pages, so it shows the rest of the first and the last page of the segment too.
bool PagesContain(const ElfSegment &segment, uint64_t file_offset) {
    uint64_t first = segment.offset & ~(kPage - 1);
    uint64_t last = AddClamped(AddClamped(segment.offset, segment.file_size), kPage - 1) & ~(kPage - 1);
    return segment.file_size > 0 && file_offset >= first && file_offset < last;
}

} // namespace

Result<ElfFile> ElfFile::Open(const ByteSource &source) {
    ElfFile file;
    file.source_ = &source;
    Tables tables{};
    Status header = file.ReadHeader(&tables);
    if (!header.ok()) return header;
    Status sections = file.ReadSections(&tables);
    if (sections.kind == Kind::io) return sections;
    Status segments = file.ReadSegments(tables);
    if (segments.kind == Kind::io) return segments;
    file.note_ = !sections.ok() ? sections.message : segments.message;
    if (file.sections_.empty() && file.segments_.empty()) {
        return file.note_.empty() ? Corrupt("neither section nor program headers")
                                  : Status::Error(Kind::corrupt, file.note_);
    }
    file.NameSections(tables.names_index);
    file.ReadBuildId();
    return file;
}

Status ElfFile::ReadHeader(Tables *tables) {
    uint8_t bytes[sizeof(Elf64_Ehdr)] = {};
    Result<size_t> count = source_->Read(0, bytes);
    if (!count.ok()) return count.status();
    if (count.value() < EI_NIDENT) return Status::Error(Kind::not_elf, "shorter than an ELF identification");
    Status identity = CheckIdentity(bytes);
    if (!identity.ok()) return identity;
    if (count.value() < sizeof bytes)
        return Corrupt("ELF header ends at byte " + std::to_string(count.value()));
    auto header = LoadAt<Elf64_Ehdr>(bytes, 0);
    type_ = header.e_type;
    // Objects pass here, because dwz writes its alternate files as ET_REL; see IsLinked.
    if (type_ != ET_EXEC && type_ != ET_DYN && type_ != ET_REL) return NotLinked();
    machine_ = header.e_machine;
    entry_ = header.e_entry;
    *tables = {header.e_shoff,    header.e_phoff,     header.e_shnum,    header.e_phnum,
               header.e_shstrndx, header.e_shentsize, header.e_phentsize};
    return Status::Ok();
}

Status ElfFile::ReadSections(Tables *tables) {
    if (tables->section_offset == 0) return Status::Ok();
    const std::string where = "section header table at " + HexText(tables->section_offset);
    if (tables->section_entry != sizeof(Elf64_Shdr)) {
        return Corrupt(where + " has entries of " + std::to_string(tables->section_entry) + " bytes");
    }
    Elf64_Shdr first{};
    Status read = source_->ReadExact(
        tables->section_offset, {reinterpret_cast<uint8_t *>(&first), sizeof first}, "section header table");
    if (!read.ok()) return read;
    // Extended numbering (gABI): values that do not fit the header are kept in section 0.
    if (tables->section_count == 0) tables->section_count = first.sh_size;
    if (tables->names_index == SHN_XINDEX) tables->names_index = first.sh_link;
    if (tables->segment_count == PN_XNUM) tables->segment_count = first.sh_info;
    if (tables->section_count > kMaxSections) {
        return Corrupt(where + " claims " + std::to_string(tables->section_count) + " sections");
    }
    if (!FitsIn(tables->section_offset, tables->section_count * sizeof(Elf64_Shdr), source_->size())) {
        return Corrupt(where + " ends beyond the file");
    }
    std::vector<Elf64_Shdr> headers(tables->section_count);
    read =
        source_->ReadExact(tables->section_offset,
                           {reinterpret_cast<uint8_t *>(headers.data()), headers.size() * sizeof(Elf64_Shdr)},
                           "section header table");
    if (!read.ok()) return read;
    sections_.reserve(headers.size());
    for (const Elf64_Shdr &header : headers) {
        sections_.push_back(ToSection(header));
    }
    return Status::Ok();
}

void ElfFile::NameSections(uint64_t names_index) {
    const bool usable = names_index < sections_.size() && sections_[names_index].type == SHT_STRTAB;
    if (!usable && !sections_.empty() && note_.empty()) note_ = "corrupt: no section name table";
    const uint64_t start = usable ? sections_[names_index].offset : 0;
    const uint64_t end = usable ? AddClamped(start, sections_[names_index].size) : 0;
    WindowReader names(*source_);
    for (ElfSection &section : sections_) {
        section.name = names.String(AddClamped(start, section.name_offset), end, kMaxSectionName);
    }
}

Status ElfFile::ReadSegments(const Tables &tables) {
    if (tables.segment_offset == 0 || tables.segment_count == 0) return Status::Ok();
    const std::string where = "program header table at " + HexText(tables.segment_offset);
    if (tables.segment_entry != sizeof(Elf64_Phdr)) {
        return Corrupt(where + " has entries of " + std::to_string(tables.segment_entry) + " bytes");
    }
    if (tables.segment_count > kMaxSegments) {
        return Corrupt(where + " claims " + std::to_string(tables.segment_count) + " segments");
    }
    std::vector<Elf64_Phdr> headers(tables.segment_count);
    Status read =
        source_->ReadExact(tables.segment_offset,
                           {reinterpret_cast<uint8_t *>(headers.data()), headers.size() * sizeof(Elf64_Phdr)},
                           "program header table");
    if (!read.ok()) return read;
    for (const Elf64_Phdr &header : headers) {
        segments_.push_back({header.p_type, header.p_flags, header.p_offset, header.p_vaddr, header.p_filesz,
                             header.p_memsz, header.p_align});
    }
    return Status::Ok();
}

// Section notes come first: the program headers of a separate debug file still describe the file it was cut
// from.
void ElfFile::ReadBuildId() {
    for (const ElfSection &section : sections_) {
        if (section.type != SHT_NOTE) continue;
        if (FindBuildIdNote(section.offset, section.size, 4)) return;
    }
    for (const ElfSegment &segment : segments_) {
        if (segment.type != PT_NOTE) continue;
        if (FindBuildIdNote(segment.offset, segment.file_size, segment.alignment)) return;
    }
}

bool ElfFile::FindBuildIdNote(uint64_t offset, uint64_t size, uint64_t alignment) {
    if (!FitsIn(offset, 0, source_->size())) return false;
    std::vector<uint8_t> bytes(std::min({size, kMaxNoteBytes, source_->size() - offset}));
    Result<size_t> count = source_->Read(offset, bytes);
    if (!count.ok()) return false;
    const Bytes notes = Bytes(bytes).first(count.value());
    const uint64_t round = alignment == 8 ? 7 : 3;
    uint64_t at = 0;
    while (FitsIn(at, sizeof(Elf64_Nhdr), notes.size())) {
        auto header = LoadAt<Elf64_Nhdr>(notes, at);
        uint64_t name = at + sizeof header;
        uint64_t content = (name + header.n_namesz + round) & ~round;
        if (!FitsIn(name, header.n_namesz, notes.size()) || !FitsIn(content, header.n_descsz, notes.size()))
            return false;
        bool is_gnu = header.n_namesz == 4 && std::memcmp(notes.data() + name, "GNU", 4) == 0;
        if (is_gnu && header.n_type == NT_GNU_BUILD_ID && header.n_descsz > 0 &&
            header.n_descsz <= kMaxBuildId) {
            build_id_ = HexDigits(notes.subspan(content, header.n_descsz));
            return true;
        }
        at = (content + header.n_descsz + round) & ~round;
    }
    return false;
}

bool ElfFile::IsLinked() const {
    return type_ == ET_EXEC || type_ == ET_DYN;
}

Status ElfFile::NotLinked() const {
    return Status::Error(Kind::not_elf, "ELF type " + std::to_string(type_) +
                                            " is neither an executable nor a shared library");
}

const ElfSection *ElfFile::FindSection(std::string_view name) const {
    for (const ElfSection &section : sections_) {
        if (section.name == name) return &section;
    }
    return nullptr;
}

bool ElfFile::HasDwarf() const {
    return FindSection(".debug_info") || FindSection(".zdebug_info");
}

const ElfSegment *ElfFile::CodeSegmentAt(uint64_t file_offset) const {
    const ElfSegment *by_page = nullptr;
    for (const ElfSegment &segment : segments_) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X)) continue;
        if (Contains(segment, file_offset)) return &segment;
        if (!by_page && PagesContain(segment, file_offset)) by_page = &segment;
    }
    return by_page;
}

uint64_t ElfFile::AddressOf(uint64_t file_offset) const {
    // Wrapping arithmetic on purpose: an address a little below p_offset belongs a little below p_vaddr.
    if (const ElfSegment *code = CodeSegmentAt(file_offset))
        return code->address + (file_offset - code->offset);
    for (const ElfSegment &segment : segments_) {
        if (segment.type == PT_LOAD && Contains(segment, file_offset)) {
            return segment.address + (file_offset - segment.offset);
        }
    }
    return file_offset;
}

bool ElfFile::OffsetOf(uint64_t address, uint64_t size, uint64_t *file_offset) const {
    for (const ElfSegment &segment : segments_) {
        if (segment.type != PT_LOAD || address < segment.address) continue;
        uint64_t within = address - segment.address;
        if (!FitsIn(within, size, segment.file_size)) continue;
        if (!FitsIn(AddClamped(segment.offset, within), size, source_->size())) return false;
        *file_offset = segment.offset + within;
        return true;
    }
    return false;
}

Result<std::vector<uint8_t>> ElfFile::ReadSection(const ElfSection &section, uint64_t limit) const {
    if (section.type == SHT_NOBITS || !FitsIn(section.offset, section.size, source_->size())) {
        return Corrupt("section " + section.name + " at " + HexText(section.offset) +
                       " ends beyond the file");
    }
    if (section.size > limit) {
        return Status::Error(Kind::unsupported, "section " + section.name + " of " +
                                                    std::to_string(section.size) + " bytes is too large");
    }
    std::vector<uint8_t> bytes(section.size);
    Status read = source_->ReadExact(section.offset, bytes, section.name.c_str());
    if (!read.ok()) return read;
    return bytes;
}

} // namespace emberscope
