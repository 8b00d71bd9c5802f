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

// One event; src/native/sample-batch.ts describes the columns that TypeScript sees of it (EventBatch).
struct ProcessEvent {
    event_kind kind;
    int32_t pid = 0, tid = 0;
    int32_t extra = 0; // fork: the parent, the process itself for a new thread; lost: how many records
    uint64_t time_ns = 0, start = 0, end = 0, file_offset = 0;
    std::string name, build_id;
    // Of an mmap without build_id: the kernel says either the one or the other. Zero: no file.
    uint32_t device_major = 0, device_minor = 0;
    uint64_t inode = 0;
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
    // Every event up to now, sorted by time; later ones of a faster CPU wait for the next batch, so that the
    // batches follow each other in time too. With `followed`, keeps only events of those processes, and
    // follows their forks.
    std::vector<ProcessEvent> Drain(std::unordered_set<int32_t> *followed);

  private:
    struct Ring {
        int fd;
        void *base;
        size_t data_bytes;
    };
    Result<int> OpenEvent(int cpu);
    void DrainRing(const Ring &ring, std::vector<ProcessEvent> *events);
    void HoldBack(uint64_t until_ns, std::vector<ProcessEvent> *events);
    std::vector<Ring> rings_;
    std::vector<ProcessEvent> held_;
    bool asks_build_ids_ = true;
};

} // namespace emberscope
