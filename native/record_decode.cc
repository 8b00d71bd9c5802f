#include "record_decode.h"

#include <algorithm>
#include <cstring>

namespace emberscope {

namespace {

// 64-bit finaliser of the splitmix family: enough to spread addresses; equality is decided by content.
uint64_t Mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15;
    return hash ^ (hash >> 29);
}

uint64_t Hash(const StackInterner::Key &key) {
    uint64_t hash = Mix(key.process_start, (static_cast<uint64_t>(key.exec_id) << 32) | key.pid);
    for (uint64_t address : key.addresses)
        hash = Mix(hash, address);
    return hash;
}

} // namespace

bool StackInterner::Equals(const Stack &stack, const Key &key) const {
    return stack.process_start == key.process_start && stack.exec_id == key.exec_id && stack.pid == key.pid &&
           stack.count == key.addresses.size() &&
           std::equal(key.addresses.begin(), key.addresses.end(),
                      addresses_.begin() + static_cast<ptrdiff_t>(stack.begin));
}

std::pair<int32_t, bool> StackInterner::Intern(const Key &key) {
    auto [found, is_first] = first_by_hash_.try_emplace(Hash(key), size());
    int32_t next = is_first ? -1 : found->second;
    for (int32_t id = next; id != -1; id = stacks_[static_cast<size_t>(id)].next)
        if (Equals(stacks_[static_cast<size_t>(id)], key)) return {id, false};
    int32_t id = size();
    found->second = id;
    stacks_.push_back({key.process_start, key.exec_id, key.pid, addresses_.size(),
                       static_cast<uint32_t>(key.addresses.size()), next});
    addresses_.insert(addresses_.end(), key.addresses.begin(), key.addresses.end());
    return {id, true};
}

int32_t RecordDecoder::InternComm(const char (&comm)[COMM_BYTES]) {
    std::string name(comm, strnlen(comm, COMM_BYTES));
    auto [found, is_new] = comms_.try_emplace(name, static_cast<int32_t>(columns_.comms.size()));
    if (is_new) columns_.comms.push_back(std::move(name));
    return found->second;
}

// Signed, so that both halves of the address space are exact in a double (src/model/addresses.ts).
void RecordDecoder::DescribeStack(const sample_header &header, std::span<const uint64_t> addresses) {
    for (uint64_t address : addresses)
        columns_.frames.push_back(static_cast<double>(static_cast<int64_t>(address)));
    columns_.new_stack_start.push_back(static_cast<int32_t>(columns_.frames.size()));
    columns_.new_stack_pid.push_back(static_cast<int32_t>(header.pid));
    columns_.new_stack_kernel_frames.push_back(header.kernel_frames);
    columns_.new_stack_time_ns.push_back(static_cast<double>(header.time_ns));
}

void RecordDecoder::Decode(std::span<const std::byte> record) {
    sample_header header;
    if (record.size() < sizeof(header)) {
        malformed_++;
        return;
    }
    std::memcpy(&header, record.data(), sizeof(header));
    size_t count = static_cast<size_t>(header.kernel_frames) + header.user_frames;
    if (count > MAX_FRAMES || record.size() < sizeof(header) + count * sizeof(uint64_t) ||
        header.stack_end >= STACK_END_COUNT || header.rule > RATE_RULES_MAX) {
        malformed_++;
        return;
    }
    uint64_t buffer[MAX_FRAMES];
    std::memcpy(buffer, record.data() + sizeof(header), count * sizeof(uint64_t));
    std::span<const uint64_t> addresses(buffer, count);
    auto [stack, is_new] = stacks_.Intern({header.process_start, header.exec_id, header.pid, addresses});
    if (is_new) DescribeStack(header, addresses);
    columns_.stack.push_back(stack);
    columns_.pid.push_back(static_cast<int32_t>(header.pid));
    columns_.tid.push_back(static_cast<int32_t>(header.tid));
    columns_.time_ns.push_back(static_cast<double>(header.time_ns));
    columns_.process_start_ns.push_back(static_cast<double>(header.process_start));
    columns_.cgroup_id.push_back(static_cast<double>(header.cgroup_id));
    columns_.stack_end.push_back(header.stack_end);
    columns_.rule.push_back(header.rule);
    columns_.comm.push_back(InternComm(header.comm));
}

void RecordDecoder::ForgetStacks() {
    if (!columns_.stack.empty()) return; // they hold ids of today
    stacks_ = StackInterner();
    columns_.first_new_stack = 0;
}

SampleColumns RecordDecoder::Take() {
    SampleColumns taken = std::move(columns_);
    columns_ = SampleColumns{.first_new_stack = stacks_.size(), .new_stack_start = {0}};
    comms_.clear();
    return taken;
}

} // namespace emberscope
