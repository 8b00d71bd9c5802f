// Symbols that come as text: the kernel's (/proc/kallsyms) and the maps that JIT compilers write
// (/tmp/perf-<pid>.map). Both are streamed line by line past the asked addresses.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "file_reader.h"
#include "resolved_names.h"

namespace emberscope {

struct KallsymsAnswer : ResolvedNames {
    explicit KallsymsAnswer(size_t rows = 0) : ResolvedNames(rows), module(rows, -1) { modules.Intern(""); }
    std::vector<int32_t> module; // index into modules, -1 without a symbol
    NameTable modules;           // [0] is '': the kernel itself
    bool hidden = false;         // the file lists symbols, all at address zero (kernel.kptr_restrict)
    std::string failure;         // '' or why the list could not be read
};

// Addresses are signed process addresses (negative for the kernel half). A symbol reaches to the next one, at
// most 4 MiB: the list has no sizes, and the space behind the last function of a module is not that function.
KallsymsAnswer ResolveKallsyms(const ByteSource &list, const std::vector<double> &addresses);

// All functions of a list like /proc/kallsyms, one an address, ascending; only of the kernel half. For a
// session that asks again and again.
struct KernelFunctions {
    std::vector<double> start;     // signed process addresses
    std::vector<uint32_t> name_at; // of name i: names[name_at[i]..name_at[i + 1])
    std::vector<uint8_t> names;
    std::vector<int32_t> module; // index into modules
    NameTable modules;           // [0] is '': the kernel itself
    bool hidden = false;
    std::string failure;
};

KernelFunctions ListKernelFunctions(const ByteSource &list);

struct PerfMapAnswer : ResolvedNames {
    using ResolvedNames::ResolvedNames;
    uint64_t malformed_lines = 0;
    std::string failure; // '' or why the map could not be read
};

// "START SIZE name" in hex, one a line. Where lines overlap the later one wins: the compiler reused the
// memory.
PerfMapAnswer ResolvePerfMap(const ByteSource &map, const std::vector<double> &addresses);

} // namespace emberscope
