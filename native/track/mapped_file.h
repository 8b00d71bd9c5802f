// Opens the very file that a process has mapped: through the mapping itself where the kernel lets us (deleted
// files, memfds, overlays, other mount namespaces), else by its path, if what is there is the same content.
#pragma once

#include <cstdint>
#include <string>

#include "file_reader.h"
#include "track/proc_reader.h"

namespace emberscope {

// What tells one file, at one time, from another: an inode number means a file only for as long as it exists,
// and a file may be written to.
struct FileStamp {
    uint64_t device = 0, inode = 0, size = 0, changed_ns = 0;
    bool operator==(const FileStamp &) const = default;

    // All zero when the file cannot be looked at.
    static FileStamp Of(int fd);
};

// A 64-bit ELF file, open.
struct MappedFile {
    Fd fd;
    FileStamp stamp;
    std::string build_id;               // hex, '' when it has none
    uint32_t first_page = 0, pages = 0; // text pages from the first to the last executable segment

    // Equal for files with the same rows at the same file offsets, however they were reached.
    std::string ContentKey() const;
};

// Whose mapping it is; the parent stands in when the process is gone.
struct MappingOwner {
    uint32_t pid, parent;
};

// Errors: io (gone, or other content is there now), not_permitted, not_elf (or nothing executable in it).
Result<MappedFile> OpenMappedFile(const ShownFile &shown, const MappingOwner &owner);
// The stamp of what a live process shows there now, without opening it; all zero when it cannot be seen.
FileStamp StampOfMapping(const ShownFile &shown, uint32_t pid);
// The kernel's vDSO, which is the same in every 64-bit process: a copy of ours in an unnamed file.
Result<MappedFile> CopyVdso();

} // namespace emberscope
