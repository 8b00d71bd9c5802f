// A short process: burns some milliseconds of CPU and ends. Usage: brief MS. Built twice, with BRIEF_NAME and
// BRIEF_BYTES: at the same addresses the one has other functions and other frames than the other.
#include "truth.h"

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAMED(name) JOIN(BRIEF_NAME, name)

NOINLINE static void NAMED(inner)(uint64_t until) {
    while (thread_cpu_ns() < until)
        BURN(20000);
}
NOINLINE static void NAMED(burn)(uint64_t until) {
    volatile char bytes[BRIEF_BYTES];
    bytes[0] = 1;
    NAMED(inner)(until);
    bytes[1] = bytes[0];
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    NAMED(burn)((uint64_t)(atof(argv[1]) * 1e6));
    return 0;
}
