// The memory that the unwind tables live in: the mapped BPF maps of a running sampler, or plain memory in
// tests and fuzzers. See bpf/tables.h for what lies where.
#pragma once

#include <cstdint>

#include "status.h"
#include "tables.h"

namespace emberscope {

class TableMemory {
  public:
    virtual ~TableMemory() = default;
    // Makes shard `index` (they are added in order) and returns its SHARD_BYTES, zeroed. Takes some
    // milliseconds with BPF.
    virtual Result<uint8_t *> AddShard(uint32_t index) = 0;
    virtual unwind_rule *rules() = 0;  // RULES_MAX
    virtual uint32_t *directory() = 0; // DIRECTORY_PAGES
    // Returns when every BPF program that runs now has ended: what was unpublished before may then be reused.
    virtual void WaitForReaders() = 0;
    // Publishes the mappings of a process; errors: no room in the map.
    virtual Status SetProcess(uint32_t pid, const process_entry &entry) = 0;
    virtual void DropProcess(uint32_t pid) = 0;
};

} // namespace emberscope
