#include "unwind/stages.h"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "track/boot_clock.h"

namespace emberscope {

namespace {

// Of the user budget: a half for parked stacks (160 KiB each at most), the rest is for the loader.
constexpr uint64_t kShareOfQueue = 2;
// Samples may sit in the ring while their CPU is still writing them.
constexpr uint64_t kForgetSlackNs = 2'000'000'000;
constexpr uint64_t kPreloadNs = 60'000'000;
constexpr uint32_t kPagesOfPreload = 64;
constexpr timespec kPause{0, 500'000};

} // namespace

UnwindStages::UnwindStages(std::unique_ptr<BpfTableMemory> memory, const Limits &limits,
                           RawQueue::Finished finished)
    : memory_(std::move(memory)), store_(*memory_, limits.kernel_bytes),
      loader_(limits.cache_directory, limits.user_bytes - limits.user_bytes / kShareOfQueue),
      tracker_(*memory_, store_, loader_),
      queue_(tracker_, store_, loader_, limits.user_bytes / kShareOfQueue, std::move(finished)) {}

// What the disk cache has is there before the first sample, unless it is a lot.
void UnwindStages::Scan(const std::vector<ProcessIdentity> &processes) {
    tracker_.Scan(processes);
    tracker_.Flush();
    uint64_t end_ns = BootClockNs() + kPreloadNs;
    while (!loader_.IsIdle() && BootClockNs() < end_ns) {
        loader_.Help(kPagesOfPreload);
        queue_.Turn(BootClockNs(), false);
        if (!loader_.IsIdle()) nanosleep(&kPause, nullptr); // the last ones are in work on the idle thread
    }
}

void UnwindStages::Turn(const std::vector<ProcessEvent> &events, bool is_last) {
    uint64_t now_ns = BootClockNs();
    for (const ProcessEvent &event : events)
        tracker_.Apply(event);
    tracker_.Flush();
    queue_.Turn(now_ns, is_last);
    ForgetEnded();
    store_.Reclaim();
    turned_ns_ = now_ns;
}

// The rings were emptied a turn ago, so what they gave now is younger than that, or waits in the queue.
void UnwindStages::ForgetEnded() {
    if (turned_ns_ < kForgetSlackNs) return;
    uint64_t oldest_ns = queue_.stats().oldest_time_ns;
    uint64_t time_ns = turned_ns_ - kForgetSlackNs;
    tracker_.Forget(oldest_ns ? std::min(oldest_ns, time_ns) : time_ns);
}

bool UnwindStages::IsStale(std::span<const std::byte> record) const {
    sample_header header{};
    if (record.size() < sizeof(header)) return false;
    std::memcpy(&header, record.data(), sizeof(header));
    if (!tracker_.HasStale(header.pid)) return false; // nearly all
    size_t begin = sizeof(header) + header.kernel_frames * sizeof(uint64_t);
    if (record.size() < begin + header.user_frames * sizeof(uint64_t)) return false;
    std::vector<uint64_t> frames(header.user_frames);
    std::memcpy(frames.data(), record.data() + begin, frames.size() * sizeof(uint64_t));
    return tracker_.IsStale(header.pid, header.time_ns, frames);
}

UnwindStats UnwindStages::stats() const {
    return {tracker_.stats(), store_.stats(), loader_.stats(), queue_.stats(), loader_.note()};
}

} // namespace emberscope
