// Lines of a file of any size, through one buffer.
#pragma once

#include <string_view>
#include <vector>

#include "file_reader.h"

namespace emberscope {

struct TextLine {
    uint64_t offset = 0;   // of the line's first byte
    std::string_view text; // without the newline; its first 64 KiB when it is longer
};

class LineReader {
  public:
    // Reads at most `limit` bytes; so a file that grows while we read, or a sparse one, ends.
    LineReader(const ByteSource &source, uint64_t limit) : source_(source), limit_(limit), buffer_(kBuffer) {}
    // False at the end or after an error. The text is valid until the next call.
    bool Next(TextLine *line);
    const Status &status() const { return status_; }

  private:
    static constexpr size_t kBuffer = 256 * 1024;
    static constexpr size_t kMaxLine = 64 * 1024;
    bool Fill();
    // Bytes before the next newline of the buffer, or before its end.
    size_t FindNewline() const;
    bool SkipRestOfLine();

    const ByteSource &source_;
    uint64_t limit_;
    std::vector<uint8_t> buffer_;
    uint64_t buffer_offset_ = 0; // of buffer_[0] in the file
    size_t at_ = 0;
    size_t filled_ = 0;
    bool ended_ = false;
    bool in_long_line_ = false; // the last line's newline was not in the buffer
    Status status_;
};

} // namespace emberscope
