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

void Timers::Disable() {
    for (const Fd &fd : fds_)
        ioctl(fd.get(), PERF_EVENT_IOC_DISABLE, 0);
}

} // namespace emberscope
