// Where the separate debug data of an executable lies: by build id, by .gnu_debuglink, and the alternate file
// dwz moved shared DWARF to. Each find is checked (build id or CRC), so a wrong file is never used.
//
// Files of another process's root are looked up below that root, and its symbolic links are followed inside
// it: a link of a container can never lead to a file of the host.
#pragma once

#include <string>

#include "file_reader.h"

namespace emberscope {

struct DebugFilesAnswer {
    std::string debug_file; // '' when none
    std::string alt_file;
};

// `path`: the executable as its process saw it; `root`: '' or "/proc/PID/root".
DebugFilesAnswer FindDebugFiles(int fd, const std::string &path, const std::string &root);

} // namespace emberscope
