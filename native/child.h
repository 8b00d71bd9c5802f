// Child processes, started without a copy of our page tables: fork() of a process of 90 MB takes
// milliseconds, and every page that is written afterwards a fault.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "status.h"

namespace emberscope {

struct Child {
    pid_t pid = 0;
    int input = -1;  // we write; the caller's
    int output = -1; // we read; the caller's
};

// Runs `path` in "/" with an empty environment, no signal blocked or ignored, pipes as its stdin and stdout,
// no stderr, and `descriptors` as its 3, 4, ... in this order. Of ours it has no other. Errors: io, with the
// errno.
Result<Child> StartChild(const std::string &path, const std::vector<std::string> &arguments,
                         std::span<const int> descriptors);

// Exit code of a child that has ended, -1 when a signal ended it; it is gone then and its pid another's.
// Nothing while it runs.
std::optional<int> ReapChild(pid_t pid);

} // namespace emberscope
