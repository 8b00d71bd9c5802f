#include "own_pages.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <sys/mman.h>

namespace emberscope {

namespace {

constexpr size_t RESIDENT_MIN_KB = 1024;

// One mapping as smaps describes it: a head line, then lines of "Name: number kB".
struct Mapping {
    AddressRange range;
    bool is_candidate = false;
    size_t resident_kb = 0, changed_kb = 0;
};

bool ParseHead(const std::string &line, Mapping &mapping) {
    char permissions[5] = {}, path[2] = {};
    size_t start = 0, end = 0;
    // address perms offset device inode path
    int fields = std::sscanf(line.c_str(), "%zx-%zx %4s %*s %*s %*s %1s", &start, &end, permissions, path);
    if (fields < 3 || std::strlen(permissions) != 4) return false;
    mapping = {.range = {start, end},
               .is_candidate = fields == 4 && path[0] == '/' && permissions[0] == 'r' &&
                               permissions[1] == '-' && permissions[3] == 'p'};
    return true;
}

} // namespace

std::vector<AddressRange> CleanFileMappings(const std::string &smaps) {
    std::vector<AddressRange> found;
    Mapping mapping;
    auto finish = [&] {
        if (mapping.is_candidate && mapping.resident_kb >= RESIDENT_MIN_KB && mapping.changed_kb == 0)
            found.push_back(mapping.range);
    };
    std::istringstream lines(smaps);
    for (std::string line; std::getline(lines, line);) {
        Mapping next;
        size_t kb = 0;
        if (std::sscanf(line.c_str(), "Rss: %zu kB", &kb) == 1) mapping.resident_kb = kb;
        else if (std::sscanf(line.c_str(), "Anonymous: %zu kB", &kb) == 1) mapping.changed_kb = kb;
        else if (ParseHead(line, next)) {
            finish();
            mapping = next;
        }
    }
    finish();
    return found;
}

size_t DropCleanFilePages() {
    std::ifstream file("/proc/self/smaps");
    std::stringstream text;
    text << file.rdbuf();
    size_t bytes = 0;
    // Nobody makes such a mapping of ours writable: no page of it is written between the look and the call.
    for (auto [start, end] : CleanFileMappings(text.str())) {
        auto *address = reinterpret_cast<void *>(start); // NOLINT(performance-no-int-to-ptr)
        if (madvise(address, end - start, MADV_DONTNEED) == 0) bytes += end - start;
    }
    return bytes;
}

} // namespace emberscope
