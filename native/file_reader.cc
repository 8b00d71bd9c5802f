#include "file_reader.h"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace emberscope {

Fd &Fd::operator=(Fd &&other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) close(fd_);
        fd_ = other.Release();
    }
    return *this;
}

Fd::~Fd() {
    if (fd_ >= 0) close(fd_);
}

int Fd::Release() {
    int fd = fd_;
    fd_ = -1;
    return fd;
}

Status ByteSource::ReadExact(uint64_t offset, std::span<uint8_t> into, const char *what) const {
    Result<size_t> count = Read(offset, into);
    if (!count.ok()) return count.status();
    if (count.value() == into.size()) return Status::Ok();
    return Status::Error(Kind::corrupt, std::string("corrupt: ") + what + " at " + HexText(offset) +
                                            " ends beyond the file");
}

Result<FileSource> FileSource::Open(int fd) {
    struct stat info{};
    if (fstat(fd, &info) != 0) {
        return Status::Error(Kind::io, std::string("cannot stat the file: ") + strerror(errno), errno);
    }
    if (!S_ISREG(info.st_mode)) return Status::Error(Kind::not_elf, "not a regular file");
    FileSource source;
    source.fd_ = fd;
    source.size_ = info.st_size > 0 ? static_cast<uint64_t>(info.st_size) : 0;
    return source;
}

Result<size_t> FileSource::Read(uint64_t offset, std::span<uint8_t> into) const {
    size_t done = 0;
    while (done < into.size()) {
        uint64_t at = AddClamped(offset, done);
        if (at > static_cast<uint64_t>(INT64_MAX)) break;
        ssize_t count = pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(at));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            return Status::Error(Kind::io, "cannot read at " + HexText(at) + ": " + strerror(errno), errno);
        }
        if (count == 0) break;
        done += static_cast<size_t>(count);
    }
    return done;
}

Result<size_t> MemorySource::Read(uint64_t offset, std::span<uint8_t> into) const {
    if (offset >= bytes_.size() || into.empty()) return size_t{0};
    size_t count = std::min<uint64_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, count);
    return count;
}

Bytes WindowReader::At(uint64_t offset, size_t size) {
    size = std::min(size, window_.size());
    bool cached = offset >= start_ && FitsIn(offset - start_, size, filled_);
    if (!cached) {
        Result<size_t> count = source_->Read(offset, window_);
        ++reads_;
        start_ = offset;
        filled_ = count.ok() ? count.value() : 0;
    }
    size_t skipped = static_cast<size_t>(offset - start_);
    return Bytes(window_).subspan(skipped, std::min(size, filled_ - skipped));
}

std::string WindowReader::String(uint64_t offset, uint64_t end, size_t limit) {
    static constexpr size_t kStep = 64;
    std::string text;
    while (offset < end && text.size() < limit) {
        size_t wanted = std::min<uint64_t>({kStep, end - offset, limit - text.size()});
        Bytes piece = At(offset, wanted);
        auto nul = std::find(piece.begin(), piece.end(), 0);
        text.append(piece.begin(), nul);
        if (nul != piece.end() || piece.size() < wanted) break;
        offset += piece.size();
    }
    return text;
}

} // namespace emberscope
