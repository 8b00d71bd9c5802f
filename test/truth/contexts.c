// Coroutines: stacks that makecontext prepared, which nothing calls. One burns where it was entered, the
// other some frames below its start, where it switches back and is resumed. Usage: contexts [seconds]; prints
// what each really used.
#include <ucontext.h>

#include "truth.h"

enum { STACK_BYTES = 65536 };

struct coroutine {
    ucontext_t context;
    uint64_t unit;
    char stack[STACK_BYTES];
};

static ucontext_t caller;
static struct coroutine shallow, deep;

static void shallow_start(void) {
    for (;;) {
        BURN(shallow.unit);
        swapcontext(&shallow.context, &caller);
    }
}

// Its last frame is left only when nobody asks for more.
NOINLINE static int deep_dig(int left) {
    if (left > 0) return deep_dig(left - 1) + 1;
    while (deep.unit != 0) {
        BURN(deep.unit);
        swapcontext(&deep.context, &caller);
    }
    return 0;
}
static void deep_start(void) {
    exit(deep_dig(20));
}

static void make(struct coroutine *coroutine, void (*start)(void)) {
    getcontext(&coroutine->context);
    coroutine->context.uc_stack.ss_sp = coroutine->stack;
    coroutine->context.uc_stack.ss_size = STACK_BYTES;
    coroutine->context.uc_link = &caller;
    makecontext(&coroutine->context, start, 0);
}

// Its CPU time is the calling thread's: run_parts() measures it.
static uint64_t enter(struct coroutine *coroutine, uint64_t unit) {
    coroutine->unit = unit;
    swapcontext(&caller, &coroutine->context);
    return 0;
}
NOINLINE static uint64_t run_shallow(uint64_t unit) {
    return enter(&shallow, unit);
}
NOINLINE static uint64_t run_deep(uint64_t unit) {
    return enter(&deep, unit);
}

int main(int argc, char **argv) {
    end_with_parent();
    make(&shallow, shallow_start);
    make(&deep, deep_start);
    struct part parts[] = {{"shallow", run_shallow, 0}, {"deep", run_deep, 0}};
    run_parts(parts, 2, 4000000, seconds_argument(argc, argv, 1, 10));
    return 0;
}
