// 256 small functions for lazy_calls.c to bind at their first call.
#include <stdint.h>

#define CALLEE(n)                                                                                            \
    __attribute__((noinline, visibility("default"))) uint64_t lazy_callee_##n(uint64_t unit) {               \
        for (uint64_t left = unit; left != 0; left--)                                                        \
            __asm__ volatile("" ::: "memory");                                                               \
        return unit;                                                                                         \
    }
#include "lazy.h"
