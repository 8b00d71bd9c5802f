#include "debug_files.h"

#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>
#include <zlib.h>

#include "elf_file.h"

namespace emberscope {

namespace {

constexpr uint64_t kMaxLinkSection = 8192;
constexpr uint64_t kMaxCrcBytes = uint64_t{8} << 30;
constexpr size_t kCrcChunk = 1 << 20;
// A pipe put where a debug file should be must not block the open.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

struct OpenedFile {
    Fd fd;
    std::string path; // as we can open it again
};

std::string PathOfFd(int fd) {
    char target[PATH_MAX];
    ssize_t length = readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), target, sizeof target);
    return length > 0 ? std::string(target, static_cast<size_t>(length)) : std::string();
}

bool SameFile(int fd, int other) {
    struct stat a{}, b{};
    return fstat(fd, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// The link-free path below `root` of a file opened inside it. The kernel gives both paths as seen from the
// root of their own mount namespace, so the one starts with the other.
std::string ResolvedPath(int root_fd, int fd, const std::string &root) {
    std::string base = PathOfFd(root_fd), full = PathOfFd(fd);
    if (base == "/") base.clear();
    if (base.empty() || full.starts_with(base + "/")) full.erase(0, base.size());
    std::string path = root + full;
    Fd again(open(path.c_str(), kOpenFlags));
    return again.valid() && SameFile(fd, again.get()) ? path : std::string();
}

// openat2 asks to be called again when a rename or mount elsewhere raced with its walk through "..".
Fd OpenInRoot(int root_fd, const std::string &path) {
    static constexpr int kAttempts = 16;
    open_how how{};
    how.flags = kOpenFlags;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    long fd = -1;
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        fd = syscall(SYS_openat2, root_fd, path.c_str(), &how, sizeof how);
        if (fd >= 0 || errno != EAGAIN) break;
    }
    return Fd(static_cast<int>(fd));
}

OpenedFile OpenBelow(const std::string &root, const std::string &path) {
    OpenedFile opened;
    Fd root_fd(open(root.empty() ? "/" : root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root_fd.valid()) return opened;
    opened.fd = root.empty() ? Fd(open(path.c_str(), kOpenFlags)) : OpenInRoot(root_fd.get(), path);
    if (opened.fd.valid()) {
        opened.path = ResolvedPath(root_fd.get(), opened.fd.get(), root);
    } else if (errno == ENOSYS) { // before Linux 5.6
        opened.fd = Fd(open((root + path).c_str(), kOpenFlags));
        opened.path = root + path;
    }
    if (opened.path.empty()) opened.fd = Fd();
    return opened;
}

std::string DirectoryOf(const std::string &path) {
    size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::string BuildIdPath(const std::string &build_id) {
    if (build_id.size() < 4) return {};
    return "/usr/lib/debug/.build-id/" + build_id.substr(0, 2) + "/" + build_id.substr(2) + ".debug";
}

// .gnu_debuglink is a file name and the CRC of that file; .gnu_debugaltlink a path and a build id.
struct DebugLinks {
    std::string build_id;
    std::string link_name;
    uint32_t link_crc = 0;
    std::string alt_path;
    std::string alt_build_id;
};

// The string at the start of a section; false unless it ends there with a NUL and `minimum_tail` bytes
// follow.
bool SplitLinkSection(const ElfFile &file, const char *name, size_t minimum_tail, std::string *text,
                      std::vector<uint8_t> *tail) {
    const ElfSection *section = file.FindSection(name);
    if (!section) return false;
    Result<std::vector<uint8_t>> bytes = file.ReadSection(*section, kMaxLinkSection);
    if (!bytes.ok()) return false;
    auto nul = std::find(bytes.value().begin(), bytes.value().end(), 0);
    if (nul == bytes.value().begin() || nul == bytes.value().end()) return false;
    text->assign(bytes.value().begin(), nul);
    tail->assign(nul + 1, bytes.value().end());
    return tail->size() >= minimum_tail;
}

DebugLinks ReadLinks(int fd) {
    DebugLinks links;
    Result<FileSource> source = FileSource::Open(fd);
    if (!source.ok()) return links;
    Result<ElfFile> file = ElfFile::Open(source.value());
    if (!file.ok()) return links;
    links.build_id = file.value().build_id();
    std::string name;
    std::vector<uint8_t> tail;
    // A link with a slash is none that any tool writes; refusing it keeps the search in the three places
    // below.
    if (SplitLinkSection(file.value(), ".gnu_debuglink", 4, &name, &tail) &&
        name.find('/') == std::string::npos) {
        const size_t padding = (4 - (name.size() + 1) % 4) % 4;
        if (tail.size() >= padding + 4) {
            links.link_name = name;
            links.link_crc = LoadAt<uint32_t>(tail, padding);
        }
    }
    if (SplitLinkSection(file.value(), ".gnu_debugaltlink", 1, &name, &tail)) {
        links.alt_path = name;
        links.alt_build_id = HexDigits(tail);
    }
    return links;
}

bool HasBuildId(int fd, const std::string &build_id) {
    return ReadLinks(fd).build_id == build_id;
}

bool HasCrc(int fd, uint32_t expected) {
    Result<FileSource> source = FileSource::Open(fd);
    if (!source.ok() || source.value().size() > kMaxCrcBytes) return false;
    std::vector<uint8_t> chunk(kCrcChunk);
    uLong crc = crc32(0, nullptr, 0);
    for (uint64_t offset = 0; offset < source.value().size();) {
        Result<size_t> count = source.value().Read(offset, chunk);
        if (!count.ok() || count.value() == 0) return false;
        crc = crc32(crc, chunk.data(), static_cast<uInt>(count.value()));
        offset += count.value();
    }
    return crc == expected;
}

OpenedFile OpenByBuildId(const std::string &root, const std::string &build_id) {
    const std::string path = BuildIdPath(build_id);
    if (path.empty()) return {};
    OpenedFile opened = OpenBelow(root, path);
    if (opened.fd.valid() && HasBuildId(opened.fd.get(), build_id)) return opened;
    return {};
}

OpenedFile OpenByLink(int fd, const std::string &root, const std::string &path, const DebugLinks &links) {
    if (links.link_name.empty() || !path.starts_with('/')) return {};
    const std::string directory = DirectoryOf(path);
    for (const std::string &place : {directory, directory + "/.debug", "/usr/lib/debug" + directory}) {
        OpenedFile opened = OpenBelow(root, place + "/" + links.link_name);
        if (!opened.fd.valid() || SameFile(fd, opened.fd.get())) continue;
        if (HasCrc(opened.fd.get(), links.link_crc)) return opened;
    }
    return {};
}

// `owner`: path, as its process saw it, of the file that holds the link.
OpenedFile OpenAlt(const std::string &root, const std::string &owner, const DebugLinks &links) {
    if (links.alt_path.empty()) return {};
    const bool absolute = links.alt_path.starts_with('/');
    const std::string path = absolute ? links.alt_path : DirectoryOf(owner) + "/" + links.alt_path;
    OpenedFile opened = OpenBelow(root, path);
    if (opened.fd.valid() && HasBuildId(opened.fd.get(), links.alt_build_id)) return opened;
    return OpenByBuildId(root, links.alt_build_id);
}

} // namespace

DebugFilesAnswer FindDebugFiles(int fd, const std::string &path, const std::string &root) {
    DebugFilesAnswer answer;
    const DebugLinks links = ReadLinks(fd);
    std::vector<std::string> roots = {root};
    if (!root.empty()) roots.push_back("");
    for (const std::string &base : roots) {
        OpenedFile debug = OpenByBuildId(base, links.build_id);
        if (!debug.fd.valid()) debug = OpenByLink(fd, base, path, links);
        const bool found = debug.fd.valid();
        DebugLinks owner_links = found ? ReadLinks(debug.fd.get()) : links;
        std::string owner = found ? debug.path.substr(base.size()) : path;
        if (found) answer.debug_file = debug.path;
        if (owner_links.alt_path.empty()) {
            owner_links = links;
            owner = path;
        }
        OpenedFile alt = OpenAlt(base, owner, owner_links);
        if (alt.fd.valid()) answer.alt_file = alt.path;
        if (found) break;
    }
    return answer;
}

} // namespace emberscope
