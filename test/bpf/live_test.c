// SPDX-License-Identifier: Apache-2.0
// The unwinder's steps in code without rows against the C library: a program records its registers in the
// middle of a call chain and unwinds itself by unwind_step(), then asks backtrace(), which works by tables.
// Built without sanitizers and with frame pointers; tells also how deep main lies below the stack's start
// (ROOT_SLACK).
#define _GNU_SOURCE
#include <execinfo.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/types.h>

#include "check.h"

/* Faults instead of crashing. */
static int read_user(void *to, __u64 from, __u32 bytes) {
    struct iovec local = {to, bytes}, remote = {(void *)(uintptr_t)from, bytes};
    return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)bytes ? 0 : -1;
}

#include "unwind_state.h"

static const __u8 *shard_at(const struct unwind_state *state, __u32 index) {
    (void)state, (void)index;
    return NULL;
}

static const __u32 *directory_at(const struct unwind_state *state, __u32 word) {
    (void)state, (void)word;
    return NULL;
}

static const struct unwind_rule *rule_at(const struct unwind_state *state, __u64 index) {
    (void)state, (void)index;
    return NULL;
}

/* All memory is code without tables: return addresses are judged by the call before them alone. */
static int find_mapping(struct unwind_state *state, __u64 address) {
    state->mapping = (struct unwind_mapping){.end = address + 1, .kind = MAPPING_NO_TABLES};
    return 0;
}

static int copy_stack(struct unwind_state *state, __u64 address, __u64 *words, __u32 bytes) {
    (void)state;
    return read_user(words, address, bytes) ? STACK_END_UNREADABLE : 0;
}

static int read_stack(struct unwind_state *state, __u64 address, __u64 *word) {
    return copy_stack(state, address, word, sizeof(*word));
}

#include "unwind.h"

#define DEPTH 64

static __u64 frames[DEPTH];
static void *expected[DEPTH];
static int frame_count, expected_count, stack_end;
static __u64 stack_root;

/* Field 28 of /proc/self/stat: mm->start_stack. */
static __u64 read_start_stack(void) {
    char text[1024] = {0};
    FILE *file = fopen("/proc/self/stat", "re");
    if (!file || fread(text, 1, sizeof(text) - 1, file) == 0) return 0;
    fclose(file);
    char *field = strrchr(text, ')');
    for (int i = 2; field && i < 28; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field, NULL, 10) : 0;
}

static __attribute__((noinline)) void record(void) {
    struct unwind_state state = {0};
    __u64 *registers = state.raw.registers;
    unwind_begin(&state);
    state.raw.stack_root = stack_root;
    state.raw.is_exact = REGISTERS_EXACT;
    __asm__ volatile("lea 0(%%rip), %0; mov %%rsp, %1; mov %%rbp, %2; mov %%fs:0, %3"
                     : "=r"(registers[REGISTER_PC]), "=r"(registers[REGISTER_SP]),
                       "=r"(registers[REGISTER_FP]), "=r"(state.raw.thread_pointer));
    frame_count = 0;
    do
        frames[frame_count++] = registers[REGISTER_PC];
    while (frame_count < DEPTH && unwind_step(&state) == STEP_CALLER);
    stack_end = state.end;
    expected_count = backtrace(expected, DEPTH);
}

static __attribute__((noinline)) void direct(void) {
    record();
    __asm__ volatile("");
}

static void (*volatile through_register)(void) = direct;

static __attribute__((noinline)) void indirect(void) {
    through_register();
    __asm__ volatile("");
}

static void (*const volatile table[])(void) = {direct, indirect};

static __attribute__((noinline)) void through_table(int entry) {
    volatile int large_frame[1024];
    large_frame[entry] = entry;
    table[large_frame[entry]]();
    __asm__ volatile("");
}

static __attribute__((noinline)) void deeper(int levels) {
    if (levels > 0) deeper(levels - 1);
    else through_table(1);
    __asm__ volatile("");
}

/* `frames` after the first must be a prefix of backtrace(), which goes on into the C library's start code. */
static void compare(const char *claim, int frames_min) {
    char text[256];
    snprintf(text, sizeof(text), "%s: %d frames or more to the root, got %d and end %d", claim, frames_min,
             frame_count, stack_end);
    check(frame_count >= frames_min && stack_end == STACK_END_GUESSED, text);
    int equal = 1;
    while (equal < frame_count && equal < expected_count && frames[equal] == (uintptr_t)expected[equal])
        equal++;
    snprintf(text, sizeof(text), "%s: as backtrace() says, %d of %d equal", claim, equal, frame_count);
    check(equal == frame_count, text);
}

static void *in_thread(void *claim) {
    deeper(5);
    compare(claim, 11); /* record, direct, indirect, through_table, 6 x deeper, in_thread */
    return NULL;
}

int main(void) {
    stack_root = read_start_stack();
    check(stack_root > (uintptr_t)__builtin_frame_address(0), "the stack's start lies above main");
    __u64 slack = stack_root - (uintptr_t)__builtin_frame_address(0) - 16;
    check(slack < ROOT_SLACK, "main lies within the slack of the stack's start");
    printf("main lies %llu bytes below the stack's start\n", (unsigned long long)slack);
    deeper(0);
    compare("main thread", 6);
    deeper(20);
    compare("main thread, 20 levels deeper", 26);
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, "other thread") == 0) pthread_join(thread, NULL);
    return report();
}
