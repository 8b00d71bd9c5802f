// What the machine itself takes for entering the kernel: prints the median nanoseconds of an empty system
// call, first one after 10 ms of computing, as a sample at 97 Hz finds the caches, then one after another.
#include <sys/syscall.h>
#include <unistd.h>

#include "truth.h"

#define CALLS 200

static int by_value(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}
static uint64_t median_call(uint64_t pause_ns) {
    static uint64_t took[CALLS];
    for (int i = 0; i < CALLS; i++) {
        for (uint64_t until = wall_ns() + pause_ns; wall_ns() < until;)
            BURN(1000);
        uint64_t start = wall_ns();
        syscall(SYS_getppid);
        took[i] = wall_ns() - start;
    }
    qsort(took, CALLS, sizeof took[0], by_value);
    return took[CALLS / 2];
}

int main(void) {
    printf("%llu ", (unsigned long long)median_call(10000000));
    printf("%llu\n", (unsigned long long)median_call(0));
    return 0;
}
