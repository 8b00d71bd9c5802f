// Where a Go program's text begins: the address that the entries of .gopclntab (Go 1.18 and later) count
// from. Linkers wrote it into the table's header until Go 1.25, position-independent programs as a relocation
// only; since Go 1.26 it stands in the runtime's moduledata alone.
#pragma once

#include <cstdint>
#include <optional>

#include "elf_file.h"

namespace emberscope {

// What tells a moduledata from bytes that look like one.
struct GoTextBounds {
    uint64_t table = 0;       // ELF address of .gopclntab
    uint32_t first_entry = 0; // the first function's, counted from the text
    uint32_t end_entry = 0;   // the end of the last function's
};

// True when [text, text + end_entry) is code of the file.
bool IsGoText(const ElfFile &file, uint64_t text, const GoTextBounds &bounds);

// By relocation of the header's field (`header_field`: its ELF address), else by moduledata.
std::optional<uint64_t> FindGoText(const ElfFile &file, uint64_t header_field, const GoTextBounds &bounds);

} // namespace emberscope
