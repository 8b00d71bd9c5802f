// Three functions share the CPU 60/30/10, the middle one through a callee of its own. Each turn is of another
// length, so that no sampling rate is in step with it. Usage: split [seconds]; prints what each function
// really used. Compiled as split-shifted the shares are 50/40/10.
#include "truth.h"

#ifdef SHIFTED
enum { PART = 600000, HEAVY = 5, INNER = 3 };
#else
enum { PART = 600000, HEAVY = 6, INNER = 2 };
#endif

static uint64_t used_ns[3];

NOINLINE static void heavy(uint64_t unit) {
    SPIN(HEAVY * unit);
}
NOINLINE static void medium_inner(uint64_t unit) {
    SPIN(INNER * unit);
}
NOINLINE static void medium(uint64_t unit) {
    SPIN(unit);
    medium_inner(unit);
    SPIN(1);
}
NOINLINE static void light(uint64_t unit) {
    SPIN(unit);
}

NOINLINE static void turn(uint64_t unit) {
    uint64_t start = thread_cpu_ns();
    heavy(unit);
    uint64_t after_heavy = thread_cpu_ns();
    medium(unit);
    uint64_t after_medium = thread_cpu_ns();
    light(unit);
    uint64_t end = thread_cpu_ns();
    used_ns[0] += after_heavy - start;
    used_ns[1] += after_medium - after_heavy;
    used_ns[2] += end - after_medium;
}

int main(int argc, char **argv) {
    end_with_parent();
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 1, 10) * 1e9);
    uint32_t random = 1;
    while (wall_ns() < deadline) {
        random = random * 1664525u + 1013904223u;
        turn(PART + (random >> 8) % PART);
    }
    printf("{\"heavy\":%llu,\"medium\":%llu,\"light\":%llu,\"total\":%llu}\n", (unsigned long long)used_ns[0],
           (unsigned long long)used_ns[1], (unsigned long long)used_ns[2],
           (unsigned long long)thread_cpu_ns());
    return 0;
}
