#include "sampler.h"

#include <bpf/libbpf.h>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace emberscope {

namespace {

// Of a record in a ring, with the ring's own header.
uint64_t RingBytesOf(size_t record_bytes) {
    return 8 + (record_bytes + 7) / 8 * 8;
}

} // namespace

Result<std::unique_ptr<Sampler>> Sampler::Open(const SamplerOptions &options) {
    std::unique_ptr<Sampler> sampler(new Sampler());
    sampler->by_pid_ = options.by_pid;
    Result<std::vector<int>> cpus = OnlineCpus();
    if (!cpus.ok()) return cpus.status();
    if (Status status = sampler->timers_.Open(options, cpus.value()); !status.ok()) return status;
    if (Status status = sampler->programs_.Load(options, cpus.value().size()); !status.ok()) return status;
    if (Status status = sampler->OpenRings(options); !status.ok()) return status;
    if (Status status = sampler->sideband_.Open(cpus.value()); !status.ok()) return status;
    if (Status status = sampler->sideband_.Enable(); !status.ok()) return status;
    if (Status status = sampler->programs_.AttachLifecycle(); !status.ok()) return status;
    return sampler;
}

Sampler::~Sampler() {
    Stop();
    if (samples_) ring_buffer__free(samples_);
    if (raw_stacks_) ring_buffer__free(raw_stacks_);
}

Status Sampler::OpenRings(const SamplerOptions &options) {
    Result<std::unique_ptr<BpfTableMemory>> memory = BpfTableMemory::Open(programs_.table_maps());
    if (!memory.ok()) return memory.status();
    stages_ = std::make_unique<UnwindStages>(
        std::move(memory.value()),
        UnwindStages::Limits{options.cache_directory, options.kernel_budget_bytes, options.user_budget_bytes},
        [this](std::span<const std::byte> record) { decoder_.Decode(record); });
    auto take_sample = [](void *self, void *data, size_t bytes) {
        static_cast<Sampler *>(self)->TakeSample({static_cast<const std::byte *>(data), bytes});
        return 0;
    };
    auto take_stack = [](void *self, void *data, size_t bytes) {
        auto *sampler = static_cast<Sampler *>(self);
        sampler->drained_raw_stacks_ += RingBytesOf(bytes);
        sampler->stages_->queue().AddStack({static_cast<const std::byte *>(data), bytes});
        return 0;
    };
    samples_ = ring_buffer__new(programs_.samples_map(), take_sample, this, nullptr);
    if (!samples_) return Status::Error(Kind::io, "cannot map the sample ring", errno);
    raw_stacks_ = ring_buffer__new(programs_.raw_stacks_map(), take_stack, this, nullptr);
    if (!raw_stacks_) return Status::Error(Kind::io, "cannot map the ring of raw stacks", errno);
    return Status::Ok();
}

void Sampler::TakeSample(std::span<const std::byte> record) {
    drained_samples_ += RingBytesOf(record.size());
    sample_header header{};
    if (record.size() >= sizeof(header)) std::memcpy(&header, record.data(), sizeof(header));
    if (header.ticket) return stages_->queue().AddSample(record);
    records_.insert(records_.end(), record.begin(), record.end());
    record_ends_.push_back(records_.size());
}

// A stack may have been walked by the rows of a file that was not there any more: then it is a guess.
void Sampler::DecodeSamples() {
    size_t begin = 0;
    for (size_t end : record_ends_) {
        std::span<std::byte> record(records_.data() + begin, end - begin);
        begin = end;
        sample_header header{};
        if (record.size() >= sizeof(header)) std::memcpy(&header, record.data(), sizeof(header));
        if (header.stack_end == STACK_END_ROOT && stages_->IsStale(record)) {
            header.stack_end = STACK_END_GUESSED;
            std::memcpy(record.data(), &header, sizeof(header));
        }
        decoder_.Decode(record);
    }
    records_.clear();
    record_ends_.clear();
}

Status Sampler::AddTarget(int32_t pid) {
    if (Status status = programs_.AddTarget(pid); !status.ok()) return status;
    followed_.insert(pid);
    return Status::Ok();
}

// The side-band has run since Open(): what changes while /proc is read comes as an event later.
Status Sampler::PublishProcesses() {
    Result<std::vector<ProcessIdentity>> processes = programs_.ListProcesses();
    if (!processes.ok()) return processes.status();
    if (by_pid_)
        std::erase_if(processes.value(), [this](const ProcessIdentity &process) {
            return !followed_.contains(static_cast<int32_t>(process.pid));
        });
    stages_->Scan(processes.value());
    return Status::Ok();
}

Status Sampler::Start() {
    if (is_started_) return Status::Ok();
    is_started_ = true;
    if (Status status = PublishProcesses(); !status.ok()) return status;
    for (const Fd &timer : timers_.fds())
        if (Status status = programs_.AttachTimer(timer.get()); !status.ok()) return status;
    return Status::Ok();
}

void Sampler::Stop() {
    is_stopped_ = true;
    timers_.Disable();
    programs_.Detach();
}

// Samples leave first: a raw stack is written before its sample, and events reach at least as far.
Result<SampleColumns> Sampler::Drain() {
    drained_samples_ = drained_raw_stacks_ = 0;
    int consumed = ring_buffer__consume(samples_);
    if (consumed < 0) return Status::Error(Kind::io, "cannot read the sample ring", -consumed);
    consumed = ring_buffer__consume(raw_stacks_);
    if (consumed < 0) return Status::Error(Kind::io, "cannot read the ring of raw stacks", -consumed);
    std::vector<ProcessEvent> events = sideband_.Drain(by_pid_ ? &followed_ : nullptr);
    stages_->Turn(events, is_stopped_);
    DecodeSamples();
    events_.insert(events_.end(), std::make_move_iterator(events.begin()),
                   std::make_move_iterator(events.end()));
    return decoder_.Take();
}

std::vector<ProcessEvent> Sampler::DrainEvents() {
    return std::exchange(events_, {});
}

std::vector<double> Sampler::Counters() const {
    std::vector<uint64_t> sums = programs_.Counters();
    sums[COUNTER_MALFORMED] += decoder_.malformed();
    return {sums.begin(), sums.end()};
}

} // namespace emberscope
