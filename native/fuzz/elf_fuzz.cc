// Fuzzes the whole way of one ELF file: header, tables, .gnu_debugdata, PLT; the same bytes serve as the
// debug file. Besides crashes it checks what every caller relies on: one row per asked offset and indices
// inside `names`.
#include <cstdlib>

#include "../elf_resolve.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    using namespace emberscope;
    const MemorySource file(Bytes(data, size));
    std::vector<double> offsets = {0, -1, 9e15, static_cast<double>(size)};
    for (size_t step = 0; step < 64; ++step) {
        const size_t offset = size * step / 64;
        offsets.push_back(static_cast<double>(offset));
    }
    for (const ByteSource *debug :
         {static_cast<const ByteSource *>(nullptr), static_cast<const ByteSource *>(&file)}) {
        const ElfAnswer answer = ResolveElf(file, debug, offsets);
        if (answer.name.size() != offsets.size() || answer.elf_address.size() != offsets.size()) abort();
        for (int32_t name : answer.name) {
            if (name < -1 || name >= static_cast<int32_t>(answer.names.names().size())) abort();
            if (name >= 0 && !answer.failure.empty()) abort();
        }
    }
    return 0;
}
