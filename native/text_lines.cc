#include "text_lines.h"

namespace emberscope {

// Moves what is left to the front and reads behind it; false when nothing more came.
bool LineReader::Fill() {
    std::memmove(buffer_.data(), buffer_.data() + at_, filled_ - at_);
    buffer_offset_ += at_;
    filled_ -= at_;
    at_ = 0;
    const uint64_t offset = buffer_offset_ + filled_;
    const size_t room = std::min<uint64_t>(buffer_.size() - filled_, limit_ - std::min(limit_, offset));
    if (ended_ || room == 0) return false;
    Result<size_t> count = source_.Read(offset, {buffer_.data() + filled_, room});
    if (!count.ok()) status_ = count.status();
    const size_t got = count.ok() ? count.value() : 0;
    ended_ = got < room;
    filled_ += got;
    return got > 0;
}

size_t LineReader::FindNewline() const {
    const uint8_t *start = buffer_.data() + at_;
    const void *newline = std::memchr(start, '\n', filled_ - at_);
    return newline ? static_cast<size_t>(static_cast<const uint8_t *>(newline) - start) : filled_ - at_;
}

bool LineReader::SkipRestOfLine() {
    while (true) {
        at_ += FindNewline();
        if (at_ < filled_) {
            ++at_;
            in_long_line_ = false;
            return true;
        }
        if (!Fill()) return false;
    }
}

bool LineReader::Next(TextLine *line) {
    if (in_long_line_ && !SkipRestOfLine()) return false;
    size_t length = FindNewline();
    while (at_ + length == filled_ && length < kMaxLine && Fill()) {
        length = FindNewline();
    }
    if (at_ == filled_) return false;
    line->offset = buffer_offset_ + at_;
    line->text = {reinterpret_cast<const char *>(buffer_.data() + at_), std::min(length, kMaxLine)};
    in_long_line_ = at_ + length == filled_;
    at_ += in_long_line_ ? length : length + 1;
    return true;
}

} // namespace emberscope
