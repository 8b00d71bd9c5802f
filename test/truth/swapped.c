// A library for `swapper`, built twice: SWAP_NAME names its functions, SWAP_BYTES sizes their frames, so that
// the tables of the one are wrong for the other.
#include <stdint.h>

#define JOIN2(a, b) a##_##b
#define JOIN(a, b) JOIN2(a, b)
#define NAMED(name) JOIN(SWAP_NAME, name)

__attribute__((noinline, noclone)) static void NAMED(inner)(uint64_t unit, volatile char *above) {
    volatile char bytes[SWAP_BYTES];
    bytes[SWAP_BYTES - 1] = above[0];
    for (uint64_t left = unit; left != 0; left--)
        __asm__ volatile("" ::: "memory");
    bytes[0] = bytes[SWAP_BYTES - 1];
}

__attribute__((visibility("default"))) void swap_burn(uint64_t unit) {
    volatile char bytes[2 * SWAP_BYTES];
    bytes[0] = 1;
    NAMED(inner)(unit, bytes);
    bytes[1] = bytes[0];
}
