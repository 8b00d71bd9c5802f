// What readelf says of a file's call frame information: every function and every row, and the text of each
// expression. The oracle of cfi_rows.cc; it shares no code with native/cfi.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace verify {

// A register's column: 'u' undefined or never mentioned, 's' same value, 'c' at CFA + offset, 'v' is CFA +
// offset, 'r' in register `offset`, 'e' at an expression, 'x' the value of one.
struct Column {
    char kind = 'u';
    int64_t offset = 0;
};

struct Row {
    uint64_t location = 0;
    bool cfa_by_expression = false;
    int cfa_register = -1;
    int64_t cfa_offset = 0;
    Column rbx, rbp, ra;
};

struct Function {
    uint64_t entry = 0; // offset of its FDE
    uint64_t start = 0, end = 0;
    bool is_signal_frame = false;
    bool is_debug_frame = false;
    std::vector<Row> rows; // first one at `start`
};

// Expressions in force at a location of a function, as readelf prints them.
struct Expressions {
    std::string cfa, rbx, rbp;
};
using ExpressionsAt = std::map<std::pair<uint64_t, uint64_t>, Expressions>; // by entry and location

struct Frames {
    std::vector<Function> functions;
    uint64_t rows = 0;
    ExpressionsAt expressions; // of .eh_frame
};

// False when readelf cannot be run.
bool ReadFrames(const std::string &path, Frames *frames);

} // namespace verify
