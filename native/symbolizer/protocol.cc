#include "protocol.h"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <unistd.h>

namespace emberscope {
namespace {

constexpr size_t kMaxLineBytes = 64 * 1024;
constexpr size_t kMaxCount = 1 << 20;
constexpr size_t kMaxNamesBytes = 64 << 20;
constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kFlushBytes = 256 * 1024;
constexpr size_t kMaxTextBytes = 8 * 1024;

Status Invalid(std::string message) {
    return Status::Error(Kind::invalid, std::move(message));
}

std::string_view TakeField(std::string_view &line) {
    const size_t blank = line.find(' ');
    const std::string_view field = line.substr(0, blank);
    line = blank == std::string_view::npos ? std::string_view() : line.substr(blank + 1);
    return field;
}

template <typename Number> bool Parse(std::string_view text, Number &number, int base) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    return error == std::errc() && end == text.data() + text.size();
}

const char *ReasonOf(Kind kind) {
    switch (kind) {
    case Kind::not_elf:
        return "not_elf";
    case Kind::corrupt:
        return "corrupt";
    case Kind::unsupported:
        return "unsupported";
    case Kind::invalid:
        return "bad_request";
    default:
        return "io_error";
    }
}

} // namespace

Result<bool> RequestReader::ReadLine(std::string_view &line) {
    for (size_t searched = position_;;) {
        const size_t end = buffer_.find('\n', searched);
        if (end != std::string::npos) {
            line = std::string_view(buffer_).substr(position_, end - position_);
            position_ = end + 1;
            return true;
        }
        buffer_.erase(0, position_);
        position_ = 0;
        searched = buffer_.size();
        if (searched > kMaxLineBytes) return Invalid("a line is longer than 64 KiB");
        buffer_.resize(searched + kReadBytes);
        ssize_t got;
        do
            got = read(fd_, buffer_.data() + searched, kReadBytes);
        while (got < 0 && errno == EINTR);
        buffer_.resize(searched + (got > 0 ? static_cast<size_t>(got) : 0));
        if (got < 0) return Status::Error(Kind::io, "cannot read requests", errno);
        if (got == 0 && !buffer_.empty()) return Invalid("input ends inside a line");
        if (got == 0) return false;
    }
}

Result<bool> RequestReader::Next(Request &request) {
    request = Request();
    std::string_view line;
    Result<bool> more = ReadLine(line);
    if (!more.ok() || !more.value()) return more;
    const std::string_view word = TakeField(line);
    size_t count = 0;
    if (word == "lines") {
        request.kind = Request::Kind::lines;
        for (int *fd : {&request.object_fd, &request.debug_fd, &request.alternate_fd}) {
            if (!Parse(TakeField(line), *fd, 10)) return Invalid("lines: a descriptor is not a number");
        }
    } else if (word == "demangle") {
        request.kind = Request::Kind::demangle;
    } else {
        return Invalid("unknown request");
    }
    if (!Parse(TakeField(line), count, 10) || count > kMaxCount || !line.empty()) {
        return Invalid("the count is not a number up to " + std::to_string(kMaxCount));
    }
    const bool lines = request.kind == Request::Kind::lines;
    if (Status status = lines ? ReadAddresses(count, request) : ReadNames(count, request); !status.ok())
        return status;
    return true;
}

Status RequestReader::ReadAddresses(size_t count, Request &request) {
    request.addresses.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        std::string_view line;
        Result<bool> more = ReadLine(line);
        if (!more.ok()) return more.status();
        uint64_t address = 0;
        if (!more.value() || !Parse(line, address, 16))
            return Invalid("address " + std::to_string(i) + " is missing or not hex");
        request.addresses.push_back(address);
    }
    return Status::Ok();
}

Status RequestReader::ReadNames(size_t count, Request &request) {
    size_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
        std::string_view line;
        Result<bool> more = ReadLine(line);
        if (!more.ok()) return more.status();
        if (!more.value()) return Invalid("name " + std::to_string(i) + " is missing");
        bytes += line.size();
        if (bytes > kMaxNamesBytes) return Invalid("the names of one request have more than 64 MiB");
        request.names.emplace_back(line);
    }
    return Status::Ok();
}

void AnswerWriter::Text(std::string_view text) {
    for (char byte : text.substr(0, kMaxTextBytes)) {
        const unsigned char code = static_cast<unsigned char>(byte);
        buffer_ += code < 0x20 || code == 0x7f ? '?' : byte;
    }
}

int64_t AnswerWriter::StringNumber(const std::string &text) {
    if (text.empty()) return -1;
    const auto [entry, is_new] = strings_.try_emplace(text, static_cast<int64_t>(strings_.size()));
    if (is_new) {
        buffer_ += "s ";
        Text(text);
        buffer_ += '\n';
    }
    return entry->second;
}

void AnswerWriter::Frames(size_t index, const std::vector<SourceFrame> &frames) {
    std::string row = "a " + std::to_string(index);
    for (const SourceFrame &frame : frames) {
        // In its own statements: a new string goes out before the row that uses it.
        const int64_t name = StringNumber(frame.function);
        const int64_t file = StringNumber(frame.file);
        row += ' ' + std::to_string(name) + ' ' + std::to_string(file) + ' ' + std::to_string(frame.line) +
               ' ' + std::to_string(frame.column) + ' ' + std::to_string(frame.start_line);
    }
    buffer_ += row;
    buffer_ += '\n';
    if (buffer_.size() >= kFlushBytes) Flush();
}

void AnswerWriter::Name(const std::string &name, const std::string &readable) {
    if (readable == name) {
        buffer_ += "=\n";
    } else {
        buffer_ += "d ";
        Text(readable);
        buffer_ += '\n';
    }
    if (buffer_.size() >= kFlushBytes) Flush();
}

void AnswerWriter::Done(const std::string &counts) {
    buffer_ += "done";
    if (!counts.empty()) buffer_ += ' ' + counts;
    buffer_ += '\n';
    strings_.clear();
    Flush();
}

void AnswerWriter::Failed(const Status &status) {
    buffer_ += std::string("failed ") + ReasonOf(status.kind) + ' ';
    Text(status.message);
    buffer_ += '\n';
    strings_.clear();
    Flush();
}

void AnswerWriter::Flush() {
    for (size_t sent = 0; sent < buffer_.size();) {
        const ssize_t wrote = write(fd_, buffer_.data() + sent, buffer_.size() - sent);
        if (wrote < 0 && errno == EINTR) continue;
        // Nobody listens any more: there is nothing left to do.
        if (wrote <= 0) _exit(1);
        sent += static_cast<size_t>(wrote);
    }
    buffer_.clear();
}

} // namespace emberscope
