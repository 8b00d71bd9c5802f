// The whole answer for one ELF file: addresses, build id, names from every table there is. The native side of
// resolveElf (src/native/symbols.ts), without any JavaScript, so that it can be fuzzed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "elf_file.h"
#include "resolved_names.h"

namespace emberscope {

struct ElfAnswer : ResolvedNames {
    explicit ElfAnswer(size_t rows = 0) : ResolvedNames(rows), elf_address(rows, 0.0) {}
    std::string failure; // '', 'not_elf' or 'io_error'
    std::string detail;  // why it failed, or the first part that had to be left out
    std::string build_id;
    std::vector<double> elf_address;
    uint64_t segment_address = 0, segment_file_offset = 0, segment_size = 0;
    bool has_symbols = false;
    std::vector<std::string> sources;
    bool has_dwarf = false;
};

// `debug`: separate debug file or nullptr. Rows follow `file_offsets`; values that are no offset (negative,
// NaN, 2^53 and above) get no name. Never fails as a call: damage is in `failure` and `detail`.
ElfAnswer ResolveElf(const ByteSource &file, const ByteSource *debug,
                     const std::vector<double> &file_offsets);

} // namespace emberscope
