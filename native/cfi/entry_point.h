// The first function of a program (_start): every stack ends there, and musl's and Go's say so in no table.
#pragma once

#include "elf_file.h"

namespace emberscope {

// ELF address of the program's first instruction; 0 for libraries, whose entry old linkers set to whatever
// .text starts with.
uint64_t FindProgramEntry(const ElfFile &file);

} // namespace emberscope
