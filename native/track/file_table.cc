#include "track/file_table.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "track/boot_clock.h"

namespace emberscope {

namespace {

constexpr uint64_t kRetryNs = 10'000'000'000; // a file that could not be opened is looked for again
constexpr uint64_t kForgetNs = 1'000'000'000; // how often it pays to look through the files
constexpr size_t kKeysOfFileMax = 256;        // more paths than that for one content are made up
constexpr size_t kKeysMax = 65536;
constexpr uint64_t kCompatEnd = 1ull << 32; // the [vdso] of a 32-bit process lies below
constexpr std::string_view kVdso = "[vdso]";

// Memory that has a name; a memfd or a shared segment may hold a program all the same.
bool IsMemoryPath(std::string_view path) {
    static constexpr std::array<std::string_view, 6> kPrefixes = {"/memfd:",        "/dev/zero", "/SYSV",
                                                                  "/anon_hugepage", "/dev/shm/", "/i915"};
    return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                       [&](std::string_view prefix) { return path.starts_with(prefix); });
}

bool IsFilePath(std::string_view path) {
    return path.starts_with('/') && !path.starts_with("//");
}

std::string KeyOf(const ShownFile &shown, uint32_t pid) {
    if (shown.path == kVdso) return std::string(kVdso);
    if (!shown.build_id.empty()) return "b " + shown.build_id + " " + shown.path;
    if (shown.inode == 0) return "p " + std::to_string(pid) + " " + shown.path;
    return "i " + std::to_string(shown.device_major) + ":" + std::to_string(shown.device_minor) + ":" +
           std::to_string(shown.inode) + " " + shown.path;
}

} // namespace

FileTable::FileTable(TableStore &store, const FileTableOptions &options) : store_(store), options_(options) {}

FileTable::Identity FileTable::Identify(const ShownFile &shown, const MappingOwner &owner) {
    bool is_vdso = shown.path == kVdso;
    if (!is_vdso && !IsFilePath(shown.path)) return {MAPPING_JIT, nullptr};
    if (is_vdso && shown.end <= kCompatEnd) return {MAPPING_NO_TABLES, nullptr};
    std::string key = KeyOf(shown, owner.pid);
    if (const Known *known = Find(key, shown, owner.pid)) return {known->kind, known->file.lock()};
    return Open(key, shown, owner);
}

// What is known under a key, unless it may mean another file by now. A build id cannot; an inode number can,
// once the file is gone or was written to. The one we hold open is not gone.
const FileTable::Known *FileTable::Find(const std::string &key, const ShownFile &shown, uint32_t pid) const {
    auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    const Known &known = found->second;
    std::shared_ptr<TrackedFile> file = known.file.lock();
    if (!file) return BootClockNs() < known.tried_ns + kRetryNs ? &known : nullptr;
    if (key[0] != 'i') return &known;
    bool is_held = file->stamp.device == known.stamp.device && file->stamp.inode == known.stamp.inode;
    FileStamp now = is_held ? FileStamp::Of(file->fd.get()) : StampOfMapping(shown, pid);
    return now == known.stamp ? &known : nullptr;
}

FileTable::Identity FileTable::Open(const std::string &key, const ShownFile &shown,
                                    const MappingOwner &owner) {
    Result<MappedFile> opened = shown.path == kVdso ? CopyVdso() : OpenMappedFile(shown, owner);
    Known known{.kind = MAPPING_FILE, .file = {}, .stamp = {}, .tried_ns = BootClockNs()};
    std::shared_ptr<TrackedFile> file;
    if (opened.ok()) {
        known.stamp = opened.value().stamp;
        file = Intern(std::move(opened.value()), shown.path);
        if (!file) stats_.refused++;
    } else if (!IsMemoryPath(shown.path)) {
        stats_.unreadable++;
    }
    if (!file) known.kind = IsMemoryPath(shown.path) ? MAPPING_JIT : MAPPING_NO_TABLES;
    if (file && file->keys.size() < kKeysOfFileMax) file->keys.push_back(key);
    known.file = file;
    if (!file || file->keys.size() < kKeysOfFileMax) Remember(key, known);
    return {known.kind, file};
}

void FileTable::Remember(const std::string &key, Known known) {
    if (by_key_.size() >= kKeysMax)
        std::erase_if(by_key_, [](const auto &entry) { return entry.second.file.expired(); });
    if (by_key_.size() < kKeysMax) by_key_.insert_or_assign(key, std::move(known));
}

std::shared_ptr<TrackedFile> FileTable::Intern(MappedFile opened, const std::string &path) {
    std::string content = opened.ContentKey();
    auto found = by_content_.find(content);
    if (found != by_content_.end()) return found->second;
    std::shared_ptr<TrackedFile> file = Add(std::move(opened), path);
    if (!file) return nullptr;
    file->content = content;
    by_content_.emplace(std::move(content), file);
    stats_.files++;
    return file;
}

// Null when there is no room, not even after what nobody uses was closed.
std::shared_ptr<TrackedFile> FileTable::Add(MappedFile opened, const std::string &path) {
    if (!HasRoom()) DropUnused(UINT64_MAX);
    if (!HasRoom()) return nullptr;
    Result<uint32_t> directory = store_.AddDirectory(opened.pages);
    if (!directory.ok()) {
        DropUnused(UINT64_MAX);
        directory = store_.AddDirectory(opened.pages);
    }
    if (!directory.ok()) return nullptr;
    auto file = std::make_shared<TrackedFile>();
    file->fd = std::move(opened.fd);
    file->build_id = std::move(opened.build_id);
    file->path = path;
    file->directory = directory.value();
    file->first_page = opened.first_page;
    file->pages = opened.pages;
    file->stamp = opened.stamp;
    return file;
}

bool FileTable::HasRoom() const {
    return by_content_.size() < options_.files_max;
}

void FileTable::Drop(TrackedFile *file) {
    for (const std::string &key : file->keys)
        by_key_.erase(key);
    store_.DropDirectory(file->directory, file->pages);
    file->directory = kNoDirectory; // should the loader hold it for a moment still
    stats_.files--;
}

// Files that only the table holds, since `since_ns` or longer. Nobody can come to hold one but through us.
void FileTable::DropUnused(uint64_t since_ns) {
    std::erase_if(by_content_, [&](const auto &entry) {
        bool is_unused = entry.second.use_count() == 1 && entry.second->unused_since_ns <= since_ns;
        if (is_unused) Drop(entry.second.get());
        return is_unused;
    });
}

void FileTable::Forget(uint64_t now_ns) {
    if (now_ns < forgot_ns_ + kForgetNs) return;
    forgot_ns_ = now_ns;
    for (auto &[content, file] : by_content_) {
        if (file.use_count() > 1) file->unused_since_ns = UINT64_MAX;
        else if (file->unused_since_ns == UINT64_MAX) file->unused_since_ns = now_ns;
    }
    if (now_ns > options_.unused_ns_max) DropUnused(now_ns - options_.unused_ns_max);
}

FileTableStats FileTable::stats() const {
    return stats_;
}

} // namespace emberscope
