// Samples that met a miss: matched with their raw stack, unwound, parked while a page is loaded, handed on
// when done or when their time is over. Owned by the thread that drains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "abi.h"
#include "tables/page_loader.h"
#include "tables/table_store.h"
#include "track/tracker.h"

namespace emberscope {

struct RawStats {
    uint64_t finished = 0;       // handed on, whatever their end
    uint64_t parked = 0;         // waiting now, for a page or for their other half
    uint64_t parked_bytes = 0;   // memory of those
    uint64_t unmatched = 0;      // halves whose other half never came
    uint64_t overflowed = 0;     // ended for want of memory
    uint64_t oldest_time_ns = 0; // of the samples that wait, 0 when none does
};

class RawQueue {
  public:
    // `finished` gets each sample with its whole stack (header.ticket 0): RecordDecoder::Decode, mostly.
    using Finished = std::function<void(std::span<const std::byte> record)>;
    RawQueue(Tracker &tracker, TableStore &store, PageLoader &loader, uint64_t budget_bytes,
             Finished finished);
    ~RawQueue();

    // A record of the ring `raw_stacks`, before or after the sample with its ticket.
    void AddStack(std::span<const std::byte> record);
    // A record of the ring `samples` with a ticket.
    void AddSample(std::span<const std::byte> record);
    // Once a turn, after the events were applied: installs loaded pages, unwinds what can go on. `is_last`:
    // waits for the pages (at most some seconds) and leaves nothing parked. `now_ns`: a clock that only goes
    // forwards.
    void Turn(uint64_t now_ns, bool is_last);
    // Samples that wait for a page or for their other half.
    uint64_t waiting() const;
    RawStats stats() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace emberscope
