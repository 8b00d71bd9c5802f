// Names of ELF addresses out of the symbol tables of one or more files (the file itself, its .gnu_debugdata,
// its debug file). Tables are streamed in chunks past the asked addresses; no index is built and no table is
// kept.
//
// The covering symbol with the greatest start wins. Symbols without a size (assembly labels) reach to the
// next symbol or the end of their section, and only count where no sized symbol covers. Ties: the earlier
// table, function over label, global over weak over local, the longer, fewer leading underscores, the earlier
// in its table.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "address_queries.h"
#include "elf_file.h"

namespace emberscope {

// Where a symbol table lies, checked against the file.
struct SymbolTable {
    const ElfFile *file = nullptr;
    const char *label = ""; // ".symtab" and the like, as reported in ResolvedElf.sources
    uint64_t offset = 0;
    uint64_t count = 0;
    uint64_t strings_offset = 0;
    uint64_t strings_end = 0;
};

// .symtab and .dynsym of a file, the latter by PT_DYNAMIC where section headers are stripped. `note` gets the
// first thing that had to be left out.
struct TableSet {
    SymbolTable symtab; // count 0 when there is none
    SymbolTable dynsym;
    std::string note;
};
TableSet FindSymbolTables(const ElfFile &file);

struct SymbolName {
    uint64_t start = 0;
    std::string name;
    size_t table = 0; // index in the order of AddTable
};

class SymbolSearch {
  public:
    explicit SymbolSearch(const AddressQueries &queries);
    // Streams one table; call in order of preference. Returns an error when the table could not be read to
    // its end, what was read counts.
    Status AddTable(const SymbolTable &table);
    bool has_functions() const { return has_functions_; }
    // One row per position of the queries, empty name where no symbol covers; call once, after the last
    // AddTable.
    std::vector<SymbolName> Names();

  private:
    struct Candidate {
        uint64_t start = 0;
        uint64_t end = 0; // exclusive; equal to start for a symbol without a size
        uint64_t size = 0;
        uint32_t name_offset = 0;
        uint16_t table = 0;
        uint16_t section = 0;
        uint8_t rank = 0; // lower wins
        mutable int8_t underscores = -1;
    };
    bool Better(const Candidate &a, const Candidate &b);
    int Underscores(const Candidate &candidate);
    bool ReadCandidate(const uint8_t *bytes, Candidate *candidate) const;
    uint64_t RegionEnd(const Candidate &candidate) const;
    void Place(const Candidate &candidate);
    bool IsUsefulLabel(const Candidate &candidate);
    std::string ReadName(const Candidate &candidate, size_t limit);

    const AddressQueries &queries_;
    CoverTree<Candidate> covering_;
    PredecessorTable<Candidate> before_;
    std::vector<SymbolTable> tables_;
    std::vector<WindowReader> strings_;
    bool has_functions_ = false;
};

} // namespace emberscope
