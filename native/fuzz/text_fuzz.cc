// Fuzzes the readers of /proc/kallsyms and of perf maps with the same bytes, asking for addresses near those
// listed.
#include <cstdlib>

#include "../text_symbols.h"

namespace {

void CheckRows(const emberscope::ResolvedNames &answer, size_t rows) {
    if (answer.name.size() != rows || answer.symbol_start.size() != rows) abort();
    for (int32_t name : answer.name) {
        if (name < -1 || name >= static_cast<int32_t>(answer.names.names().size())) abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    using namespace emberscope;
    const MemorySource text(Bytes(data, size));
    const std::vector<double> asked = {
        0,      1,       4096, 0x400010,     -1,   -2130706432, -2130706400,  -1073741824, 0x7f00000010,
        9.3e18, -9.3e18, 0.5,  std::nan(""), 0x10, 0x1000,      -4294967296.0};
    CheckRows(ResolveKallsyms(text, asked), asked.size());
    CheckRows(ResolvePerfMap(text, asked), asked.size());
    return 0;
}
