// The user-space build of bpf/unwind.h: goes on where the BPF unwinder met a miss, over the copied stack
// bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "abi.h"
#include "tables/table_store.h"
#include "track/tracker.h"

namespace emberscope {

struct UserUnwind {
    stack_end end;
    // With STACK_END_PAGE_MISSING: the mapping (index) and file page to load; the unwinder can be run again
    // then.
    uint32_t mapping = 0, page = 0;
};

// Appends return addresses to `frames` (which holds what BPF had found, the pc of `raw` last) until an end or
// a miss; a second run after a miss goes on from the state that `raw` was left in. `stack`: the bytes at
// raw->stack_start.
UserUnwind Unwind(const TableStore &store, const ImageMappings &image, raw_stack *raw,
                  std::span<const std::byte> stack, std::vector<uint64_t> *frames);

} // namespace emberscope
