// The BPF object as one thing with a lifetime: settings and sizes in, loaded programs and maps out. Chooses
// the variant that this kernel can run.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "file_reader.h"
#include "sampler_options.h"
#include "status.h"
#include "tables/bpf_table_memory.h"
#include "track/tracker.h"

struct profiler;
struct cpu_memory;
struct bpf_link;
struct bpf_program;

namespace emberscope {

struct BpfStats {
    uint64_t runs = 0, time_ns = 0;
};

class BpfPrograms {
  public:
    BpfPrograms() = default;
    BpfPrograms(const BpfPrograms &) = delete;
    BpfPrograms &operator=(const BpfPrograms &) = delete;
    ~BpfPrograms();

    // `cpus`: how many share the budget of raw stacks. Errors: not_permitted, unsupported (with the
    // verifier's last words), invalid (the cgroup).
    Status Load(const SamplerOptions &options, size_t cpus);
    // From now on new processes are followed and copied.
    Status AttachLifecycle();
    // The perf event's every overflow runs the sampler. `timer` stays the caller's.
    Status AttachTimer(int timer);
    void Detach();
    // Thread groups that live now, as the kernel's task iterator sees them.
    Result<std::vector<ProcessIdentity>> ListProcesses() const;
    // Adds a process to the pid set. Errors: invalid when it is full.
    Status AddTarget(int32_t pid);

    int samples_map() const;
    int raw_stacks_map() const;
    BpfTableMemory::Maps table_maps() const;
    bool uses_loop() const { return uses_loop_; }
    // Sums over CPUs, by enum counter.
    std::vector<uint64_t> Counters() const;
    BpfStats Stats() const;
    // Memory of all maps but the shards, as the kernel charges it.
    uint64_t MapBytes() const;

  private:
    Status Open(const SamplerOptions &options, size_t cpus);
    Status FillCpus(const SamplerOptions &options);
    std::span<cpu_memory> cpus() const;
    Status FillFilters(const SamplerOptions &options);
    void SetRates(const SamplerOptions &options);
    Status FillRates(const SamplerOptions &options);
    void SetSizes(const SamplerOptions &options);
    Status CheckLayout() const;
    bpf_program *sampler() const;
    bool uses_loop_ = true;
    bool in_pid_namespace_ = false;
    profiler *skeleton_ = nullptr;
    Fd stats_;
    SharedPages cpus_;
    std::vector<bpf_link *> links_;
};

} // namespace emberscope
