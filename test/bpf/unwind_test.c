// SPDX-License-Identifier: Apache-2.0
// unwind_step() on recorded registers and stacks: which frames it gives, and how it says that it ended.
// The stack is an array shown at STACK; the code is that of chain_x86.S, at its own address.
#include <stdint.h>

#include "check.h"
#include "fake_memory.h"

#include "unwind.h"

#define STACK 0x7ffc12340000ULL
#define WORDS 4096
#define SLOT(word) (STACK + 8 * (__u64)(word))

extern const char chain_begin[], leaf[], after_direct[], after_register[], after_memory[], after_plt[],
    not_after_call[], chain_end[];
#define AT(label) ((__u64)(uintptr_t)(label))

static __u64 stack[WORDS];
static __u64 frames[MAX_USER_FRAMES];
static int frame_count;

static const char *const end_names[] = {
#define END_NAME(id, name, quality) name,
    STACK_ENDS(END_NAME)};

/* A fresh stack of zeros, all readable. */
static void reset(void) {
    memset(stack, 0, sizeof(stack));
    regions[0] = (struct region){STACK, stack, sizeof(stack)};
    regions[1] = (struct region){AT(chain_begin), chain_begin, (__u64)(chain_end - chain_begin)};
}

/* A frame record at a word of the stack. */
static void put(int word, __u64 fp, __u64 return_address) {
    stack[word] = fp;
    stack[word + 1] = return_address;
}

/* What the BPF program does with the steps (profiler.bpf.c, walk_frame). */
static void walk(struct unwind_state *state) {
    for (frame_count = 0; frame_count < MAX_USER_FRAMES;) {
        frames[frame_count++] = state->pc;
        if (!unwind_step(state)) return;
    }
}

/* Walks from `leaf` with the given frame pointer and checks end and frames. */
static void expect(const char *claim, __u64 fp, struct unwind_state context, enum stack_end end, int count,
                   const __u64 *callers) {
    char text[256];
    struct unwind_state state = context;
    unwind_begin(&state, AT(leaf) + 1, SLOT(0), fp);
    walk(&state);
    snprintf(text, sizeof(text), "%s: %d frames and %s, got %d and %s", claim, count + 1, end_names[end],
             frame_count, end_names[state.end]);
    check(state.end == end && frame_count == count + 1, text);
    snprintf(text, sizeof(text), "%s: the callers' return addresses", claim);
    check(frames[0] == AT(leaf) + 1 && !memcmp(frames + 1, callers, (size_t)count * 8), text);
}

#define CALLERS(...)                                                                                         \
    (int)(sizeof((__u64[]){__VA_ARGS__}) / 8), (const __u64[]) {                                             \
        __VA_ARGS__                                                                                          \
    }
#define NO_CALLERS 0, stack
static const struct unwind_state plain = {0};

static void whole_chains(void) {
    reset();
    put(2, SLOT(10), AT(after_direct));
    put(10, SLOT(30), AT(after_register));
    put(30, 0, AT(after_memory));
    expect("a chain of checked calls ends at frame pointer 0", SLOT(2), plain, STACK_END_ROOT,
           CALLERS(AT(after_direct), AT(after_register), AT(after_memory)));
    put(30, SLOT(40), AT(after_memory));
    expect("return address 0 is a root", SLOT(2), plain, STACK_END_ROOT,
           CALLERS(AT(after_direct), AT(after_register), AT(after_memory)));
    struct unwind_state thread = {.thread_pointer = SLOT(40)};
    put(40, SLOT(50), AT(after_memory));
    expect("the thread pointer in the frame pointer is a root", SLOT(2), thread, STACK_END_ROOT,
           CALLERS(AT(after_direct), AT(after_register), AT(after_memory)));
    expect("a leaf without callers is a root", 0, plain, STACK_END_ROOT, NO_CALLERS);
    put(0, 0, AT(after_direct));
    expect("a frame right at the stack pointer is followed", SLOT(0), plain, STACK_END_ROOT,
           CALLERS(AT(after_direct)));
}

static void guessed_chains(void) {
    reset();
    put(2, SLOT(10), AT(after_plt));
    put(10, 0, AT(after_register));
    expect("a call of a stub makes the stack a guess", SLOT(2), plain, STACK_END_GUESSED,
           CALLERS(AT(after_plt), AT(after_register)));
    put(10, SLOT(3), AT(after_register));
    expect("a guess that breaks later is truncated", SLOT(2), plain, STACK_END_BAD_FRAME,
           CALLERS(AT(after_plt), AT(after_register)));
    put(2, SLOT(10), AT(after_register));
    put(10, 0, AT(after_plt));
    expect("a sibling call further up is no sign of a missing frame", SLOT(2), plain, STACK_END_ROOT,
           CALLERS(AT(after_register), AT(after_plt)));
    put(10, 0, 0x10000);
    expect("code further up that is not in memory makes a guess", SLOT(2), plain, STACK_END_GUESSED,
           CALLERS(AT(after_register), 0x10000));
    put(2, 0, 0x10000);
    expect("code that is not in memory makes a guess", SLOT(2), plain, STACK_END_GUESSED, CALLERS(0x10000));
}

static void broken_frame_pointers(void) {
    reset();
    put(2, SLOT(10) + 1, AT(after_direct));
    expect("a misaligned frame pointer ends it", SLOT(2), plain, STACK_END_BAD_FRAME,
           CALLERS(AT(after_direct)));
    expect("a misaligned first frame pointer ends it", SLOT(2) + 4, plain, STACK_END_BAD_FRAME, NO_CALLERS);
    put(2, SLOT(2), AT(after_direct));
    expect("a frame that is its own caller ends it", SLOT(2), plain, STACK_END_BAD_FRAME,
           CALLERS(AT(after_direct)));
    put(2, SLOT(1), AT(after_direct));
    expect("a caller's frame below its callee's ends it", SLOT(2), plain, STACK_END_BAD_FRAME,
           CALLERS(AT(after_direct)));
    expect("a frame below the stack pointer ends it", SLOT(0) - 8, plain, STACK_END_BAD_FRAME, NO_CALLERS);
    expect("a frame more than 1 MiB up ends it", SLOT(0) + FRAME_SPAN_MAX + 8, plain, STACK_END_BAD_FRAME,
           NO_CALLERS);
    expect("a frame of 1 MiB is looked for", SLOT(0) + FRAME_SPAN_MAX, plain, STACK_END_UNREADABLE,
           NO_CALLERS);
    expect("a frame pointer of all ones ends it", ~0ULL, plain, STACK_END_BAD_FRAME, NO_CALLERS);
    expect("a frame pointer in the kernel half ends it", 0xffff888000000000, plain, STACK_END_BAD_FRAME,
           NO_CALLERS);
    regions[0].size = 8 * 11;
    put(2, SLOT(10), AT(after_direct));
    expect("half a frame record is unreadable", SLOT(2), plain, STACK_END_UNREADABLE,
           CALLERS(AT(after_direct)));
}

static void broken_return_addresses(void) {
    static const struct {
        const char *claim;
        __u64 return_address;
    } bad[] = {
        {"a return address in page 0 ends it", USER_ADDRESS_MIN - 1},
        {"a return address beyond user space ends it", USER_ADDRESS_END},
        {"a return address in the kernel half ends it", 0xffffffff81000000},
        {"a return address of all ones ends it", ~0ULL},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        reset();
        put(2, SLOT(10), bad[i].return_address);
        expect(bad[i].claim, SLOT(2), plain, STACK_END_BAD_RETURN, NO_CALLERS);
    }
    reset();
    put(2, SLOT(10), AT(not_after_call));
    expect("a return address behind no call ends it", SLOT(2), plain, STACK_END_BAD_RETURN, NO_CALLERS);
    put(2, SLOT(10), SLOT(20));
    expect("a return address on the stack ends it", SLOT(2), plain, STACK_END_BAD_RETURN, NO_CALLERS);
}

/* main's caller has no frame pointer: a broken chain is the root there, and only there. */
static void roots_near_the_start(void) {
    reset();
    put(2, 1, AT(after_direct));
    struct unwind_state near = {.stack_root = SLOT(4) + ROOT_SLACK - 8};
    expect("a broken chain near the stack's start is a root", SLOT(2), near, STACK_END_ROOT,
           CALLERS(AT(after_direct)));
    struct unwind_state far = {.stack_root = SLOT(4) + ROOT_SLACK};
    expect("a broken chain far from the stack's start is broken", SLOT(2), far, STACK_END_BAD_FRAME,
           CALLERS(AT(after_direct)));
    struct unwind_state below = {.stack_root = SLOT(3)};
    expect("a stack above the start, as a thread's, is no root", SLOT(2), below, STACK_END_BAD_FRAME,
           CALLERS(AT(after_direct)));
    struct unwind_state close = {.stack_root = SLOT(20)};
    put(2, SLOT(10), AT(not_after_call));
    expect("a wrong return address near the start is a root", SLOT(2), close, STACK_END_ROOT, NO_CALLERS);
    put(2, 1, AT(after_plt));
    expect("a guess near the start stays a guess", SLOT(2), close, STACK_END_GUESSED, CALLERS(AT(after_plt)));
}

static void depth(void) {
    static __u64 callers[MAX_USER_FRAMES];
    reset();
    for (int i = 0; i < MAX_USER_FRAMES; i++) {
        callers[i] = AT(after_register);
        put(2 + 2 * i, SLOT(4 + 2 * i), AT(after_register));
    }
    put(2 + 2 * (MAX_USER_FRAMES - 2), 0, AT(after_register));
    expect("a stack of 1024 frames is whole", SLOT(2), plain, STACK_END_ROOT, MAX_USER_FRAMES - 1, callers);
    put(2 + 2 * (MAX_USER_FRAMES - 2), SLOT(2 + 2 * (MAX_USER_FRAMES - 1)), AT(after_register));
    expect("a stack of 1025 frames is cut at 1024", SLOT(2), plain, STACK_END_DEPTH, MAX_USER_FRAMES - 1,
           callers);
}

int main(void) {
    whole_chains();
    guessed_chains();
    broken_frame_pointers();
    broken_return_addresses();
    roots_near_the_start();
    depth();
    return report();
}
