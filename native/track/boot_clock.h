// Time as the kernel's own events and our samples have it: nanoseconds since boot, suspended time included. A
// time namespace (CLONE_NEWTIME) shifts what we and /proc are told; the shift is taken off here.
#pragma once

#include <cstdint>

namespace emberscope {

// Now, as sample_header.time_ns and ProcessEvent.time_ns count.
uint64_t BootClockNs();
// What our time namespace adds to CLOCK_BOOTTIME and to the start times in /proc/PID/stat; nearly always 0.
int64_t BootClockShiftNs();

} // namespace emberscope
