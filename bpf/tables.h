/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The unwind tables as they lie in memory that C++ writes and both unwinders read (bpf/unwind.h, compiled for
 * BPF and for user space). The path of a lookup:
 *
 *   process (pid)      -> process_entry      hash map `processes`; identity (start, exec id) must match
 *   address            -> unwind_mapping     sorted array of the process, in the arena
 *   mapping + address  -> position           offset in the file; page = position >> TEXT_PAGE_SHIFT
 *   directory + page   -> location           array map `directory`: one word a page of every known file
 *   location           -> page_blob          in the arena: bucket index, then rows
 *   row                -> unwind_rule        array map `rules`, shared by all files
 *
 * The arena is up to SHARDS_MAX shards of SHARD_BYTES: one map value each, in the map-in-map `shards`. Things
 * in it lie at multiples of ARENA_UNIT and never cross a shard. One writer, the thread that drains: it writes
 * a thing, then publishes its location by one 32-bit store; it takes a location back, waits for every running
 * program to end (membarrier), and only then reuses the memory.
 */
#pragma once

#include "abi.h"

/* Small pages follow the hot code closely: less is loaded that no stack goes through. */
#define TEXT_PAGE_SHIFT 14
#define TEXT_PAGE_BYTES (1 << TEXT_PAGE_SHIFT)
#define BUCKET_SHIFT 8
#define BUCKETS (TEXT_PAGE_BYTES >> BUCKET_SHIFT)

#define SHARD_BYTES (1 << 20)
#define SHARDS_MAX 64
#define ARENA_UNIT 16
#define DIRECTORY_PAGES (1 << 19) /* 8 GiB of text */
#define RULES_MAX 32768
#define MAPPINGS_MAX 8192 /* of a process; the search takes 13 steps */
#define PROCESSES_MAX 65536

/* A location: shard << 16 | offset / ARENA_UNIT. Zero is never one: the first unit of shard 0 stays unused.
 */
#define LOCATION_SHARD(location) ((location) >> 16)
#define LOCATION_OFFSET(location) (((location) & 0xffff) * ARENA_UNIT)

/* What a directory word can hold besides a location. */
#define PAGE_NOT_LOADED 0U
#define PAGE_WITHOUT_ROWS 0xffffffffU /* looked at: no table covers any of it */

/* Registers by their DWARF numbers, so that rules need no translation. */
#if defined(__TARGET_ARCH_arm64) || (defined(__aarch64__) && !defined(__BPF__))
#define REGISTER_FP 29
#define REGISTER_LR 30
#define REGISTER_SP 31
#define REGISTER_PC 32
#define REGISTER_COUNT 33
#define REGISTER_BX 19 /* no rule needs a second kept register there; the slot stays */
#else
#define REGISTER_BX 3 /* kept through frames: the lazy binder's CFA is rbx + n */
#define REGISTER_FP 6
#define REGISTER_SP 7
#define REGISTER_PC 16
#define REGISTER_COUNT 17
#endif

/* How a row finds the frame. X(name, text) */
#define RULE_KINDS(X)                                                                                        \
    X(RULE_NONE, "no row")             /* a gap between functions */                                         \
    X(RULE_ROOT, "root")               /* return address undefined: the first frame of a thread */           \
    X(RULE_CFA, "cfa")                 /* CFA = base + offset */                                             \
    X(RULE_CFA_DEREF, "deref")         /* CFA = *(base + offset) + addend */                                 \
    X(RULE_PLT, "plt")                 /* CFA = sp + 8, and 8 more when (pc & 15) >= offset */               \
    X(RULE_SIGNAL, "signal")           /* every register from the kernel's signal frame at sp */             \
    X(RULE_FRAME_POINTER, "fp")        /* as RULE_CFA, on another stack (Go's switches); fp 0 is a root */   \
    X(RULE_UNSUPPORTED, "unsupported") /* a row exists, in a shape we cannot follow */

/* Bits of unwind_rule.saved; no bit: the register has its value still. */
#define SAVED_FP_AT_CFA 1 /* at CFA + fp_offset */
#define SAVED_FP_AT_FP 2  /* at (this frame's) fp + fp_offset: realigned stacks */
#define SAVED_BX_AT_CFA 4
#define SAVED_BX_AT_FP 8     /* at (this frame's) fp + bx_offset */
#define SAVED_RA_REGISTER 16 /* return address in ra_register (vfork's rdi, arm64's leaf functions) */
#define RULE_GUESSED 32 /* derived from machine code: followed as it is, but the stack is `approximate` */

enum rule_kind {
#define TABLES_ENUM(name, ...) name,
    RULE_KINDS(TABLES_ENUM) RULE_KIND_COUNT
#undef TABLES_ENUM
};

struct unwind_rule {
    __u8 kind; /* enum rule_kind */
    __u8 base; /* DWARF register; other than sp, fp, bx it must be the innermost frame or one a signal hit */
    __u8 saved;
    __u8 ra_register;
    __s32 offset;
    __s16 fp_offset;
    __s16 bx_offset;
    __s16 ra_offset; /* return address at CFA + ra_offset: -8 on x86-64 */
    __s16 addend;
};
ABI_ASSERT(sizeof(struct unwind_rule) == 16, "no padding");

/* In force from `lo` (offset in the text page) to the next row. */
struct unwind_row {
    __u16 lo;
    __u16 rule; /* index into `rules`; rule 0 is always RULE_NONE */
};

/*
 * One text page. bucket[b] is the index of the first row whose lo is in bucket b or later; bucket[BUCKETS] is
 * the number of rows. The row in force at an offset is the last one with lo <= offset, which may lie in an
 * earlier bucket. The first row has lo 0 always (what is in force at the start of the page).
 */
struct page_blob {
    __u32 used; /* set by whoever unwinds through it, cleared by the clock that evicts */
    __u32 rows;
    __u16 bucket[BUCKETS + 1];
    __u16 padding;
    /* struct unwind_row row[rows]; */
};
ABI_ASSERT(sizeof(struct page_blob) == 140, "rows follow at a multiple of 4");

enum mapping_kind {
    MAPPING_FILE,      /* has a directory */
    MAPPING_JIT,       /* code without a file: frame pointers only */
    MAPPING_NO_TABLES, /* a file that cannot be read, or no ELF: frame pointers only */
};

/* Executable memory [start, end) of a process. */
struct unwind_mapping {
    __u64 start, end;
    __u64 position;  /* file offset that `start` shows */
    __u32 directory; /* directory word of the file's page n is at directory + n (mod 2^32) */
    __u8 kind;       /* enum mapping_kind */
    __u8 padding[3];
};
ABI_ASSERT(sizeof(struct unwind_mapping) == 32, "no padding");

/* In the arena; mappings sorted by start, none overlap. */
struct mapping_table {
    __u32 id; /* unique; a process_entry with another id is stale */
    __u32 count;
    __u32 padding[2];
    /* struct unwind_mapping mapping[count]; */
};
ABI_ASSERT(sizeof(struct mapping_table) == 16, "mappings follow at a multiple of 16");

/* Value of the map `processes`; the key is the thread group as our pid namespace numbers it (u32). */
struct process_entry {
    __u64 start; /* boot-time start of the leader; with exec_id the identity of the program image */
    __u32 exec_id;
    __u32 location; /* of its mapping_table */
    __u32 id;
    __u32 is_target; /* set by BPF when the pid set holds the process: one look-up answers both */
};
ABI_ASSERT(sizeof(struct process_entry) == 24, "no padding");
