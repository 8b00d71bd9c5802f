#include "track/mapped_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf_file.h"
#include "tables.h"

namespace emberscope {

namespace {

// 4 GiB of file from the first to the last code byte; beyond it is a lie, or nothing we have room for.
constexpr uint64_t kPagesMax = 1 << 18;

// A device, pipe or terminal behind the path must not be opened for reading: that can block, or do things.
// O_PATH opens nothing but the name; what it is is known before it is opened for good.
Result<Fd> OpenRegular(const std::string &path) {
    Fd name(open(path.c_str(), O_PATH | O_CLOEXEC));
    struct stat info{};
    if (!name.valid() || fstat(name.get(), &info) != 0)
        return Status::Error(errno == EACCES || errno == EPERM ? Kind::not_permitted : Kind::io,
                             "cannot open " + path, errno);
    if (!S_ISREG(info.st_mode)) return Status::Error(Kind::not_elf, path + " is no regular file");
    std::string again = "/proc/self/fd/" + std::to_string(name.get());
    Fd file(open(again.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file.valid())
        return Status::Error(errno == EACCES || errno == EPERM ? Kind::not_permitted : Kind::io,
                             "cannot read " + path, errno);
    return file;
}

Status FindCode(const ElfFile &elf, uint64_t size, MappedFile *file) {
    uint64_t begin = UINT64_MAX, end = 0;
    for (const ElfSegment &segment : elf.segments()) {
        if (segment.type != PT_LOAD || !(segment.flags & PF_X) || segment.offset >= size) continue;
        uint64_t segment_end = std::min(AddClamped(segment.offset, segment.file_size), size);
        if (segment_end <= segment.offset) continue;
        begin = std::min(begin, segment.offset);
        end = std::max(end, segment_end);
    }
    if (begin >= end) return Status::Error(Kind::not_elf, "no executable segment");
    uint64_t first = begin >> TEXT_PAGE_SHIFT, last = (end - 1) >> TEXT_PAGE_SHIFT;
    if (last >= kPagesMax)
        return Status::Error(Kind::unsupported, "code at file offset " + HexText(end) + ", beyond 4 GiB");
    file->first_page = static_cast<uint32_t>(first);
    file->pages = static_cast<uint32_t>(last - first + 1);
    return Status::Ok();
}

FileStamp StampOf(const struct stat &info) {
    uint64_t seconds = static_cast<uint64_t>(info.st_mtim.tv_sec);
    return {info.st_dev, info.st_ino, static_cast<uint64_t>(info.st_size),
            seconds * 1'000'000'000 + static_cast<uint64_t>(info.st_mtim.tv_nsec)};
}

Result<MappedFile> Describe(Fd fd) {
    Result<FileSource> source = FileSource::Open(fd.get());
    if (!source.ok()) return source.status();
    Result<ElfFile> elf = ElfFile::Open(source.value());
    if (!elf.ok()) return elf.status();
    MappedFile file;
    if (Status status = FindCode(elf.value(), source.value().size(), &file); !status.ok()) return status;
    file.stamp = FileStamp::Of(fd.get());
    file.fd = std::move(fd);
    file.build_id = elf.value().build_id();
    return file;
}

// By the build id, or the inode number: its device number alone is no help, because btrfs and overlays show
// another one to stat than to maps.
bool IsSameContent(const MappedFile &file, const ShownFile &shown) {
    if (!shown.build_id.empty()) return file.build_id == shown.build_id;
    return shown.inode != 0 && file.stamp.inode == shown.inode;
}

std::string MappingPath(const ShownFile &shown, uint32_t pid) {
    std::array<char, 80> path{};
    snprintf(path.data(), path.size(), "/proc/%" PRIu32 "/map_files/%" PRIx64 "-%" PRIx64, pid, shown.start,
             shown.end);
    return path.data();
}

// `is_exact`: the path leads to the mapping itself, and only a build id that differs could tell that the
// mapping has changed since.
Result<MappedFile> OpenCandidate(const std::string &path, const ShownFile &shown, bool is_exact) {
    Result<Fd> fd = OpenRegular(path);
    if (!fd.ok()) return fd.status();
    Result<MappedFile> file = Describe(std::move(fd.value()));
    if (!file.ok()) return file;
    bool is_unsaid = file.value().build_id.empty() || shown.build_id.empty();
    if (!(is_exact && is_unsaid) && !IsSameContent(file.value(), shown))
        return Status::Error(Kind::io, path + " is not what was mapped");
    return file;
}

// Our own [vdso] lies where the auxiliary vector says; its size is in our maps.
Result<ShownFile> OwnVdso() {
    Result<std::vector<ShownFile>> maps = ReadExecutableMaps(static_cast<uint32_t>(getpid()));
    if (!maps.ok()) return maps.status();
    for (const ShownFile &shown : maps.value())
        if (shown.path == "[vdso]") return shown;
    return Status::Error(Kind::unsupported, "no [vdso] in our own memory");
}

} // namespace

FileStamp FileStamp::Of(int fd) {
    struct stat info{};
    return fstat(fd, &info) == 0 ? StampOf(info) : FileStamp{};
}

// One build id can have several layouts (patchelf moves the code), so it alone is not the content.
std::string MappedFile::ContentKey() const {
    std::string key = build_id;
    if (key.empty())
        key = std::to_string(stamp.device) + ":" + std::to_string(stamp.inode) + ":" +
              std::to_string(stamp.changed_ns);
    return key + " " + std::to_string(stamp.size) + " " + std::to_string(first_page) + "+" +
           std::to_string(pages);
}

FileStamp StampOfMapping(const ShownFile &shown, uint32_t pid) {
    struct stat info{};
    return stat(MappingPath(shown, pid).c_str(), &info) == 0 ? StampOf(info) : FileStamp{};
}

Result<MappedFile> OpenMappedFile(const ShownFile &shown, const MappingOwner &owner) {
    Result<MappedFile> file = OpenCandidate(MappingPath(shown, owner.pid), shown, true);
    // The kernel marks what was unlinked; something else may lie at the path, or a copy of the same build.
    static constexpr std::string_view kDeleted = " (deleted)";
    std::string path = shown.path;
    if (path.ends_with(kDeleted)) path.resize(path.size() - kDeleted.size());
    if (path.empty() || path[0] != '/') return file;
    std::string process = "/proc/" + std::to_string(owner.pid) + "/root";
    std::string parent = "/proc/" + std::to_string(owner.parent) + "/root";
    for (const std::string &root : {process, parent, std::string()}) {
        if (file.ok() || file.status().kind == Kind::not_elf) return file;
        Result<MappedFile> found = OpenCandidate(root + path, shown, false);
        if (found.ok() || found.status().kind == Kind::not_permitted) file = std::move(found);
    }
    return file;
}

Result<MappedFile> CopyVdso() {
    Result<ShownFile> own = OwnVdso();
    if (!own.ok()) return own.status();
    Fd fd(memfd_create("vdso", MFD_CLOEXEC));
    if (!fd.valid()) return Status::Error(Kind::io, "cannot make a file in memory for the vDSO", errno);
    // The code is mapped and readable for as long as this process lives.
    const auto *bytes =
        reinterpret_cast<const char *>(own.value().start); // NOLINT(performance-no-int-to-ptr)
    size_t size = own.value().end - own.value().start;
    if (write(fd.get(), bytes, size) != static_cast<ssize_t>(size))
        return Status::Error(Kind::io, "cannot copy the vDSO", errno);
    return Describe(std::move(fd));
}

} // namespace emberscope
