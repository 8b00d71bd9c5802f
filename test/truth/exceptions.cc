// What C++ programs do to their stacks: exceptions through many frames with destructors, std::sort, signal
// handlers on the stack and on one of their own, and clocks of the vDSO. Usage: exceptions [seconds]; prints
// what each part really used. A timer's handler runs in the middle of any of them.
#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include <sys/time.h>

#include "truth.h"

namespace {

struct Guard {
    uint64_t unit;
    NOINLINE ~Guard() { BURN(unit / 16); }
};

NOINLINE int throw_deep(int levels, uint64_t unit) {
    Guard guard{unit};
    if (levels == 0) throw std::string("the bottom");
    int below = throw_deep(levels - 1, unit);
    BURN(unit / 16);
    return below + 1;
}

NOINLINE uint64_t throw_part(uint64_t unit) {
    for (int i = 0; i < 20; i++) {
        try {
            throw_deep(20, unit / 20);
        } catch (const std::string &) {
            BURN(unit / 20);
        }
    }
    return 0;
}

NOINLINE bool sort_compare(const std::string &a, const std::string &b) {
    BURN(20);
    return a < b;
}

NOINLINE uint64_t sort_part(uint64_t unit) {
    std::vector<std::string> words;
    uint32_t random = static_cast<uint32_t>(unit);
    for (uint64_t i = 0; i < unit / 500; i++) {
        random = random * 1664525u + 1013904223u;
        words.push_back(std::to_string(random));
    }
    std::sort(words.begin(), words.end(), sort_compare);
    return 0;
}

volatile uint64_t handler_unit;

NOINLINE void handler_burn(uint64_t unit) {
    BURN(unit);
}
void signal_handler(int) {
    handler_burn(handler_unit);
}
void timer_handler(int) {
    handler_burn(20000);
}

NOINLINE uint64_t signal_part(uint64_t unit) {
    handler_unit = unit;
    raise(SIGUSR1); // on a stack of its own
    raise(SIGUSR2); // on this one
    return 0;
}

NOINLINE uint64_t clock_part(uint64_t unit) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < unit / 50; i++)
        sum += clock_ns(CLOCK_MONOTONIC);
    return sum == 1;
}

void handle(int signal, void (*handler)(int), int flags) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags | SA_RESTART;
    if (sigaction(signal, &action, nullptr) != 0) exit(1);
}

char signal_stack[65536];

} // namespace

int main(int argc, char **argv) {
    end_with_parent();
    stack_t stack = {};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    if (sigaltstack(&stack, nullptr) != 0) return 1;
    handle(SIGUSR1, signal_handler, SA_ONSTACK);
    handle(SIGUSR2, signal_handler, 0);
    handle(SIGALRM, timer_handler, SA_ONSTACK);
    itimerval every = {{0, 3700}, {0, 3700}};
    if (setitimer(ITIMER_REAL, &every, nullptr) != 0) return 1;
    part parts[] = {{"throw", throw_part, 0},
                    {"sort", sort_part, 0},
                    {"signal", signal_part, 0},
                    {"clock", clock_part, 0}};
    run_parts(parts, 4, 1000000, seconds_argument(argc, argv, 1, 10));
    return 0;
}
