#include "track/boot_clock.h"

#include <cstdio>
#include <ctime>

namespace emberscope {

namespace {

// "monotonic 0 0\nboottime 5 0\n": seconds and nanoseconds.
int64_t ReadShift() {
    FILE *file = fopen("/proc/self/timens_offsets", "re");
    if (!file) return 0; // before 5.6, or built without time namespaces
    char clock[16];
    long long seconds, nanoseconds;
    int64_t shift = 0;
    // NOLINTNEXTLINE(bugprone-unchecked-string-to-number-conversion): the kernel prints plain numbers
    while (fscanf(file, "%15s %lld %lld", clock, &seconds, &nanoseconds) == 3)
        if (clock[0] == 'b') shift = seconds * 1'000'000'000 + nanoseconds;
    fclose(file);
    return shift;
}

} // namespace

int64_t BootClockShiftNs() {
    static const int64_t shift = ReadShift();
    return shift;
}

uint64_t BootClockNs() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    int64_t told = static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    return static_cast<uint64_t>(told - BootClockShiftNs());
}

} // namespace emberscope
