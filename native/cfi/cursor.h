// Reads DWARF values one after the other. Past the end every value is zero and ok() stays false, so a parser
// checks once, after the values it needs.
#pragma once

#include <cstdint>

#include "span.h"

namespace emberscope {

class Cursor {
  public:
    Cursor() = default;
    explicit Cursor(Bytes bytes) : bytes_(bytes) {}

    bool ok() const { return ok_; }
    bool AtEnd() const { return !ok_ || at_ >= bytes_.size(); }
    size_t at() const { return at_; }

    template <typename T> T Take() {
        if (!FitsIn(at_, sizeof(T), bytes_.size())) {
            ok_ = false;
            return T{};
        }
        T value = LoadAt<T>(bytes_, at_);
        at_ += sizeof(T);
        return value;
    }
    // At most ten bytes, and 64 bits: longer ones are no numbers.
    uint64_t Uleb();
    int64_t Sleb();
    // The next `size` bytes, none when there are fewer.
    Bytes Block(uint64_t size);
    // A NUL-terminated string of at most `limit` bytes, without the NUL.
    Bytes String(size_t limit);

  private:
    Bytes bytes_;
    size_t at_ = 0;
    bool ok_ = true;
};

} // namespace emberscope
