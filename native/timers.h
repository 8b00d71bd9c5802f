// One sampling timer per CPU: a perf event whose every overflow runs the sampler's BPF program.
#pragma once

#include <string>
#include <vector>

#include "file_reader.h"
#include "sampler_options.h"
#include "status.h"

namespace emberscope {

Result<std::vector<int>> OnlineCpus();

// Ticks of a sampling period, as 16.16 fixed point (bpf/abi.h).
uint32_t SamplingPeriod(uint32_t dither);

class Timers {
  public:
    // Opens them, not yet running. Errors: not_permitted, unsupported.
    Status Open(const SamplerOptions &options, const std::vector<int> &cpus);
    void Disable();
    // From the next tick on. Errors: invalid, when the kernel refuses the rate.
    Status SetRate(uint32_t rate_hz);
    // 'cycles' or 'cpu-clock'.
    const std::string &event() const { return event_; }
    const std::vector<Fd> &fds() const { return fds_; }

  private:
    Status OpenEvent(const char *event, const SamplerOptions &options, const std::vector<int> &cpus);
    std::string event_;
    uint32_t dither_ = 1;
    std::vector<Fd> fds_;
};

} // namespace emberscope
