// The BPF programs, their timers, the rings and the side-band as one object with a lifetime. Opening checks
// everything that can fail; Start() reads the processes that run and switches the timers on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "bpf_programs.h"
#include "record_decode.h"
#include "sampler_options.h"
#include "sideband.h"
#include "status.h"
#include "timers.h"
#include "unwind/stages.h"

struct ring_buffer;

namespace emberscope {

class Sampler {
  public:
    static Result<std::unique_ptr<Sampler>> Open(const SamplerOptions &options);
    ~Sampler();
    Sampler(const Sampler &) = delete;
    Sampler &operator=(const Sampler &) = delete;

    const std::string &event() const { return timers_.event(); }
    // 'loop' or 'tail-calls'.
    const char *unwinder() const { return programs_.uses_loop() ? "loop" : "tail-calls"; }
    Status AddTarget(int32_t pid);
    Status Start();
    void Stop();
    Status SetRate(uint32_t rate_hz) { return timers_.SetRate(rate_hz); }
    // Stack ids begin at 0 again, with the next Drain().
    void ForgetStacks() { decoder_.ForgetStacks(); }
    // Empties every ring; the events go to the tracker, and wait for DrainEvents().
    Result<SampleColumns> Drain();
    // Events up to the last Drain(), and at least as far as its samples.
    std::vector<ProcessEvent> DrainEvents();
    std::vector<double> Counters() const;
    // How much of the rings the last Drain() found filled, in bytes.
    uint64_t drained_samples() const { return drained_samples_; }
    uint64_t drained_raw_stacks() const { return drained_raw_stacks_; }
    uint64_t waiting() const { return stages_->queue().waiting(); }
    BpfStats Stats() const { return programs_.Stats(); }
    UnwindStats Unwinding() const { return stages_->stats(); }
    uint64_t MapBytes() const { return programs_.MapBytes(); }

  private:
    Sampler() = default;
    Status OpenRings(const SamplerOptions &options);
    Status PublishProcesses();
    void TakeSample(std::span<const std::byte> record);
    void DecodeSamples();

    bool by_pid_ = true;
    bool is_started_ = false, is_stopped_ = false;
    Timers timers_;
    BpfPrograms programs_;
    ring_buffer *samples_ = nullptr, *raw_stacks_ = nullptr;
    Sideband sideband_;
    uint64_t drained_samples_ = 0, drained_raw_stacks_ = 0;
    RecordDecoder decoder_;
    // Sample records of this drain, one behind the other, and where each ends: they wait for the events.
    std::vector<std::byte> records_;
    std::vector<size_t> record_ends_;
    std::unique_ptr<UnwindStages> stages_;
    std::vector<ProcessEvent> events_; // drained, not yet asked for
    std::unordered_set<int32_t> followed_;
};

} // namespace emberscope
