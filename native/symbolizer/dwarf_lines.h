// Addresses of one executable -> chains of functions and source positions. Addresses are taken unit by unit,
// and a unit's line table is let go before the next: the memory does not grow with the number of addresses.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "debug_data.h"

namespace emberscope {

// One function at one source position; zeros and '' where the debug data does not say.
struct SourceFrame {
    std::string function;
    std::string file;
    uint64_t line = 0;
    uint64_t column = 0;
    uint64_t start_line = 0;
};

struct LineCounts {
    // Addresses no unit or line row covers.
    uint64_t uncovered = 0;
    // Frames whose name lies in an alternate file that was not given.
    uint64_t missing_alternate = 0;
    // Addresses in units whose functions are in a separate .dwo file (-gsplit-dwarf): they get a line, no
    // inlines.
    uint64_t split_unit = 0;
};

// Where the rows go.
struct FrameSink {
    // Called at most once an address, in an order of our choosing; `index` is the position in the request.
    std::function<void(size_t index, const std::vector<SourceFrame> &frames)> frames;
    // Called after each unit: a good moment to send what there is.
    std::function<void()> unit_done;
};

// `alternate` may be null. What was parsed is forgotten whenever it has grown by `heap_bytes`.
LineCounts FindLines(DebugData &data, DebugData *alternate, const std::vector<uint64_t> &addresses,
                     uint64_t heap_bytes, const FrameSink &sink);

} // namespace emberscope
