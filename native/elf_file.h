// The frame of an ELF file: header, sections, segments, notes. Written for hostile files: every size is
// checked against the file and against a limit before memory is taken, and a damaged table costs only itself
// (see note()). 64-bit little-endian executables and libraries only; symbols are read by elf_symbols.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "file_reader.h"

namespace emberscope {

struct ElfSection {
    std::string name;         // cut at 31 bytes: longer ones are of no use to us
    uint32_t name_offset = 0; // in the section name table
    uint32_t type = 0;
    uint64_t flags = 0;
    uint64_t address = 0;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t link = 0;
    uint64_t entry_size = 0;
};

struct ElfSegment {
    uint32_t type = 0;
    uint32_t flags = 0;
    uint64_t offset = 0;
    uint64_t address = 0;
    uint64_t file_size = 0;
    uint64_t memory_size = 0;
    uint64_t alignment = 0;
};

class ElfFile {
  public:
    // `source` must outlive the file. Kinds: not_elf (another format, or one we do not read), corrupt, io.
    static Result<ElfFile> Open(const ByteSource &source);
    ElfFile() = default;

    const ByteSource &source() const { return *source_; }
    const std::vector<ElfSection> &sections() const { return sections_; }
    const std::vector<ElfSegment> &segments() const { return segments_; }
    // False for object files: their addresses count from each section, so they name nothing a process runs.
    bool IsLinked() const;
    // The error for a file that is not.
    Status NotLinked() const;
    uint16_t machine() const { return machine_; }
    // ELF address of the first instruction, 0 when there is none.
    uint64_t entry() const { return entry_; }
    // Lower-case hex, '' when the file has none.
    const std::string &build_id() const { return build_id_; }
    // What had to be left out, '' when the file is in order.
    const std::string &note() const { return note_; }

    // First section of that name, nullptr when there is none.
    const ElfSection *FindSection(std::string_view name) const;
    bool HasDwarf() const;
    // Executable PT_LOAD whose file bytes hold `file_offset`, its pages' remainders included; nullptr when
    // none.
    const ElfSegment *CodeSegmentAt(uint64_t file_offset) const;
    // ELF address of a file offset; the offset itself where no segment covers it.
    uint64_t AddressOf(uint64_t file_offset) const;
    // File offset of `size` bytes at an ELF address, false when no segment's file bytes hold all of them.
    bool OffsetOf(uint64_t address, uint64_t size, uint64_t *file_offset) const;
    // Content of a section of at most `limit` bytes.
    Result<std::vector<uint8_t>> ReadSection(const ElfSection &section, uint64_t limit) const;

  private:
    struct Tables {
        uint64_t section_offset, segment_offset;
        uint64_t section_count, segment_count, names_index;
        uint16_t section_entry, segment_entry;
    };
    Status ReadHeader(Tables *tables);
    Status ReadSections(Tables *tables);
    Status ReadSegments(const Tables &tables);
    void NameSections(uint64_t names_index);
    void ReadBuildId();
    bool FindBuildIdNote(uint64_t offset, uint64_t size, uint64_t alignment);

    const ByteSource *source_ = nullptr;
    std::vector<ElfSection> sections_;
    std::vector<ElfSegment> segments_;
    uint64_t entry_ = 0;
    uint16_t machine_ = 0;
    uint16_t type_ = 0;
    std::string build_id_;
    std::string note_;
};

} // namespace emberscope
