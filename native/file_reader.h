// Where parsers get their bytes: an open file read by pread, or memory. Nothing is mapped, so a file that is
// cut short while we read it gives a short read, never a SIGBUS, and no file is ever held in memory as a
// whole.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "span.h"
#include "status.h"

namespace emberscope {

// Owns a file descriptor; -1 when empty.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd &&other) noexcept : fd_(other.Release()) {}
    Fd &operator=(Fd &&other) noexcept;
    Fd(const Fd &) = delete;
    Fd &operator=(const Fd &) = delete;
    ~Fd();
    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int Release();

  private:
    int fd_ = -1;
};

class ByteSource {
  public:
    virtual ~ByteSource() = default;
    // Size when the source was opened; zero for files of /proc that do not know theirs.
    virtual uint64_t size() const = 0;
    // Bytes read: fewer than asked only at the end, which may come before size() when the file shrank.
    virtual Result<size_t> Read(uint64_t offset, std::span<uint8_t> into) const = 0;
    // All of `into`, or why not; `what` names the object in the message.
    Status ReadExact(uint64_t offset, std::span<uint8_t> into, const char *what) const;
};

// A regular file behind a borrowed descriptor.
class FileSource : public ByteSource {
  public:
    // Refuses pipes, devices and directories: reading those can block for ever.
    static Result<FileSource> Open(int fd);
    FileSource() = default;
    uint64_t size() const override { return size_; }
    Result<size_t> Read(uint64_t offset, std::span<uint8_t> into) const override;

  private:
    int fd_ = -1;
    uint64_t size_ = 0;
};

// Bytes borrowed from the caller.
class MemorySource : public ByteSource {
  public:
    explicit MemorySource(Bytes bytes) : bytes_(bytes) {}
    uint64_t size() const override { return bytes_.size(); }
    Result<size_t> Read(uint64_t offset, std::span<uint8_t> into) const override;

  private:
    Bytes bytes_;
};

// Many small reads near each other through one cached window.
class WindowReader {
  public:
    explicit WindowReader(const ByteSource &source, size_t window_size = 4096)
        : source_(&source), window_(window_size) {}
    // Up to `size` bytes at `offset` (size <= window), fewer at the end or after an error; valid until the
    // next call.
    Bytes At(uint64_t offset, size_t size);
    // The NUL-terminated string at `offset`, ended by `end` or by `limit` bytes too.
    std::string String(uint64_t offset, uint64_t end, size_t limit);
    // How often the source was read, for callers that must bound their work.
    uint64_t reads() const { return reads_; }

  private:
    const ByteSource *source_;
    std::vector<uint8_t> window_;
    uint64_t start_ = 0;
    size_t filled_ = 0;
    uint64_t reads_ = 0;
};

} // namespace emberscope
