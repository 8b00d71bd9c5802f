// How much of a file's code its unwind tables cover: a file can have tables and yet lack them for most of its
// code (hand-written assembly, a C library built without).
#pragma once

#include <cstdint>

#include "cfi/file_rows.h"
#include "elf_file.h"

namespace emberscope {

struct CodeCoverage {
    uint64_t code_bytes = 0, covered_bytes = 0; // of the text pages that were looked at
};

// Of executable sections, or of executable segments where there are no sections. Of a large file evenly
// spread text pages are looked at, at most `pages_max`. What cannot be read counts as not covered.
CodeCoverage CoverageOf(const ElfFile &file, const FileRows &rows, uint32_t pages_max = 1024);

} // namespace emberscope
