// The share of code with unwind rows: by segments and by sections, and of sections that lie.
// sources: native/cfi/*.cc native/elf_file.cc native/elf_gomodule.cc native/elf_gopclntab.cc
// sources: native/file_reader.cc
// libraries: -lz
#include <cstdio>

#include "cfi/code_coverage.h"
#include "check.h"
#include "frame_image.h"

using namespace emberscope;

namespace {

CodeCoverage Measure(const ByteString &bytes, uint32_t pages_max = 1024) {
    const MemorySource source(bytes);
    auto rows = FileRows::Open(source);
    auto file = ElfFile::Open(source);
    if (!check(rows.ok() && file.ok(), "the file can be read")) return {};
    return CoverageOf(file.value(), *rows.value(), pages_max);
}

void Same(CodeCoverage found, uint64_t code, uint64_t covered, const char *claim) {
    if (!check(found.code_bytes == code && found.covered_bytes == covered, claim))
        printf("  expected %lu of %lu, found %lu of %lu\n", static_cast<unsigned long>(covered),
               static_cast<unsigned long>(code), static_cast<unsigned long>(found.covered_bytes),
               static_cast<unsigned long>(found.code_bytes));
}

FrameBytes OneFunction(uint32_t size) {
    FrameBytes frames;
    frames.Fde(frames.UsualCie(), kCodeAddress + 0x100, size, {});
    return frames;
}

// Section 1 of the image, and its copies behind the last, become executable ranges of the file.
ByteString WithCodeSections(ByteString bytes, uint64_t offset, uint64_t size, size_t copies) {
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    Elf64_Shdr section;
    std::memcpy(&section, bytes.data() + header.e_shoff + sizeof section, sizeof section);
    section.sh_name = 0;
    section.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    section.sh_offset = offset;
    section.sh_size = size;
    for (size_t i = 0; i < copies; i++)
        AppendValue(&bytes, section);
    header.e_shnum = static_cast<uint16_t>(header.e_shnum + copies);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

void ByParts() {
    Same(Measure(FrameImage(OneFunction(0x40)).bytes), 0x800, 0x40, "of the segment, without code sections");
    Same(Measure(FrameImage(OneFunction(0x700)).bytes), 0x800, 0x700, "a function of most of it");
    Same(Measure(FrameImage(FrameBytes()).bytes), 0x800, 0, "tables without functions cover nothing");
    ByteString image = FrameImage(OneFunction(0x40)).bytes;
    Same(Measure(WithCodeSections(image, 0x1100, 0x80, 1)), 0x80, 0x40, "of the section, where there is one");
}

void OfLiars() {
    ByteString image = FrameImage(OneFunction(0x40)).bytes;
    Same(Measure(WithCodeSections(image, 0x1100, 0x80, 5000)), 0x80, 0x40,
         "sections upon each other count once");
    Same(Measure(WithCodeSections(image, 0x1100, UINT64_MAX, 1)), TEXT_PAGE_BYTES - 0x1100, 0x40,
         "a section without end ends with the pages of code");
    Same(Measure(image, 0), 0, 0, "no page may be looked at");
}

void OfManyPages() {
    ImageOptions options;
    options.code_size = 16 * TEXT_PAGE_BYTES;
    FrameBytes frames;
    frames.Fde(frames.UsualCie(), kCodeAddress, 16 * TEXT_PAGE_BYTES, {});
    const ByteString image = FrameImage(frames, options).bytes;
    Same(Measure(image), 16 * TEXT_PAGE_BYTES, 16 * TEXT_PAGE_BYTES, "every page of a small file");
    const CodeCoverage part = Measure(image, 4);
    check(part.code_bytes == part.covered_bytes && part.code_bytes >= 3 * TEXT_PAGE_BYTES &&
              part.code_bytes <= 4 * TEXT_PAGE_BYTES,
          "a sample of a large one");
}

} // namespace

int main() {
    ByParts();
    OfLiars();
    OfManyPages();
    return report();
}
