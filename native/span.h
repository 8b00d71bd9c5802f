// Little-endian values out of byte ranges, and the range arithmetic every parser of ours uses. Both hosts we
// support (x86-64, aarch64) are little-endian and so are the files we read, so a load is a copy.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <span>
#include <string>

namespace emberscope {

using Bytes = std::span<const uint8_t>;

// Value at `offset`; zero when it does not fit. Callers that must tell the two apart check FitsIn first.
template <typename T> T LoadAt(Bytes bytes, size_t offset) {
    T value{};
    if (offset <= bytes.size() && bytes.size() - offset >= sizeof(T)) {
        std::memcpy(&value, bytes.data() + offset, sizeof(T));
    }
    return value;
}

// True when [offset, offset + size) lies within [0, total); safe for any values.
inline bool FitsIn(uint64_t offset, uint64_t size, uint64_t total) {
    return offset <= total && size <= total - offset;
}

// offset + size, stopping at the largest value instead of wrapping around.
inline uint64_t AddClamped(uint64_t offset, uint64_t size) {
    return offset > UINT64_MAX - size ? UINT64_MAX : offset + size;
}

// "0x1f0", for messages.
inline std::string HexText(uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

// Lower-case hex digits of each byte, as build ids are written.
inline std::string HexDigits(Bytes bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (uint8_t byte : bytes) {
        text.push_back(kDigits[byte >> 4]);
        text.push_back(kDigits[byte & 15]);
    }
    return text;
}

} // namespace emberscope
