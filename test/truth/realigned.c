// Recursion whose frames are of a size only known at run time (alloca), and frames whose stack is realigned,
// so that their CFA is kept in memory (DRAP). Usage: realigned [seconds] [depth]; prints what each part
// really used.
#include <alloca.h>
#include <string.h>

#include "truth.h"

static int depth = 500;

NOINLINE static void leaf_burn(uint64_t unit) {
    BURN(unit);
}

NOINLINE static uint64_t alloca_dig(int levels, uint64_t unit) {
    volatile char *bytes = alloca(16 + (size_t)(levels % 7) * 24);
    bytes[0] = (char)levels;
    if (levels == 0) leaf_burn(unit);
    else unit += alloca_dig(levels - 1, unit);
    return unit + (uint64_t)bytes[0];
}

NOINLINE static uint64_t aligned_dig(int levels, uint64_t unit, const char *above) {
    _Alignas(64) volatile char bytes[64];
    volatile char *more = alloca(8 + (size_t)(levels % 5) * 40);
    bytes[levels & 63] = above[0];
    more[0] = (char)levels;
    if (levels == 0) leaf_burn(unit);
    else unit += aligned_dig(levels - 1, unit, (const char *)more);
    return unit + (uint64_t)bytes[levels & 63] + (uint64_t)more[0];
}

NOINLINE static uint64_t alloca_part(uint64_t unit) {
    return alloca_dig(depth, unit) * 0;
}
NOINLINE static uint64_t aligned_part(uint64_t unit) {
    return aligned_dig(depth, unit, "") * 0;
}

int main(int argc, char **argv) {
    end_with_parent();
    if (argc > 2) depth = atoi(argv[2]);
    struct part parts[] = {{"alloca", alloca_part, 0}, {"aligned", aligned_part, 0}};
    run_parts(parts, 2, 500000, seconds_argument(argc, argv, 1, 10));
    return 0;
}
