#include "cursor.h"

namespace emberscope {

namespace {

constexpr unsigned kMaxShift = 63;

} // namespace

uint64_t Cursor::Uleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMaxShift; shift += 7) {
        const auto byte = Take<uint8_t>();
        const uint64_t bits = byte & 0x7f;
        if (shift == kMaxShift && bits > 1) break;
        value |= bits << shift;
        if (!(byte & 0x80)) return value;
    }
    ok_ = false;
    return 0;
}

int64_t Cursor::Sleb() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift <= kMaxShift; shift += 7) {
        const auto byte = Take<uint8_t>();
        const uint64_t bits = byte & 0x7f;
        if (shift == kMaxShift && bits != 0 && bits != 0x7f) break;
        value |= bits << shift;
        if (byte & 0x80) continue;
        if ((byte & 0x40) && shift + 7 < 64) value |= ~uint64_t{0} << (shift + 7);
        return static_cast<int64_t>(value);
    }
    ok_ = false;
    return 0;
}

Bytes Cursor::Block(uint64_t size) {
    if (!FitsIn(at_, size, bytes_.size())) {
        ok_ = false;
        return {};
    }
    const Bytes block = bytes_.subspan(at_, size);
    at_ += size;
    return block;
}

Bytes Cursor::String(size_t limit) {
    const Bytes rest = at_ < bytes_.size() ? bytes_.subspan(at_) : Bytes();
    const size_t scanned = std::min(rest.size(), limit + 1);
    for (size_t length = 0; length < scanned; ++length) {
        if (rest[length] != 0) continue;
        at_ += length + 1;
        return rest.first(length);
    }
    ok_ = false;
    return {};
}

} // namespace emberscope
