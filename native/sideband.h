// Process life from the kernel's perf side-band: mmap (executable ones, with build ids), comm, exec, fork,
// exit. One dummy event and one ring per CPU; a batch is everything that was in the rings, sorted by time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "abi.h"
#include "status.h"

namespace emberscope {

// One batch, as src/native/sample-batch.ts describes it (EventBatch).
struct ProcessEvent {
    event_kind kind;
    int32_t pid = 0, tid = 0, extra = 0;
    uint64_t time_ns = 0, start = 0, end = 0, file_offset = 0;
    std::string name, build_id;
};

// Decodes one perf record (header included); false when it is of no interest or contradicts its own size.
bool DecodeSidebandRecord(std::span<const std::byte> record, ProcessEvent *event);

class Sideband {
  public:
    Sideband() = default;
    Sideband(const Sideband &) = delete;
    Sideband &operator=(const Sideband &) = delete;
    ~Sideband();

    Status Open(const std::vector<int> &cpus);
    Status Enable();
    // With `followed`, keeps only events of those processes, and follows their forks.
    std::vector<ProcessEvent> Drain(std::unordered_set<int32_t> *followed);

  private:
    struct Ring {
        int fd;
        void *base;
        size_t data_bytes;
    };
    void DrainRing(const Ring &ring, std::vector<ProcessEvent> *events);
    std::vector<Ring> rings_;
};

} // namespace emberscope
