// What /proc tells of one process: its executable mappings, and whether it is still the one we mean. Nothing
// there is trusted: names hold any byte, and a file may be as long as its process likes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "status.h"

namespace emberscope {

// Where a process shows a file, or memory without one; from /proc/PID/maps or from an mmap event.
struct ShownFile {
    uint64_t start = 0, end = 0; // process addresses
    uint64_t position = 0;       // file offset that `start` shows
    uint32_t device_major = 0, device_minor = 0;
    uint64_t inode = 0;   // 0: not said, or no file
    std::string path;     // as the process sees it; "[vdso]", "//anon", '' for what is no file
    std::string build_id; // hex, '' when the kernel did not say
};

// One line of a maps file, without its newline. Nothing when it is not executable or not such a line.
std::optional<ShownFile> ParseMapsLine(std::string_view line);

struct ReadLimits {
    size_t lines = 65536; // the kernel's own default bound (vm.max_map_count) is a little below
    uint64_t time_ns = 50'000'000;
};

// Executable mappings of a live process in address order. When a limit ends it, those up to there. Errors: io
// (gone), not_permitted.
Result<std::vector<ShownFile>> ReadExecutableMaps(uint32_t pid, const ReadLimits &limits = {});

struct ProcessStat {
    char state = '?';
    uint32_t parent = 0, threads = 0;
    uint64_t start_ticks = 0; // of 10 ms, since boot, rounded down
};

// Nothing when the process is gone.
std::optional<ProcessStat> ReadProcessStat(uint32_t pid);
// Whether a process has memory still and began at `start` (ns since boot, process_entry.start).
bool IsAlive(uint32_t pid, uint64_t start);

} // namespace emberscope
