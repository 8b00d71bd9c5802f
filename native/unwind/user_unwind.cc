#include "unwind/user_unwind.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tables.h"
#include "unwind_state.h"

namespace emberscope {

namespace {

// The state that the C works on, and where its callbacks read.
struct UserWalk {
    unwind_state state;
    const TableStore *store;
    const ImageMappings *image;
    std::span<const std::byte> stack;
};

const UserWalk &WalkOf(const unwind_state *state) {
    return *reinterpret_cast<const UserWalk *>(state); // its first member
}

// What bpf/unwind.h asks of its includer; names and types are its.

const __u8 *shard_at(const unwind_state *state, __u32 index) {
    return WalkOf(state).store->shard(index);
}

const __u32 *directory_at(const unwind_state *state, __u32 word) {
    return word < DIRECTORY_PAGES ? WalkOf(state).store->directory() + word : nullptr;
}

const unwind_rule *rule_at(const unwind_state *state, __u32 index) {
    return index < RULES_MAX ? WalkOf(state).store->rules() + index : nullptr;
}

int find_mapping(unwind_state *state, __u64 address) {
    const std::vector<unwind_mapping> &mappings = WalkOf(state).image->mappings;
    auto next =
        std::upper_bound(mappings.begin(), mappings.end(), address,
                         [](uint64_t at, const unwind_mapping &mapping) { return at < mapping.start; });
    if (next == mappings.begin() || address >= (next - 1)->end) return STACK_END_UNKNOWN_MAPPING;
    state->mapping = *(next - 1);
    state->mapping_index = static_cast<uint32_t>(next - 1 - mappings.begin());
    return 0;
}

bool CopyFrom(std::span<const std::byte> piece, uint64_t offset, __u64 *words, __u32 bytes) {
    if (offset > piece.size() || piece.size() - offset < bytes) return false;
    std::memcpy(words, piece.data() + offset, bytes);
    return true;
}

int copy_stack(unwind_state *state, __u64 address, __u64 *words, __u32 bytes) {
    const raw_stack &raw = state->raw;
    std::span<const std::byte> stack = WalkOf(state).stack;
    size_t root_bytes = std::min<size_t>(raw.root_bytes, stack.size());
    if (CopyFrom(stack.first(stack.size() - root_bytes), address - raw.stack_start, words, bytes) ||
        CopyFrom(stack.last(root_bytes), address - raw.root_start, words, bytes))
        return 0;
    return address < raw.stack_start ? STACK_END_UNREADABLE : STACK_END_RAW_SHORT;
}

int read_stack(unwind_state *state, __u64 address, __u64 *word) {
    return copy_stack(state, address, word, sizeof(*word));
}

// No code was copied: call sites and signal trampolines cannot be looked at.
int read_user(void *, __u64, __u32) {
    return -1;
}

#include "unwind.h"

} // namespace

UserUnwind Unwind(const TableStore &store, const ImageMappings &image, raw_stack *raw,
                  std::span<const std::byte> stack, std::vector<uint64_t> *frames) {
    UserWalk walk = {.state = {}, .store = &store, .image = &image, .stack = stack};
    unwind_state &state = walk.state;
    state.raw = *raw;
    state.end = STACK_END_DEPTH;
    while (frames->size() < MAX_USER_FRAMES && unwind_step(&state) == STEP_CALLER)
        frames->push_back(state.raw.registers[REGISTER_PC]);
    *raw = state.raw;
    UserUnwind result = {.end = static_cast<stack_end>(state.end)};
    if (result.end != STACK_END_PAGE_MISSING) return result;
    uint64_t address = unwind_address(&state);
    result.mapping = state.mapping_index;
    result.page =
        static_cast<uint32_t>((address - state.mapping.start + state.mapping.position) >> TEXT_PAGE_SHIFT);
    return result;
}

} // namespace emberscope
