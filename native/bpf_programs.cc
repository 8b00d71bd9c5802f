#include "bpf_programs.h"

#include <algorithm>
#include <atomic>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <csignal>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <random>
#include <unistd.h>

#include "kernel_features.h"
#include "profiler.skel.h"
#include "timers.h"
#include "unwind_state.h"

namespace emberscope {

namespace {

// Entries of hashes that take their memory at once: 24 B entries cost about 80 B each.
constexpr uint32_t kPreallocatedEntries = 16384;

// libbpf explains a failed load in its log only: the last lines are kept for the error message.
std::string &LibbpfLog() {
    static std::string log;
    return log;
}

int KeepLog(libbpf_print_level level, const char *format, va_list arguments) {
    if (level > LIBBPF_WARN) return 0;
    char *text = nullptr;
    int bytes = vasprintf(&text, format, arguments);
    if (bytes < 0) return 0;
    std::string &log = LibbpfLog();
    log.append(text, static_cast<size_t>(bytes));
    free(text);
    if (log.size() > 4096) log.erase(0, log.size() - 4096);
    return 0;
}

Kind KindOf(int error) {
    return error == EPERM || error == EACCES ? Kind::not_permitted : Kind::unsupported;
}

bool WantsLoop(UnwinderVariant wanted) {
    return wanted == UnwinderVariant::loop || (wanted == UnwinderVariant::automatic && HasBpfLoop());
}

// The verifier gives up (EAGAIN) when a signal comes; a sampling profiler of Node sends a thousand a second.
class HeldSignals {
  public:
    HeldSignals() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    HeldSignals(const HeldSignals &) = delete;
    HeldSignals &operator=(const HeldSignals &) = delete;

  private:
    sigset_t before_{};
};

size_t PossibleCpus() {
    return static_cast<size_t>(libbpf_num_possible_cpus());
}

// Ticks of a target for one of its samples, fixed point; 0 for no sample ever.
uint32_t RatePeriod(double share) {
    return share > 0 ? static_cast<uint32_t>(std::lround(TICK_ONE / share)) : 0;
}

// "memlock:\t4096" of /proc/self/fdinfo/<fd>.
uint64_t ChargedBytes(int fd) {
    std::string path = "/proc/self/fdinfo/" + std::to_string(fd);
    FILE *file = fopen(path.c_str(), "re");
    if (!file) return 0;
    char line[256];
    unsigned long long bytes = 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "memlock: %llu", &bytes) == 1) break;
    fclose(file);
    return bytes;
}

} // namespace

BpfPrograms::~BpfPrograms() {
    Detach();
    if (skeleton_) profiler__destroy(skeleton_);
}

void BpfPrograms::SetSizes(const SamplerOptions &options) {
    bpf_map__set_max_entries(skeleton_->maps.samples, options.ring_bytes);
    bpf_map__set_max_entries(skeleton_->maps.raw_stacks, options.raw_ring_bytes);
    bpf_map__set_max_entries(skeleton_->maps.cpus, static_cast<uint32_t>(PossibleCpus()));
    bool has_rated_pids = std::ranges::any_of(
        options.rate_rules, [](const RateRule &rule) { return rule.selector == RATE_BY_PID; });
    if (!has_rated_pids) bpf_map__set_max_entries(skeleton_->maps.rated_processes, 1);
    if (HasRuntimeAllocatedHashes()) return;
    for (bpf_map *map : {skeleton_->maps.targets, skeleton_->maps.seeds, skeleton_->maps.processes,
                         skeleton_->maps.rated_processes}) {
        bpf_map__set_map_flags(map, bpf_map__map_flags(map) & ~BPF_F_NO_PREALLOC);
        bpf_map__set_max_entries(map, std::min(bpf_map__max_entries(map), kPreallocatedEntries));
    }
}

Status BpfPrograms::Open(const SamplerOptions &options, size_t cpus) {
    skeleton_ = profiler__open();
    if (!skeleton_) return Status::Error(Kind::unsupported, "cannot open the BPF object", errno);
    skeleton_->rodata->sampling_period = SamplingPeriod(options.dither);
    skeleton_->rodata->kernel_stacks = options.kernel_stacks;
    skeleton_->rodata->filter_pids = options.by_pid;
    skeleton_->rodata->filter_cgroups = static_cast<uint32_t>(options.cgroup_fds.size());
    skeleton_->rodata->filter_comms = !options.comms.empty();
    skeleton_->rodata->filter_namespaces = !options.pid_namespaces.empty();
    skeleton_->rodata->pid_namespace = options.pid_namespace_inode;
    skeleton_->rodata->raw_stacks_per_second =
        static_cast<uint32_t>((options.raw_stacks_per_second + cpus - 1) / cpus);
    SetRates(options);
    uses_loop_ = WantsLoop(options.unwinder);
    bpf_program__set_autoload(skeleton_->progs.on_cpu_sample, uses_loop_);
    bpf_program__set_autoload(skeleton_->progs.on_cpu_sample_tail, !uses_loop_);
    bpf_program__set_autoload(skeleton_->progs.walk_tail, !uses_loop_);
    SetSizes(options);
    return Status::Ok();
}

Status BpfPrograms::Load(const SamplerOptions &options, size_t cpus) {
    LibbpfLog().clear();
    libbpf_set_print(KeepLog);
    RaiseMemoryLockLimit();
    in_pid_namespace_ = options.pid_namespace_inode != 0;
    if (Status status = Open(options, cpus); !status.ok()) return status;
    HeldSignals held;
    if (int error = profiler__load(skeleton_))
        return Status::Error(KindOf(-error), "cannot load the BPF programs: " + LibbpfLog(), -error);
    // Needs CAP_SYS_ADMIN; without it the cost is reported as unknown (0).
    stats_ = Fd(bpf_enable_stats(BPF_STATS_RUN_TIME));
    if (Status status = FillCpus(options); !status.ok()) return status;
    if (Status status = FillFilters(options); !status.ok()) return status;
    if (Status status = FillRates(options); !status.ok()) return status;
    uint32_t slot = 0;
    int walk = bpf_program__fd(skeleton_->progs.walk_tail);
    if (!uses_loop_ && bpf_map_update_elem(bpf_map__fd(skeleton_->maps.steps), &slot, &walk, BPF_ANY))
        return Status::Error(Kind::unsupported, "cannot chain the unwinder's programs", errno);
    return CheckLayout();
}

Status BpfPrograms::FillFilters(const SamplerOptions &options) {
    uint32_t slot = 0;
    const uint8_t is_wanted = 1;
    for (int cgroup : options.cgroup_fds) {
        if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.cgroups), &slot, &cgroup, BPF_ANY))
            return Status::Error(Kind::invalid, "cannot filter by this cgroup (not a cgroup v2 directory?)",
                                 errno);
        slot++;
    }
    for (const std::string &name : options.comms) {
        char comm[COMM_BYTES] = {};
        name.copy(comm, COMM_BYTES - 1);
        if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.comms), comm, &is_wanted, BPF_ANY))
            return Status::Error(Kind::invalid, "cannot filter by the thread name " + name, errno);
    }
    for (uint32_t inode : options.pid_namespaces)
        if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.pid_namespaces), &inode, &is_wanted, BPF_ANY))
            return Status::Error(Kind::invalid, "cannot filter by the pid namespace " + std::to_string(inode),
                                 errno);
    return Status::Ok();
}

void BpfPrograms::SetRates(const SamplerOptions &options) {
    auto *settings = skeleton_->rodata;
    settings->rate_rule_count = static_cast<uint32_t>(options.rate_rules.size());
    settings->rate_periods[0] = RatePeriod(options.base_share);
    for (size_t i = 0; i < options.rate_rules.size(); i++) {
        const RateRule &rule = options.rate_rules[i];
        settings->rate_rules[i].selector = rule.selector;
        settings->rate_rules[i].pid_namespace = rule.pid_namespace;
        rule.comm.copy(settings->rate_rules[i].comm, COMM_BYTES - 1);
        settings->rate_periods[i + 1] = RatePeriod(rule.share);
    }
}

// Each CPU draws numbers of its own, and begins somewhere in a period of each rate: else the first tick of
// every target would be a sample.
Status BpfPrograms::FillCpus(const SamplerOptions &options) {
    auto pages = SharedPages::OfMap(bpf_map__fd(skeleton_->maps.cpus), PossibleCpus() * sizeof(cpu_memory),
                                    "the memory of the CPUs");
    if (!pages.ok()) return pages.status();
    cpus_ = std::move(pages.value());
    std::random_device random;
    for (cpu_memory &cpu : cpus()) {
        cpu.state.random = static_cast<uint64_t>(random()) << 32 | random();
        if (options.rate_rules.empty()) continue;
        for (size_t rule = 0; rule <= options.rate_rules.size(); rule++)
            if (uint32_t period = skeleton_->rodata->rate_periods[rule])
                cpu.state.rates[rule].chosen = random() % period;
    }
    return Status::Ok();
}

std::span<cpu_memory> BpfPrograms::cpus() const {
    if (!cpus_.data()) return {};
    return {reinterpret_cast<cpu_memory *>(cpus_.data()), PossibleCpus()};
}

Status BpfPrograms::FillRates(const SamplerOptions &options) {
    std::map<int32_t, rated_process> processes;
    for (size_t i = 0; i < options.rate_rules.size(); i++) {
        const RateRule &rule = options.rate_rules[i];
        uint32_t slot = static_cast<uint32_t>(CGROUPS_MAX + i);
        if (rule.selector == RATE_BY_CGROUP &&
            bpf_map_update_elem(bpf_map__fd(skeleton_->maps.cgroups), &slot, &rule.cgroup_fd, BPF_ANY))
            return Status::Error(Kind::invalid, "cannot give this cgroup a rate (not a cgroup v2 directory?)",
                                 errno);
        if (rule.selector == RATE_BY_PID)
            for (int32_t pid : rule.pids)
                processes[pid].rules |= 1ULL << i;
    }
    for (const auto &[pid, rated] : processes)
        if (bpf_map_update_elem(bpf_map__fd(skeleton_->maps.rated_processes), &pid, &rated, BPF_ANY))
            return Status::Error(Kind::invalid, "cannot give pid " + std::to_string(pid) + " a rate", errno);
    return Status::Ok();
}

// The object and this file are built from one header, but a stale object must not be decoded with new
// offsets.
Status BpfPrograms::CheckLayout() const {
    const btf *types = bpf_object__btf(skeleton_->obj);
    int id = btf__find_by_name_kind(types, "sample_header", BTF_KIND_STRUCT);
    if (id < 0)
        return Status::Error(Kind::unsupported, "the BPF object has no type sample_header; build again");
    if (btf__type_by_id(types, static_cast<uint32_t>(id))->size != sizeof(sample_header))
        return Status::Error(Kind::unsupported,
                             "the BPF object and the addon disagree on sample_header; build again");
    return Status::Ok();
}

bpf_program *BpfPrograms::sampler() const {
    return uses_loop_ ? skeleton_->progs.on_cpu_sample : skeleton_->progs.on_cpu_sample_tail;
}

Status BpfPrograms::AttachLifecycle() {
    for (bpf_program *program : {skeleton_->progs.on_fork, skeleton_->progs.on_free}) {
        bpf_link *link = bpf_program__attach(program);
        if (!link)
            return Status::Error(KindOf(errno), "cannot attach " + std::string(bpf_program__name(program)),
                                 errno);
        links_.push_back(link);
    }
    return Status::Ok();
}

Status BpfPrograms::AttachTimer(int timer) {
    bpf_link *link = bpf_program__attach_perf_event(sampler(), dup(timer));
    if (!link) return Status::Error(KindOf(errno), "cannot attach the sampler to its timer", errno);
    links_.push_back(link);
    return Status::Ok();
}

void BpfPrograms::Detach() {
    for (bpf_link *link : links_)
        bpf_link__destroy(link);
    links_.clear();
}

Result<std::vector<ProcessIdentity>> BpfPrograms::ListProcesses() const {
    const char *what = "cannot list processes by the kernel's task iterator";
    bpf_link *link = bpf_program__attach_iter(skeleton_->progs.list_processes, nullptr);
    if (!link) return Status::Error(KindOf(errno), what, errno);
    Fd iterator(bpf_iter_create(bpf_link__fd(link)));
    int error = errno;
    bpf_link__destroy(link);
    if (!iterator.valid()) return Status::Error(KindOf(error), what, error);
    std::vector<ProcessIdentity> processes;
    ProcessIdentity batch[256];
    ssize_t bytes;
    while ((bytes = read(iterator.get(), batch, sizeof(batch))) > 0)
        processes.insert(processes.end(), batch, batch + static_cast<size_t>(bytes) / sizeof(*batch));
    if (bytes < 0) return Status::Error(Kind::io, what, errno);
    return processes;
}

Status BpfPrograms::AddTarget(int32_t pid) {
    bpf_map *set = in_pid_namespace_ ? skeleton_->maps.seeds : skeleton_->maps.targets;
    uint64_t start = 0; // not known here, see bpf/maps.h
    if (bpf_map_update_elem(bpf_map__fd(set), &pid, &start, BPF_ANY))
        return Status::Error(Kind::invalid,
                             "cannot sample pid " + std::to_string(pid) + ": the pid set is full", errno);
    return Status::Ok();
}

int BpfPrograms::samples_map() const {
    return bpf_map__fd(skeleton_->maps.samples);
}

int BpfPrograms::raw_stacks_map() const {
    return bpf_map__fd(skeleton_->maps.raw_stacks);
}

BpfTableMemory::Maps BpfPrograms::table_maps() const {
    return {bpf_map__fd(skeleton_->maps.shards), bpf_map__fd(skeleton_->maps.directory),
            bpf_map__fd(skeleton_->maps.rules), bpf_map__fd(skeleton_->maps.processes)};
}

std::vector<uint64_t> BpfPrograms::Counters() const {
    std::vector<uint64_t> sums(COUNTER_COUNT, 0);
    for (cpu_memory &cpu : cpus())
        for (size_t i = 0; i < COUNTER_COUNT; i++)
            sums[i] += std::atomic_ref(cpu.state.counters[i]).load(std::memory_order_relaxed);
    return sums;
}

BpfStats BpfPrograms::Stats() const {
    BpfStats stats;
    bpf_program *program = nullptr;
    while ((program = bpf_object__next_program(skeleton_->obj, program))) {
        bpf_prog_info info{};
        uint32_t bytes = sizeof(info);
        if (bpf_program__fd(program) < 0 || bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &bytes))
            continue;
        stats.runs += info.run_cnt;
        stats.time_ns += info.run_time_ns;
    }
    return stats;
}

uint64_t BpfPrograms::MapBytes() const {
    uint64_t bytes = 0;
    bpf_map *map = nullptr;
    while ((map = bpf_object__next_map(skeleton_->obj, map)))
        if (bpf_map__fd(map) >= 0) bytes += ChargedBytes(bpf_map__fd(map));
    return bytes;
}

} // namespace emberscope
