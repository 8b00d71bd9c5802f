// The BPF programs, their timers, the sample ring and the side-band as one object with a lifetime.
// Opening checks everything that can fail; Start() only switches the timers on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "record_decode.h"
#include "sideband.h"
#include "status.h"

struct profiler;
struct ring_buffer;
struct bpf_link;

namespace emberscope {

// See src/native/sampler.ts for meaning and units.
struct SamplerOptions {
    uint32_t rate_hz = 99;
    std::string event = "auto";
    bool by_pid = true;
    int cgroup_fd = -1;
    std::string comm;
    bool kernel_stacks = true;
    uint32_t dither = 4;
    uint32_t pid_namespace_inode = 0;
    uint32_t ring_bytes = 1 << 20;
};

struct BpfStats {
    uint64_t runs = 0, time_ns = 0;
};

class Sampler {
  public:
    static Result<std::unique_ptr<Sampler>> Open(const SamplerOptions &options);
    ~Sampler();
    Sampler(const Sampler &) = delete;
    Sampler &operator=(const Sampler &) = delete;

    const std::string &event() const { return event_; }
    Status AddTarget(int32_t pid);
    Status Start();
    void Stop();
    Result<SampleColumns> Drain();
    std::vector<ProcessEvent> DrainEvents();
    std::vector<double> Counters() const;
    BpfStats Stats() const;

  private:
    Sampler() = default;
    Status Load(const SamplerOptions &options);
    Status CheckLayout() const;
    Status OpenTimers(const SamplerOptions &options, const std::vector<int> &cpus);
    Status OpenTimersOf(const char *event, const std::vector<int> &cpus);

    SamplerOptions options_;
    std::string event_;
    profiler *skeleton_ = nullptr;
    ring_buffer *ring_ = nullptr;
    int stats_fd_ = -1;
    std::vector<int> timers_;
    std::vector<bpf_link *> links_;
    Sideband sideband_;
    RecordDecoder decoder_;
    std::unordered_set<int32_t> followed_;
};

} // namespace emberscope
