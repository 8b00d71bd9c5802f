// Shared by the programs that know their own truth: each burns CPU in functions of known names and measures,
// by the thread's own CPU clock, how much went where. They print one JSON object when they end. Loops are
// plain counting, so that a function is a leaf with its own frame and calls nothing.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))

// Counts down inside the calling function; the asm keeps the compiler from folding the loop away. Naming the
// frame address makes a frame: gcc drops the frame pointer of a leaf that needs no stack, whatever its flags
// say.
#define SPIN(iterations)                                                                                     \
    do {                                                                                                     \
        __asm__ volatile("" ::"r"(__builtin_frame_address(0)));                                              \
        for (uint64_t spin_left = (iterations); spin_left != 0; spin_left--)                                 \
            __asm__ volatile("" ::: "memory");                                                               \
    } while (0)

// The same without a frame: for programs that are compiled without frame pointers.
#define BURN(iterations)                                                                                     \
    do {                                                                                                     \
        for (uint64_t burn_left = (iterations); burn_left != 0; burn_left--)                                 \
            __asm__ volatile("" ::: "memory");                                                               \
    } while (0)

static inline uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t thread_cpu_ns(void) {
    return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
static inline uint64_t wall_ns(void) {
    return clock_ns(CLOCK_MONOTONIC);
}

// A test that dies must not leave a busy program behind.
static inline void end_with_parent(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

// Waits for one byte on standard input, so that a profiler can attach first.
static inline void wait_for_go(void) {
    if (getchar() == EOF) exit(1);
}

static inline double seconds_argument(int argc, char **argv, int at, double fallback) {
    return argc > at ? atof(argv[at]) : fallback;
}

// A part of a program's work. Its functions that can be the outermost known frame are called NAME_..., so
// that a sample belongs to the part that has such a frame.
struct part {
    const char *name;
    uint64_t (*run)(
        uint64_t unit); // burns some multiple of `unit`; CPU ns it used outside the calling thread
    uint64_t used_ns;
};

// Runs the parts in turn for some wall time, each turn of another length so that no sampling rate is in step
// with it, and prints what each really used.
static inline void run_parts(struct part *parts, int count, uint32_t unit, double seconds) {
    uint64_t deadline = wall_ns() + (uint64_t)(seconds * 1e9);
    uint32_t random = 1;
    while (wall_ns() < deadline) {
        random = random * 1664525u + 1013904223u;
        uint64_t length = unit + (random >> 8) % unit;
        for (int i = 0; i < count; i++) {
            uint64_t start = thread_cpu_ns();
            uint64_t elsewhere = parts[i].run(length);
            parts[i].used_ns += thread_cpu_ns() - start + elsewhere;
        }
    }
    printf("{");
    for (int i = 0; i < count; i++)
        printf("%s\"%s\":%llu", i > 0 ? "," : "", parts[i].name, (unsigned long long)parts[i].used_ns);
    printf("}\n");
}
