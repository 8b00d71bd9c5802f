// One of the libraries of `hops`: its functions lie on pages of tables of their own. HOP_NAME(x) names them.
#include <stdint.h>

typedef uint64_t hop_function(int levels, uint64_t unit);

extern hop_function *hop_next(int levels);
extern uint64_t hop_leaf(uint64_t unit);

#define HOP(page)                                                                                            \
    __attribute__((aligned(65536), visibility("default"))) uint64_t hop_##page(int levels, uint64_t unit) {  \
        if (levels == 0) return hop_leaf(unit);                                                              \
        uint64_t below = hop_next(levels)(levels - 1, unit);                                                 \
        __asm__ volatile("" ::: "memory");                                                                   \
        return below + unit;                                                                                 \
    }
HOP(0)
HOP(1)
HOP(2)
HOP(3)
