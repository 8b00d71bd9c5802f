// Which process shows which file where, now: published to the BPF unwinder as sorted arrays, and kept for raw
// stacks. Fed by /proc at the start, by the side-band since, and told an image's identity by the first sample
// that met it. Owned by the thread that drains. (What code was called where and when, for naming, is
// src/process/process-table.ts.)
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sideband.h"
#include "tables/page_loader.h"
#include "tables/table_store.h"

namespace emberscope {

// What one program image had mapped at a time; never changes, shared by forks.
struct ImageMappings {
    std::vector<unwind_mapping> mappings;          // sorted, as published
    std::vector<std::shared_ptr<TableFile>> files; // by index of mapping; null for JIT and unreadable files
};

// From the task iterator in the kernel: {pid as our namespace numbers it, start, exec id} of each thread
// group.
struct ProcessIdentity {
    uint32_t pid, exec_id;
    uint64_t start;
};

struct TrackerStats {
    uint64_t processes = 0, files = 0; // now
    // So far. A file is unreadable when it is gone, not permitted, not ELF; refused, when there are too many.
    uint64_t unreadable_files = 0, refused_files = 0;
    uint64_t published = 0, rescans = 0, lost_events = 0;
    uint64_t refused = 0;  // images not published for want of room
    uint64_t left_out = 0; // mappings beyond MAPPINGS_MAX
};

class Tracker {
  public:
    Tracker(TableMemory &memory, TableStore &store, PageLoader &loader);
    ~Tracker();

    // Reads and publishes live processes; those that vanish meanwhile are skipped.
    void Scan(const std::vector<ProcessIdentity> &processes);
    // One side-band event; they come sorted by time. What they change is published by Flush().
    void Apply(const ProcessEvent &event);
    // Publishes the images that changed since the last call; once a turn, after its events.
    void Flush();
    // A sample met a miss at that time: publishes the image when it is still current, re-reads /proc when an
    // address of a live process is unknown (at most once a second for each). Returns the mappings at that
    // time, null when unknown.
    std::shared_ptr<const ImageMappings> Learn(const ProcessIdentity &who, uint64_t time_ns,
                                               uint64_t address);
    // False for nearly every process: IsStale() then is, whatever the addresses.
    bool HasStale(uint32_t pid) const;
    // True when BPF may have unwound a sample of that time by the rows of a file that was not there any more:
    // an address lies where another file took its place, and that was not published yet. Ask it after the
    // events up to that time were applied.
    bool IsStale(uint32_t pid, uint64_t time_ns, std::span<const uint64_t> addresses) const;
    // Drops what no sample can ask for any more: images that ended before `time_ns`, files no image shows.
    void Forget(uint64_t time_ns);
    TrackerStats stats() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace emberscope
