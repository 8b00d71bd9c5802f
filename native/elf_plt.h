// Names for the stubs of the procedure linkage table, which no symbol table lists: "read@plt". The stub's
// jump gives its slot in the global offset table, and the relocation of that slot names the function.
#pragma once

#include <string>
#include <vector>

#include "elf_symbols.h"

namespace emberscope {

struct PltName {
    uint64_t start = 0; // of the stub
    std::string name;   // '' when the address is in no stub or the stub is of a form we do not know
};

// One row per address; `dynsym` as found by FindSymbolTables. Relocations are streamed once, and only when
// some address lies in a stub.
std::vector<PltName> NamePltStubs(const ElfFile &file, const SymbolTable &dynsym,
                                  const std::vector<uint64_t> &addresses);

} // namespace emberscope
