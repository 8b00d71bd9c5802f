#include "tables/row_cache.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace emberscope {

namespace {

constexpr time_t kDaySeconds = 86400;
constexpr time_t kAbandonedSeconds = 3600; // a temporary file this old has no writer any more
constexpr uint64_t kBlockBytes = 4096;     // what a file takes at least
constexpr std::string_view kSuffix = ".rows", kTemporary = ".new-";

// Makes every missing directory of the path for us alone.
void MakeDirectories(const std::string &path) {
    for (size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        mkdir(path.substr(0, end).c_str(), 0700);
    }
    mkdir(path.c_str(), 0700);
}

bool IsBuildId(const std::string &text) {
    return !text.empty() && text.size() <= 64 &&
           text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

struct StoredFile {
    std::string name;
    uint64_t bytes;
    time_t used;
};

// Our files in the directory; abandoned ones of dead writers are removed on the way.
std::vector<StoredFile> ListFiles(int directory) {
    std::vector<StoredFile> files;
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    std::unique_ptr<DIR, int (*)(DIR *)> list(fd < 0 ? nullptr : fdopendir(fd), closedir);
    if (!list) {
        if (fd >= 0) close(fd);
        return files;
    }
    while (const dirent *entry = readdir(list.get())) {
        std::string_view name = entry->d_name;
        struct stat info{};
        if (fstatat(directory, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (name.starts_with(kTemporary)) {
            if (time(nullptr) - info.st_mtime > kAbandonedSeconds) unlinkat(directory, entry->d_name, 0);
        } else if (name.ends_with(kSuffix)) {
            uint64_t bytes = std::max<uint64_t>(static_cast<uint64_t>(info.st_size), kBlockBytes);
            files.push_back({std::string(name), bytes, info.st_mtime});
        }
    }
    return files;
}

bool WriteAll(int fd, Bytes bytes) {
    while (!bytes.empty()) {
        ssize_t count = write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes = bytes.subspan(static_cast<size_t>(count));
    }
    return true;
}

} // namespace

RowCache::RowCache(const std::string &directory, uint64_t bytes_max)
    : path_(directory), bytes_max_(bytes_max) {
    if (directory.empty()) return;
    MakeDirectories(directory);
    Fd fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info{};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) {
        note_ = "unwind tables are not cached: cannot open " + directory + ": " + strerror(errno);
    } else if (info.st_uid != geteuid() || (info.st_mode & 077) != 0) {
        note_ = "unwind tables are not cached: " + directory +
                " must belong to us and have mode 0700; remove it, or correct owner and mode";
    } else {
        directory_ = std::move(fd);
    }
}

std::optional<CacheKey> RowCache::KeyOf(int fd, const std::string &build_id) const {
    struct stat info{};
    if (!IsUsable() || !IsBuildId(build_id) || fstat(fd, &info) != 0) return std::nullopt;
    if (!S_ISREG(info.st_mode) || (info.st_mode & S_IWOTH) != 0) return std::nullopt;
    return CacheKey{build_id, static_cast<uint64_t>(info.st_size), info.st_uid};
}

std::optional<CacheFile> RowCache::Load(const CacheKey &key) const {
    if (!IsUsable()) return std::nullopt;
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    Fd fd(openat(directory_.get(), key.FileName().c_str(), flags));
    struct stat info{};
    if (!fd.valid() || fstat(fd.get(), &info) != 0) return std::nullopt;
    bool is_ours = S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 022) == 0;
    if (!is_ours || info.st_size <= 0 || info.st_size > static_cast<off_t>(kCacheFileBytesMax))
        return std::nullopt;
    std::vector<uint8_t> bytes(static_cast<size_t>(info.st_size));
    Result<FileSource> source = FileSource::Open(fd.get());
    if (!source.ok() || !source.value().ReadExact(0, bytes, "a cache file").ok()) return std::nullopt;
    if (time(nullptr) - info.st_mtime > kDaySeconds) futimens(fd.get(), nullptr); // Trim() goes by last use
    return CacheFile::Read(std::move(bytes), key);
}

Status RowCache::Store(const CacheKey &key, const std::vector<CachedPage> &pages) const {
    if (!IsUsable()) return Status::Error(Kind::invalid, "there is no cache of unwind tables");
    std::optional<CacheFile> stored = Load(key);
    std::map<uint32_t, PageView> merged;
    if (stored) {
        for (const PageView &page : stored->pages()) {
            merged[page.page] = page;
        }
    }
    for (const CachedPage &page : pages) {
        merged[page.page] = page.view();
    }
    std::vector<PageView> all;
    all.reserve(merged.size());
    for (const auto &[number, page] : merged) {
        all.push_back(page);
    }
    return Replace(key.FileName(), CacheFile::Write(key, std::move(all)));
}

Status RowCache::Replace(const std::string &name, Bytes bytes) const {
    static std::atomic<uint32_t> written{0};
    std::string temporary(kTemporary);
    temporary += std::to_string(getpid()) + "-" + std::to_string(written.fetch_add(1));
    Fd fd(openat(directory_.get(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                 0600));
    if (fd.valid() && WriteAll(fd.get(), bytes) &&
        renameat(directory_.get(), temporary.c_str(), directory_.get(), name.c_str()) == 0) {
        return Status::Ok();
    }
    int error = errno;
    if (fd.valid()) unlinkat(directory_.get(), temporary.c_str(), 0);
    return Status::Error(
        Kind::io, "unwind tables are not cached: cannot write " + path_ + "/" + name + ": " + strerror(error),
        error);
}

void RowCache::Trim() const {
    if (!IsUsable()) return;
    std::vector<StoredFile> files = ListFiles(directory_.get());
    std::sort(files.begin(), files.end(), [](auto &a, auto &b) { return a.used > b.used; });
    uint64_t bytes = 0;
    for (const StoredFile &file : files) {
        bytes += file.bytes;
        if (bytes > bytes_max_) unlinkat(directory_.get(), file.name.c_str(), 0);
    }
}

} // namespace emberscope
