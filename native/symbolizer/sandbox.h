// What the symbolizer gives up before it looks at the first byte of a file: capabilities, root, new files,
// new processes, the network. Debug data of any process on the host is read here, so a hostile file that
// takes this process over finds itself with a few open descriptors, a pipe to answer on, and nothing else.
#pragma once

#include <cstdint>

#include "../status.h"

namespace emberscope {

// Bounds of one run of the executable.
struct SandboxLimits {
    // Private memory (RLIMIT_DATA). Mapped files do not count: they are page cache, whatever their size.
    uint64_t heap_bytes = 1ULL << 30;
    // Address space (RLIMIT_AS), where mapped files do count: a browser's debug data alone has 5 to 10 GB.
    uint64_t address_space_bytes = 32ULL << 30;
    uint64_t cpu_seconds = 60;
    // Files given besides stdin, stdout and stderr: descriptors 3, 4, ...; any other is closed. A parent's
    // parent may have left more open than anybody knows.
    uint64_t files = 0;
};

// Enters the sandbox for good. On failure the caller must end: the process may be half confined.
Status EnterSandbox(const SandboxLimits &limits);

} // namespace emberscope
