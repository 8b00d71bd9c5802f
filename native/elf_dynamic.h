// The dynamic symbol table by way of PT_DYNAMIC: what the loader itself uses, so it is there even in files
// whose section headers were stripped.
#pragma once

#include "elf_symbols.h"

namespace emberscope {

// Table of at most `limit` symbols; count 0 when the file has none or it is damaged. The number of symbols is
// not recorded: it comes from DT_HASH, or from the last chain of DT_GNU_HASH.
SymbolTable FindDynamicSymbols(const ElfFile &file, uint64_t limit);

} // namespace emberscope
