#include "timers.h"

#include <cerrno>
#include <cstdio>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"

namespace emberscope {

namespace {

// What the kernel calls the period of the event: ticks a second of `cycles`, nanoseconds of the clock, which
// are finer than a frequency.
uint64_t TickPeriod(const std::string &event, uint32_t rate_hz, uint32_t dither) {
    uint64_t ticks_per_second = static_cast<uint64_t>(rate_hz) * SamplingPeriod(dither);
    return event == "cycles" ? ticks_per_second / TICK_ONE : 1000000000ull * TICK_ONE / ticks_per_second;
}

perf_event_attr TimerAttributes(const std::string &event, const SamplerOptions &options) {
    uint64_t period = TickPeriod(event, options.rate_hz, options.dither);
    perf_event_attr attr{};
    attr.size = sizeof(attr);
    attr.disabled = 1;
    if (event == "cycles") {
        attr.type = PERF_TYPE_HARDWARE;
        attr.config = PERF_COUNT_HW_CPU_CYCLES;
        attr.freq = 1;
        attr.sample_freq = period;
    } else {
        attr.type = PERF_TYPE_SOFTWARE;
        attr.config = PERF_COUNT_SW_CPU_CLOCK;
        attr.sample_period = period;
    }
    return attr;
}

} // namespace

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

// Without dither every tick is a sample.
uint32_t SamplingPeriod(uint32_t dither) {
    return dither == 1 ? TICK_ONE : dither * TICK_ONE + TICK_FRACTION;
}

Status Timers::OpenEvent(const char *event, const SamplerOptions &options, const std::vector<int> &cpus) {
    perf_event_attr attr = TimerAttributes(event, options);
    for (int cpu : cpus) {
        long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
        if (fd < 0) {
            int error = errno;
            fds_.clear();
            Kind kind = error == EPERM || error == EACCES ? Kind::not_permitted : Kind::unsupported;
            return Status::Error(
                kind, "cannot open perf event " + std::string(event) + " on cpu " + std::to_string(cpu),
                error);
        }
        fds_.emplace_back(static_cast<int>(fd));
    }
    event_ = event;
    dither_ = options.dither;
    return Status::Ok();
}

// Cycles where the host has a PMU: they do not count halted time twice under a hypervisor; the clock runs
// everywhere.
Status Timers::Open(const SamplerOptions &options, const std::vector<int> &cpus) {
    if (options.event != "cpu-clock") {
        Status status = OpenEvent("cycles", options, cpus);
        if (status.ok() || options.event == "cycles" || status.kind == Kind::not_permitted) return status;
    }
    return OpenEvent("cpu-clock", options, cpus);
}

Status Timers::SetRate(uint32_t rate_hz) {
    uint64_t period = TickPeriod(event_, rate_hz, dither_);
    for (const Fd &fd : fds_)
        if (ioctl(fd.get(), PERF_EVENT_IOC_PERIOD, &period))
            return Status::Error(Kind::invalid, "cannot sample at " + std::to_string(rate_hz) + " Hz", errno);
    return Status::Ok();
}

void Timers::Disable() {
    for (const Fd &fd : fds_)
        ioctl(fd.get(), PERF_EVENT_IOC_DISABLE, 0);
}

} // namespace emberscope
