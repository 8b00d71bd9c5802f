// A program in step with a 100 Hz timer: cycles of exactly 10 ms of the monotonic clock, 60/30/10 between
// three functions. The boundaries are read from the cycle counter inside each function (a clock call would
// put a leaf without a frame on the stack). Usage: lockstep [milliseconds]; waits for a byte on standard
// input, prints what each used.
#include "truth.h"

enum { CYCLE_NS = 10000000 };

static inline uint64_t counter(void) {
#if defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return __builtin_ia32_rdtsc();
#endif
}

static uint64_t used_ns[3];

NOINLINE static void heavy(uint64_t until) {
    while (counter() < until)
        SPIN(50);
}
NOINLINE static void medium(uint64_t until) {
    while (counter() < until)
        SPIN(50);
}
NOINLINE static void light(uint64_t until) {
    while (counter() < until)
        SPIN(50);
}

static double counts_per_ns(void) {
    uint64_t start_ns = wall_ns(), start = counter();
    while (wall_ns() < start_ns + 50000000)
        SPIN(100);
    return (double)(counter() - start) / (double)(wall_ns() - start_ns);
}

// One cycle, beginning wherever we are in it now; the first one may be partial.
static void cycle(double rate) {
    uint64_t now_ns = wall_ns(), now = counter();
    uint64_t cycle_ns = now_ns - now_ns % CYCLE_NS;
    uint64_t limit[3];
    for (int part = 0; part < 3; part++) {
        uint64_t limit_ns = cycle_ns + (part == 0 ? 6000000u : part == 1 ? 9000000u : CYCLE_NS);
        limit[part] = limit_ns <= now_ns ? now : now + (uint64_t)((double)(limit_ns - now_ns) * rate);
    }
    uint64_t cpu[4] = {thread_cpu_ns()};
    heavy(limit[0]), cpu[1] = thread_cpu_ns();
    medium(limit[1]), cpu[2] = thread_cpu_ns();
    light(limit[2]), cpu[3] = thread_cpu_ns();
    for (int part = 0; part < 3; part++)
        used_ns[part] += cpu[part + 1] - cpu[part];
}

int main(int argc, char **argv) {
    end_with_parent();
    double rate = counts_per_ns();
    wait_for_go();
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 1, 1000) * 1e6);
    while (wall_ns() < deadline)
        cycle(rate);
    printf("{\"heavy\":%llu,\"medium\":%llu,\"light\":%llu}\n", (unsigned long long)used_ns[0],
           (unsigned long long)used_ns[1], (unsigned long long)used_ns[2]);
    return 0;
}
