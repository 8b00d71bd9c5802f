// The user-space side of unwinding as one object: tables over the BPF maps, the loader of pages, the tracker
// of processes and the queue of raw stacks. Owned by the thread that drains.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sideband.h"
#include "tables/bpf_table_memory.h"
#include "unwind/raw_queue.h"

namespace emberscope {

struct UnwindStats {
    TrackerStats tracker;
    TableStats tables;
    LoaderStats loader;
    RawStats raw;
    std::string note; // what does not work as it should, '' when all does
};

class UnwindStages {
  public:
    struct Limits {
        std::string cache_directory; // '' for none
        uint64_t kernel_bytes, user_bytes;
    };
    // `finished`: see RawQueue.
    UnwindStages(std::unique_ptr<BpfTableMemory> memory, const Limits &limits, RawQueue::Finished finished);

    // Publishes the processes that run already, with the tables that the disk cache has of them.
    void Scan(const std::vector<ProcessIdentity> &processes);
    RawQueue &queue() { return queue_; }
    // After each drain of the rings, with the events that were drained last. `is_last`: nothing follows.
    void Turn(const std::vector<ProcessEvent> &events, bool is_last);
    // Of a sample record, after the turn: its user frames may be wrong (Tracker::IsStale).
    bool IsStale(std::span<const std::byte> record) const;
    UnwindStats stats() const;

  private:
    void ForgetEnded();
    std::unique_ptr<BpfTableMemory> memory_;
    TableStore store_;
    PageLoader loader_;
    Tracker tracker_;
    RawQueue queue_;
    uint64_t turned_ns_ = 0;
};

} // namespace emberscope
