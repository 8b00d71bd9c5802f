// What a sampler is opened with; see src/native/sampler.ts for meaning and units.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace emberscope {

enum class UnwinderVariant { automatic, loop, tail_calls };

// Whose rate is another one: `selector` is one of enum rate_selector, and says which of the next four counts.
struct RateRule {
    uint32_t selector = 0;
    int cgroup_fd = -1;
    uint32_t pid_namespace = 0;
    std::string comm;
    std::vector<int> pids;
    double share = 1;
};

struct SamplerOptions {
    uint32_t rate_hz = 99;
    double base_share = 1;
    std::vector<RateRule> rate_rules;
    std::string event = "auto";
    bool by_pid = true;
    std::vector<int> cgroup_fds;
    std::vector<std::string> comms;
    std::vector<uint32_t> pid_namespaces;
    bool kernel_stacks = true;
    uint32_t dither = 4;
    uint32_t pid_namespace_inode = 0;
    uint32_t ring_bytes = 1 << 20;
    UnwinderVariant unwinder = UnwinderVariant::automatic;
    std::string cache_directory; // '' for none
    uint64_t kernel_budget_bytes = 64 << 20;
    uint64_t user_budget_bytes = 64 << 20;
    uint32_t raw_ring_bytes = 1 << 20;
    uint32_t raw_stacks_per_second = 1000;
};

} // namespace emberscope
