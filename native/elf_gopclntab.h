// Go's own table of functions, .gopclntab, which its runtime needs and so no stripping removes: entry, name
// and stack depths of every Go function. Go 1.16 and later (debug/gosym calls these versions 1.16, 1.18 and
// 1.20); read in place by pread through small windows, nothing of it is held in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "address_queries.h"
#include "elf_file.h"
#include "elf_symbols.h"

namespace emberscope {

// Bits of GoFunction.flags, as runtime's abi.FuncFlag; Go 1.16 has none.
constexpr uint8_t kGoTopFrame = 1;
constexpr uint8_t kGoWritesStackPointer = 2;
constexpr uint8_t kGoAssembly = 4;

struct GoFunction {
    uint64_t start = 0; // ELF address
    uint64_t end = 0;   // start of the next function: padding is included
    uint32_t name = 0;  // offset in the table of names
    uint32_t pcsp = 0;  // offset in the table of values by pc; 0: none, code that Go did not compile
    uint8_t flags = 0;
};

// Where everything lies, checked against the file. Offsets are file offsets.
struct GoTable {
    const ElfFile *file = nullptr; // nullptr: the file has no such table
    uint32_t magic = 0;
    uint32_t instruction_unit = 1; // bytes; pc steps count in it
    uint64_t functions = 0;
    uint64_t text = 0; // ELF address that entries count from; 0 in Go 1.16, whose entries are addresses
    uint64_t names = 0, values = 0, entries = 0;
    uint64_t end = 0; // of the table, or of what may belong to it
};

// False for Go 1.16 and 1.17, which share one format: the former's flags are always zero.
bool GoTableHasFlags(const GoTable &table);

// A file that is no Go program gives a table without file. Errors: corrupt (a Go program whose table cannot
// be used), io.
Result<GoTable> FindGoTable(const ElfFile &file);

// Reads one table through windows of its own: one reader a thread.
class GoTableReader {
  public:
    explicit GoTableReader(const GoTable &table);
    // Index of the function that covers `address`, of the first one where none starts before; the number of
    // functions beyond the last one.
    uint64_t IndexOf(uint64_t address);
    // False when the entry is damaged; the caller skips it.
    bool Function(uint64_t index, GoFunction *function);
    std::string Name(const GoFunction &function, size_t limit = 4096);
    // A window over the values by pc, from `offset` (GoFunction.pcsp plus what was read); empty at the end.
    Bytes Values(uint64_t offset, size_t size);

  private:
    struct Entry {
        uint64_t address, offset;
    };
    Entry EntryAt(uint64_t index);

    const GoTable &table_;
    WindowReader entries_, records_, names_, values_;
};

// The functions that cover asked addresses: positions with `wanted` set get the name and start of theirs. The
// number of names given.
size_t NameGoFunctions(const GoTable &table, const AddressQueries &queries, const std::vector<bool> &wanted,
                       std::vector<SymbolName> *names);

} // namespace emberscope
