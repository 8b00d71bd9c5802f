// Burns at the end of a recursion. Usage: deep DEPTH [seconds]; DEPTH counts the frames from `main` to the
// leaf, both included. Prints the CPU time it used, and what was spent there.
#include "truth.h"

NOINLINE static uint64_t deep_leaf(uint64_t unit) {
    BURN(unit);
    return unit;
}

NOINLINE static uint64_t deep_dig(int levels, uint64_t unit) {
    if (levels == 0) return deep_leaf(unit);
    uint64_t below = deep_dig(levels - 1, unit);
    __asm__ volatile("" ::: "memory"); // or the recursion becomes a loop
    return below + unit;
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc < 2 || atoi(argv[1]) < 3) return 2;
    uint64_t deadline = wall_ns() + (uint64_t)(seconds_argument(argc, argv, 2, 10) * 1e9);
    uint64_t used = 0;
    while (wall_ns() < deadline) {
        uint64_t start = thread_cpu_ns();
        deep_dig(atoi(argv[1]) - 3, 5000000);
        used += thread_cpu_ns() - start;
    }
    printf("{\"deep\":%llu,\"total\":%llu}\n", (unsigned long long)used, (unsigned long long)thread_cpu_ns());
    return 0;
}
