#include "sampler.h"

#include <algorithm>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler.skel.h"

namespace emberscope {

namespace {

// libbpf explains a failed load in its log only: the last lines are kept for the error message.
std::string &LibbpfLog() {
    static std::string log;
    return log;
}

int KeepLog(libbpf_print_level level, const char *format, va_list arguments) {
    if (level > LIBBPF_WARN) return 0;
    char line[1024];
    vsnprintf(line, sizeof(line), format, arguments);
    std::string &log = LibbpfLog();
    log += line;
    if (log.size() > 4096) log.erase(0, log.size() - 4096);
    return 0;
}

Kind KindOf(int error) {
    return error == EPERM || error == EACCES ? Kind::not_permitted : Kind::unsupported;
}

Result<std::vector<int>> OnlineCpus() {
    FILE *file = fopen("/sys/devices/system/cpu/online", "re");
    if (!file) return Status::Error(Kind::io, "cannot read /sys/devices/system/cpu/online", errno);
    std::vector<int> cpus;
    int first, last;
    while (fscanf(file, "%d", &first) == 1) { // "0-3,8,10-11"
        last = first;
        int separator = fgetc(file);
        if (separator == '-' && fscanf(file, "%d", &last) == 1) separator = fgetc(file);
        for (int cpu = first; cpu <= last; cpu++)
            cpus.push_back(cpu);
        if (separator != ',') break;
    }
    fclose(file);
    return cpus;
}

// See abi.h; without dither every tick is a sample.
uint32_t SamplingPeriod(uint32_t dither) {
    return dither == 1 ? TICK_ONE : dither * TICK_ONE + TICK_FRACTION;
}

perf_event_attr TimerAttributes(const std::string &event, const SamplerOptions &options) {
    uint64_t ticks_per_second = static_cast<uint64_t>(options.rate_hz) * SamplingPeriod(options.dither);

    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.disabled = 1;
    if (event == "cycles") {
        attr.type = PERF_TYPE_HARDWARE;
        attr.config = PERF_COUNT_HW_CPU_CYCLES;
        attr.freq = 1;
        attr.sample_freq = ticks_per_second / TICK_ONE;
    } else {
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_CPU_CLOCK;
        attr.sample_period =
            1000000000ull * TICK_ONE / ticks_per_second; // nanoseconds: finer than a frequency
    }
    return attr;
}

} // namespace

Result<std::unique_ptr<Sampler>> Sampler::Open(const SamplerOptions &options) {
    std::unique_ptr<Sampler> sampler(new Sampler());
    sampler->options_ = options;
    Result<std::vector<int>> cpus = OnlineCpus();
    if (!cpus.ok()) return cpus.status();
    if (Status status = sampler->OpenTimers(options, cpus.value()); !status.ok()) return status;
    if (Status status = sampler->Load(options); !status.ok()) return status;
    if (Status status = sampler->CheckLayout(); !status.ok()) return status;
    if (Status status = sampler->sideband_.Open(cpus.value()); !status.ok()) return status;
    if (Status status = sampler->sideband_.Enable(); !status.ok()) return status;
    return sampler;
}

Sampler::~Sampler() {
    Stop();
    for (int fd : timers_)
        close(fd);
    if (ring_) ring_buffer__free(ring_);
    if (stats_fd_ >= 0) close(stats_fd_);
    if (skeleton_) profiler__destroy(skeleton_);
}

Status Sampler::OpenTimersOf(const char *event, const std::vector<int> &cpus) {
    perf_event_attr attr = TimerAttributes(event, options_);
    for (int cpu : cpus) {
        long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
        if (fd < 0) {
            int error = errno;
            for (int timer : timers_)
                close(timer);
            timers_.clear();
            return Status::Error(
                KindOf(error),
                "cannot open perf event " + std::string(event) + " on cpu " + std::to_string(cpu), error);
        }
        timers_.push_back(static_cast<int>(fd));
    }
    event_ = event;
    return Status::Ok();
}

// Cycles where the host has a PMU: they do not count halted time twice under a hypervisor; the clock runs
// everywhere.
Status Sampler::OpenTimers(const SamplerOptions &options, const std::vector<int> &cpus) {
    if (options.event != "cpu-clock") {
        Status status = OpenTimersOf("cycles", cpus);
        if (status.ok() || options.event == "cycles" || status.kind == Kind::not_permitted) return status;
    }
    return OpenTimersOf("cpu-clock", cpus);
}

Status Sampler::Load(const SamplerOptions &options) {
    LibbpfLog().clear();
    libbpf_set_print(KeepLog);
    skeleton_ = profiler__open();
    if (!skeleton_) return Status::Error(Kind::unsupported, "cannot open the BPF object", errno);
    skeleton_->rodata->sampling_period = SamplingPeriod(options.dither);
    skeleton_->rodata->kernel_stacks = options.kernel_stacks;
    skeleton_->rodata->filter_pids = options.by_pid;
    skeleton_->rodata->filter_cgroup = options.cgroup_fd >= 0;
    skeleton_->rodata->filter_comm = !options.comm.empty();
    std::memcpy(skeleton_->rodata->wanted_comm, options.comm.data(),
                std::min<size_t>(options.comm.size(), COMM_BYTES - 1));
    skeleton_->rodata->pid_namespace = options.pid_namespace_inode;
    bpf_map__set_max_entries(skeleton_->maps.samples, options.ring_bytes);
    if (int error = profiler__load(skeleton_))
        return Status::Error(KindOf(-error), "cannot load the BPF programs: " + LibbpfLog(), -error);
    stats_fd_ =
        bpf_enable_stats(BPF_STATS_RUN_TIME); // CAP_SYS_ADMIN; without it the cost is reported as unknown (0)
    uint32_t slot = 0;
    if (options.cgroup_fd >= 0 &&
        bpf_map_update_elem(bpf_map__fd(skeleton_->maps.cgroups), &slot, &options.cgroup_fd, BPF_ANY))
        return Status::Error(Kind::invalid, "cannot filter by this cgroup (not a cgroup v2 directory?)",
                             errno);
    for (bpf_program *program : {skeleton_->progs.on_fork, skeleton_->progs.on_free}) {
        bpf_link *link = bpf_program__attach(program);
        if (!link)
            return Status::Error(KindOf(errno), "cannot attach " + std::string(bpf_program__name(program)),
                                 errno);
        links_.push_back(link);
    }
    auto decode = [](void *decoder, void *data, size_t bytes) {
        static_cast<RecordDecoder *>(decoder)->Decode({static_cast<const std::byte *>(data), bytes});
        return 0;
    };
    ring_ = ring_buffer__new(bpf_map__fd(skeleton_->maps.samples), decode, &decoder_, nullptr);
    if (!ring_) return Status::Error(Kind::io, "cannot map the sample ring", errno);
    return Status::Ok();
}

// The object and this file are built from one header, but a stale object must not be decoded with new
// offsets.
Status Sampler::CheckLayout() const {
    const btf *types = bpf_object__btf(skeleton_->obj);
    int id = btf__find_by_name_kind(types, "sample_header", BTF_KIND_STRUCT);
    if (id < 0)
        return Status::Error(Kind::unsupported, "the BPF object has no type sample_header; build again");
    if (btf__type_by_id(types, static_cast<uint32_t>(id))->size != sizeof(sample_header))
        return Status::Error(Kind::unsupported,
                             "the BPF object and the addon disagree on sample_header; build again");
    return Status::Ok();
}

Status Sampler::AddTarget(int32_t pid) {
    bpf_map *set = options_.pid_namespace_inode ? skeleton_->maps.seeds : skeleton_->maps.targets;
    uint8_t yes = 1;
    if (bpf_map_update_elem(bpf_map__fd(set), &pid, &yes, BPF_ANY))
        return Status::Error(Kind::invalid,
                             "cannot sample pid " + std::to_string(pid) + ": the pid set is full", errno);
    followed_.insert(pid);
    return Status::Ok();
}

Status Sampler::Start() {
    for (int timer : timers_) {
        bpf_link *link = bpf_program__attach_perf_event(skeleton_->progs.on_cpu_sample, dup(timer));
        if (!link) return Status::Error(KindOf(errno), "cannot attach the sampler to its timer", errno);
        links_.push_back(link);
    }
    return Status::Ok();
}

void Sampler::Stop() {
    for (int timer : timers_)
        ioctl(timer, PERF_EVENT_IOC_DISABLE, 0);
    for (bpf_link *link : links_)
        bpf_link__destroy(link);
    links_.clear();
}

Result<SampleColumns> Sampler::Drain() {
    int consumed = ring_buffer__consume(ring_);
    if (consumed < 0) return Status::Error(Kind::io, "cannot read the sample ring", -consumed);
    return decoder_.Take();
}

std::vector<ProcessEvent> Sampler::DrainEvents() {
    return sideband_.Drain(options_.by_pid ? &followed_ : nullptr);
}

std::vector<double> Sampler::Counters() const {
    std::vector<double> sums(COUNTER_COUNT, 0);
    std::vector<cpu_state> states(static_cast<size_t>(libbpf_num_possible_cpus()));
    uint32_t zero = 0;
    if (!bpf_map_lookup_elem(bpf_map__fd(skeleton_->maps.cpu_states), &zero, states.data()))
        for (const cpu_state &state : states)
            for (size_t i = 0; i < COUNTER_COUNT; i++)
                sums[i] += static_cast<double>(state.counters[i]);
    sums[COUNTER_MALFORMED] += static_cast<double>(decoder_.malformed());
    return sums;
}

BpfStats Sampler::Stats() const {
    BpfStats stats;
    for (bpf_program *program :
         {skeleton_->progs.on_cpu_sample, skeleton_->progs.on_fork, skeleton_->progs.on_free}) {
        bpf_prog_info info{};
        uint32_t bytes = sizeof(info);
        if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes)) continue;
        stats.runs += info.run_cnt;
        stats.time_ns += info.run_time_ns;
    }
    return stats;
}

} // namespace emberscope
