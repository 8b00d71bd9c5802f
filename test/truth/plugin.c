// A library to load late: one busy function, which touches nothing outside its own code page.
#include <stdint.h>

__attribute__((noinline, visibility("default"))) void plugin_burn(uint64_t iterations) {
    __asm__ volatile("" ::"r"(__builtin_frame_address(0))); // see SPIN in truth.h
    for (uint64_t left = iterations; left != 0; left--)
        __asm__ volatile("" ::: "memory");
}
