// A 60/30/10 split of work that is done in callbacks of the C library's qsort, which has no frame pointers.
// Usage: callbacks [seconds]; prints what each part really used.
#include "truth.h"

static uint64_t unit_now;

NOINLINE static int compare(const void *a, const void *b) {
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}
NOINLINE static int heavy_compare(const void *a, const void *b) {
    BURN(6 * unit_now);
    return compare(a, b);
}
NOINLINE static void medium_inner(uint64_t unit) {
    BURN(2 * unit);
}
NOINLINE static int medium_compare(const void *a, const void *b) {
    BURN(unit_now);
    medium_inner(unit_now);
    return compare(a, b);
}
NOINLINE static int light_compare(const void *a, const void *b) {
    BURN(unit_now);
    return compare(a, b);
}

NOINLINE static uint64_t sort(uint64_t unit, int (*by)(const void *, const void *)) {
    int numbers[2] = {2, 1};
    unit_now = unit;
    qsort(numbers, 2, sizeof numbers[0], by);
    return (uint64_t)(numbers[0] > numbers[1]); // sorted: 0
}
NOINLINE static uint64_t heavy_part(uint64_t unit) {
    return sort(unit, heavy_compare);
}
NOINLINE static uint64_t medium_part(uint64_t unit) {
    return sort(unit, medium_compare);
}
NOINLINE static uint64_t light_part(uint64_t unit) {
    return sort(unit, light_compare);
}

int main(int argc, char **argv) {
    end_with_parent();
    struct part parts[] = {{"heavy", heavy_part, 0}, {"medium", medium_part, 0}, {"light", light_part, 0}};
    run_parts(parts, 3, 600000, seconds_argument(argc, argv, 1, 10));
    return 0;
}
