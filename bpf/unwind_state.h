/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* What the unwinder (unwind.h) keeps between two steps. */
#pragma once

#include "tables.h"

struct unwind_state {
    struct unwind_mapping mapping; /* the last hit; empty at first */
    __u32 mapping_table;           /* location of the process's mapping_table, 0: unknown process */
    __u32 mapping_count;
    __u32 page_word;     /* directory word of the last page */
    __u32 page_location; /* and what it holds */
    __u32 end;           /* enum stack_end, once unwind_step() gave something else than STEP_CALLER */
    __u32 mapping_index;
    __u64 signal_registers[34]; /* room for what a signal frame holds */
    /* Registers and flags; also the range of stack bytes that can be read at once (stack_start, stack_bytes).
     * Last, so that those bytes follow it and both are one record. */
    struct raw_stack raw;
};

#define STACK_WINDOW_BYTES 1536
#define STACK_WINDOW_BYTES_MAX 4096

/* A walk is one stack. */
struct walk {
    __u32 base;  /* index of the first user frame in the record */
    __u32 count; /* of user frames */
    struct unwind_state state;
    __u8 bytes[RAW_STACK_BYTES_MAX + RAW_ROOT_BYTES_MAX]; /* the stack window; all of it for a raw stack */
};
ABI_ASSERT(__builtin_offsetof(struct walk, bytes) ==
               __builtin_offsetof(struct walk, state.raw) + sizeof(struct raw_stack),
           "a raw_stack and its bytes are one record");

/*
 * All that the programs keep of a CPU, in one value: it is looked up once, and a sample touches its first
 * page (state, walk, stack window) and that of the record. Two pages matter: a page that the processor has no
 * translation of costs several loads from memory.
 */
struct cpu_memory {
    struct cpu_state state;
    struct walk walk __attribute__((aligned(64)));
    struct sample_record record __attribute__((aligned(64)));
} __attribute__((aligned(4096)));
ABI_ASSERT(__builtin_offsetof(struct cpu_memory, walk.bytes) + STACK_WINDOW_BYTES <= 4096,
           "the first window lies in the first page");

/* Below sp: behind a pop the rows still say that the register lies there, and leaf functions save some
 * without moving sp. */
#define RED_ZONE 128
