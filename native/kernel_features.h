// What the running kernel can do, tried out rather than read from its version: distributions backport.
#pragma once

namespace emberscope {

// bpf_loop (5.17): one program walks the whole stack; without it programs call one another.
bool HasBpfLoop();
// Hashes that allocate on insertion, in perf_event programs (6.1); else they take all of their memory at
// once.
bool HasRuntimeAllocatedHashes();
// Before 5.11 BPF memory counts against RLIMIT_MEMLOCK: raises it as far as we may.
void RaiseMemoryLockLimit();

} // namespace emberscope
