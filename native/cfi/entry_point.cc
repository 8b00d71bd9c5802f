#include "entry_point.h"

#include <elf.h>

namespace emberscope {

namespace {

constexpr uint64_t kMaxDynamicEntries = 4096;

const ElfSegment *FindSegment(const ElfFile &file, uint32_t type) {
    for (const ElfSegment &segment : file.segments()) {
        if (segment.type == type) return &segment;
    }
    return nullptr;
}

bool SaysItIsProgram(const ElfFile &file, const ElfSegment &dynamic) {
    WindowReader reader(file.source());
    const uint64_t count = std::min(dynamic.file_size / sizeof(Elf64_Dyn), kMaxDynamicEntries);
    for (uint64_t index = 0; index < count; ++index) {
        const uint64_t at = AddClamped(dynamic.offset, index * sizeof(Elf64_Dyn));
        const auto entry = LoadAt<Elf64_Dyn>(reader.At(at, sizeof(Elf64_Dyn)), 0);
        if (entry.d_tag == DT_FLAGS_1) return entry.d_un.d_val & DF_1_PIE;
        if (entry.d_tag == DT_NULL) return false;
    }
    return false;
}

} // namespace

uint64_t FindProgramEntry(const ElfFile &file) {
    const ElfSection *text = file.FindSection(".text");
    const ElfSegment *dynamic = FindSegment(file, PT_DYNAMIC);
    const bool is_library = dynamic && !FindSegment(file, PT_INTERP) && !SaysItIsProgram(file, *dynamic);
    // ld.so is a library that is started; its entry is no accident of the linker's.
    if (is_library && text && text->address == file.entry()) return 0;
    return file.entry();
}

} // namespace emberscope
