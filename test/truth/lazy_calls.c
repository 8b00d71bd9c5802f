// Calls 256 functions of another library through the PLT, each for the first time.
#include <stdint.h>

#define CALLEE(n) uint64_t lazy_callee_##n(uint64_t unit);
#include "lazy.h"
#undef CALLEE

__attribute__((visibility("default"))) uint64_t lazy_call_all(uint64_t unit) {
    uint64_t sum = 0;
#define CALLEE(n) sum += lazy_callee_##n(unit);
#include "lazy.h"
    return sum;
}
