// Ring bytes -> columns. Interns stacks: a stack is described once, later samples of it are one integer.
// Pure and bounds-checked: a record that contradicts its own header is counted, never followed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "abi.h"

namespace emberscope {

// One batch, as src/native/sample-batch.ts describes it column by column.
struct SampleColumns {
    std::vector<int32_t> stack, pid, tid, comm;
    std::vector<double> time_ns, process_start_ns, cgroup_id;
    std::vector<uint8_t> stack_end, rule;
    std::vector<std::string> comms;
    int32_t first_new_stack = 0;
    std::vector<int32_t> new_stack_pid, new_stack_kernel_frames, new_stack_start;
    std::vector<double> new_stack_time_ns, frames;
};

// Gives equal stacks of one program image the same dense id. Keys are the content, the hash only finds the
// bucket.
class StackInterner {
  public:
    struct Key {
        uint64_t process_start;
        uint32_t exec_id, pid;
        std::span<const uint64_t> addresses;
    };
    // {id, true when it is new}
    std::pair<int32_t, bool> Intern(const Key &key);
    int32_t size() const { return static_cast<int32_t>(stacks_.size()); }

  private:
    struct Stack {
        uint64_t process_start;
        uint32_t exec_id, pid;
        size_t begin;
        uint32_t count;
        int32_t next; // chain of equal hashes, -1 ends it
    };
    bool Equals(const Stack &stack, const Key &key) const;
    std::vector<uint64_t> addresses_;
    std::vector<Stack> stacks_;
    std::unordered_map<uint64_t, int32_t> first_by_hash_;
};

class RecordDecoder {
  public:
    // Appends one ring record to the batch in progress.
    void Decode(std::span<const std::byte> record);
    // Ends the batch and begins the next.
    SampleColumns Take();
    // Between two batches: ids begin at 0 again, so that a session without end does not grow.
    void ForgetStacks();
    uint64_t malformed() const { return malformed_; }

  private:
    void DescribeStack(const sample_header &header, std::span<const uint64_t> addresses);
    int32_t InternComm(const char (&comm)[COMM_BYTES]);
    StackInterner stacks_;
    SampleColumns columns_{.new_stack_start = {0}};
    std::unordered_map<std::string, int32_t> comms_;
    uint64_t malformed_ = 0;
};

} // namespace emberscope
