// Every file that some process executes from, once each by content, open from the first time it is seen: a
// process that exits and a binary that is deleted keep their rows. A file has a range of the directory for as
// long as an image, the loader or a parked sample holds it, and some minutes more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tables/page_loader.h"
#include "tables/table_store.h"
#include "track/mapped_file.h"

namespace emberscope {

struct TrackedFile : TableFile {
    FileStamp stamp; // of the file behind the descriptor; others may have the same content
    std::string content;
    std::vector<std::string> keys;         // under which it is known
    uint64_t unused_since_ns = UINT64_MAX; // the largest: in use when last looked
    bool is_asked = false;                 // the loader has heard of it
};

struct FileTableOptions {
    size_t files_max = 4096; // descriptors
    uint64_t unused_ns_max = 300'000'000'000;
};

struct FileTableStats {
    uint64_t files = 0;
    uint64_t unreadable = 0; // so far: gone, not permitted, not ELF, changed
    uint64_t refused = 0;    // so far: for want of descriptors or of directory pages
};

class FileTable {
  public:
    FileTable(TableStore &store, const FileTableOptions &options);

    // What a mapping shows: a file, or null and why. Opens it when it is new.
    struct Identity {
        mapping_kind kind;
        std::shared_ptr<TrackedFile> file;
    };
    Identity Identify(const ShownFile &shown, const MappingOwner &owner);
    // Closes files that nobody held for some time.
    void Forget(uint64_t now_ns);
    FileTableStats stats() const;

  private:
    struct Known {
        mapping_kind kind;
        std::weak_ptr<TrackedFile> file;
        FileStamp stamp;       // of the file that this key means
        uint64_t tried_ns = 0; // when it was looked for
    };
    const Known *Find(const std::string &key, const ShownFile &shown, uint32_t pid) const;
    Identity Open(const std::string &key, const ShownFile &shown, const MappingOwner &owner);
    std::shared_ptr<TrackedFile> Intern(MappedFile opened, const std::string &path);
    std::shared_ptr<TrackedFile> Add(MappedFile opened, const std::string &path);
    void Remember(const std::string &key, Known known);
    void Drop(TrackedFile *file);
    void DropUnused(uint64_t since_ns);
    bool HasRoom() const;

    TableStore &store_;
    FileTableOptions options_;
    std::unordered_map<std::string, Known> by_key_;
    std::unordered_map<std::string, std::shared_ptr<TrackedFile>> by_content_;
    FileTableStats stats_;
    uint64_t forgot_ns_ = 0;
};

} // namespace emberscope
