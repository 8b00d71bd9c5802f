/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * The only definition of what the BPF programs and C++ share: records, map values, limits, enums and their
 * names. Included by both sides; TypeScript never sees an offset, it gets columns and the name lists below by
 * export. Every enum is an X-list, so that its values, its length and its printed names cannot drift apart.
 */
#pragma once

#include <linux/types.h>

#ifdef __cplusplus
#define ABI_ASSERT(condition, message) static_assert(condition, message)
#else
#define ABI_ASSERT(condition, message) _Static_assert(condition, message)
#endif

#define ABI_VERSION 4

/* How a stack ended, and what that says of its quality. X(name, text, quality) */
#define STACK_ENDS(X)                                                                                        \
    X(STACK_END_ROOT, "root", "complete")                    /* the thread's first frame, by its tables */   \
    X(STACK_END_KERNEL_THREAD, "kernel_thread", "complete")  /* there is no user stack */                    \
    X(STACK_END_GUESSED, "guessed_step", "approximate")      /* root reached, a step had no row */           \
    X(STACK_END_JIT, "jit", "truncated")                     /* run-time code without frame pointers */      \
    X(STACK_END_NO_ROWS, "no_unwind_rows", "truncated")      /* code without rows or frame pointers */       \
    X(STACK_END_UNSUPPORTED, "unsupported_row", "truncated") /* a row in a shape we cannot follow */         \
    X(STACK_END_LOST_REGISTER, "lost_register", "truncated") /* the row needs a register we do not keep */   \
    X(STACK_END_BAD_CFA, "bad_frame_address", "truncated")   /* the frame would not lie above its callee */  \
    X(STACK_END_BAD_RETURN, "bad_return_address", "truncated") /* in no executable memory */                 \
    X(STACK_END_UNREADABLE, "unreadable_stack", "truncated")   /* stack page not in memory */                \
    X(STACK_END_DEPTH, "depth_limit", "truncated")                                                           \
    X(STACK_END_COMPAT, "compat_32bit", "truncated") /* 32-bit process */                                    \
    X(STACK_END_NO_REGISTERS, "no_user_registers", "truncated")                                              \
    /* Misses: kept from being the end by a raw stack, unless one of the four below came between. */         \
    X(STACK_END_UNKNOWN_PROCESS, "unknown_process", "truncated")                                             \
    X(STACK_END_UNKNOWN_MAPPING, "unknown_mapping", "truncated")                                             \
    X(STACK_END_PAGE_MISSING, "page_not_loaded", "truncated")                                                \
    X(STACK_END_RAW_BUDGET, "raw_stack_budget", "truncated")   /* too many misses in this second */          \
    X(STACK_END_RAW_FULL, "raw_ring_full", "truncated")        /* no room in the ring of raw stacks */       \
    X(STACK_END_RAW_SHORT, "raw_stack_short", "truncated")     /* deeper than the bytes that were copied */  \
    X(STACK_END_RAW_BACKLOG, "raw_stack_backlog", "truncated") /* too many wait for their pages */

/* Per-CPU counters; those of every sample first (struct cpu_state). X(name, text) */
#define COUNTERS(X)                                                                                          \
    X(COUNTER_TICKS, "ticks")               /* timer ticks, idle and other processes included */             \
    X(COUNTER_DISCARDED, "discarded")       /* ticks not chosen by the dither */                             \
    X(COUNTER_CAPTURED, "captured")         /* chosen ticks in the target that are samples */                \
    X(COUNTER_CAPTURED_NS, "captured_ns")   /* our own time in captured ticks */                             \
    X(COUNTER_THINNED, "thinned")           /* chosen ticks in the target that its rate has no sample for */ \
    X(COUNTER_TIMED_RUNS, "timed_runs")     /* one run in TIMED_ONE_IN, of all ticks */                      \
    X(COUNTER_TIMED_NS, "timed_ns")         /* our own time in those */                                      \
    X(COUNTER_RING_FULL, "ring_full")       /* captured, but the ring had no room */                         \
    X(COUNTER_RAW, "raw_stacks")            /* captured, sent with registers and stack bytes after a miss */ \
    X(COUNTER_TARGETS_FULL, "targets_full") /* children not followed: the pid set was full */                \
    X(COUNTER_MALFORMED, "malformed")       /* records the decoder refused; added by user space */

/* Kinds of process events (perf side-band). X(name, text) */
#define EVENT_KINDS(X)                                                                                       \
    X(EVENT_MMAP, "mmap")                                                                                    \
    X(EVENT_COMM, "comm")                                                                                    \
    X(EVENT_EXEC, "exec")                                                                                    \
    X(EVENT_FORK, "fork")                                                                                    \
    X(EVENT_EXIT, "exit")                                                                                    \
    X(EVENT_LOST, "lost")

#define ABI_ENUM(name, ...) name,
enum stack_end { STACK_ENDS(ABI_ENUM) STACK_END_COUNT };
enum counter { COUNTERS(ABI_ENUM) COUNTER_COUNT };
enum event_kind { EVENT_KINDS(ABI_ENUM) EVENT_KIND_COUNT };
#undef ABI_ENUM

#define COMM_BYTES 16
#define MAX_KERNEL_FRAMES 127 /* kernel.perf_event_max_stack's default: bpf_get_stack() gives no more */
#define MAX_USER_FRAMES 1024
#define MAX_FRAMES 2048 /* a power of two above the sum: lets the verifier bound an index by a mask */
#define MAX_TARGETS 65536
/* Filters of one kind, of which one must hold. */
#define CGROUPS_MAX 64
#define COMMS_MAX 256
#define PID_NAMESPACES_MAX 64
#define RATE_RULES_MAX 16
#define TIMED_ONE_IN 16

ABI_ASSERT(MAX_KERNEL_FRAMES + MAX_USER_FRAMES <= MAX_FRAMES, "a record must hold both stacks");
ABI_ASSERT((MAX_FRAMES & (MAX_FRAMES - 1)) == 0, "MAX_FRAMES is used as a mask");

/* One sample in the ring: this header, then kernel_frames + user_frames addresses, leaf first, kernel half
 * first. */
struct sample_header {
    __u64 time_ns;       /* CLOCK_BOOTTIME */
    __u64 process_start; /* boot-time start of the thread group leader: tells a reused pid apart */
    __u64 cgroup_id;     /* inode of the task's cgroup v2 directory */
    __u32 exec_id;       /* grows with every exec: same pid, other program */
    __u32 pid;           /* thread group, as our pid namespace numbers it */
    __u32 tid;
    __u16 kernel_frames;
    __u16 user_frames;
    __u32 ticket; /* not 0: a raw_stack with this ticket and cpu lets user space go on from here */
    __u16 cpu;
    __u8 stack_end;        /* enum stack_end; with a ticket one of the misses */
    __u8 rule;             /* whose rate it was sampled at: 0 nobody's, else 1 + the index of a rate_rule */
    char comm[COMM_BYTES]; /* thread name */
};
ABI_ASSERT(sizeof(struct sample_header) == 64, "no hidden padding");

/* Per-CPU scratch: too large for the BPF stack. Also keeps the type in the object's BTF. */
struct sample_record {
    struct sample_header header;
    __u64 frames[MAX_FRAMES];
};
ABI_ASSERT(sizeof(struct sample_record) == 64 + 8 * MAX_FRAMES, "frames follow the header at once");

/*
 * The dither measures time in ticks, as 16.16 fixed point. A sampling period is `dither` ticks and a
 * fraction, the golden one: the ticks then wander through every phase of a program that is in step with the
 * rate. A whole number of ticks would meet such a program at the same few phases for ever.
 */
#define TICK_ONE 65536
#define TICK_FRACTION 15471 /* sqrt(5) - 2 */

/* One tick at random is kept of each period. All in ticks, fixed point; they wrap. */
struct dither {
    __u32 now;
    __u32 start;  /* of the period that the next kept tick belongs to */
    __u32 chosen; /* a random time in that period: the first tick from it on is kept */
};

/* Whom a rule about the rate names. */
enum rate_selector { RATE_BY_CGROUP, RATE_BY_PID_NAMESPACE, RATE_BY_COMM, RATE_BY_PID };

struct rate_rule {
    __u32 selector;      /* enum rate_selector */
    __u32 pid_namespace; /* inode */
    char comm[COMM_BYTES];
};
ABI_ASSERT(sizeof(struct rate_rule) == 24, "no padding, and the name can be read as two words");

/* Rules that name a process by its pid: it and all that it forks. */
struct rated_process {
    __u64 start; /* boot-time start, 0 where user space put it there */
    __u64 rules; /* bit i: rule i names it */
};

/* Per-CPU state. What every tick touches lies in its first cache line: memory is cold when a tick comes. */
struct cpu_state {
    struct dither timer; /* its ticks are the timer's */
    __u32 ticket;        /* of the last raw stack */
    __u64 random;        /* state of the generator, seeded by user space */
    __u64 timed_from_ns; /* when this run began, 0 when it is not timed */
    __u64 counters[COUNTER_COUNT];
    __u64 raw_due_ns; /* when the raw stacks sent so far are paid for, at raw_stacks_per_second */
    /* By rule, 0 for what none names; their ticks are the chosen ones of the timer that hit such a target. */
    struct dither rates[RATE_RULES_MAX + 1];
    __u32 padding;
};

/*
 * The rest of a sample that met a miss, in a ring of its own, written before the sample is: the state of the
 * unwinder at the miss and the stack from there on, in two pieces. `stack_bytes` bytes from the stack pointer
 * up follow; then, where those do not reach the thread's first frames, `root_bytes` of these: one frame may
 * be half a megabyte, and a signal handler may have a stack of its own.
 */
#define RAW_STACK_BYTES_MAX 98304
#define RAW_ROOT_BYTES_MAX 65536
#define RAW_REGISTERS_MAX 33

enum register_state {
    REGISTERS_KEPT,  /* pc is a return address; true are pc, sp, fp and bx */
    REGISTERS_EXACT, /* all are true, pc is the next instruction: the innermost frame, or one hit by a signal
                      */
    REGISTERS_SYSCALL, /* all are true, pc lies behind the system call that the thread is in */
    REGISTERS_LEFT /* as KEPT, the others hold what the innermost function leaves: assembly may count on it */
};

struct raw_stack {
    __u32 ticket;
    __u16 cpu;
    __u8 is_exact; /* enum register_state */
    __u8 guessed;  /* an earlier step had no row */
    __u32 stack_bytes;
    __u32 root_bytes;
    __u64 stack_start;                  /* address of the first of the bytes that follow */
    __u64 root_start;                   /* and of the first of the second piece */
    __u64 stack_root;                   /* mm->start_stack for the main thread, else 0 */
    __u64 thread_pointer;               /* fs base, tpidr */
    __u64 registers[RAW_REGISTERS_MAX]; /* by DWARF number; when not exact only pc, sp, fp, bx are true */
};
ABI_ASSERT(sizeof(struct raw_stack) == 48 + 8 * RAW_REGISTERS_MAX, "no hidden padding");

/* What the iterator program `list_processes` writes of each process. */
struct process_identity {
    __u32 pid; /* as our pid namespace numbers it */
    __u32 exec_id;
    __u64 start; /* boot-time start of the thread group leader */
};
ABI_ASSERT(sizeof(struct process_identity) == 16, "no padding");
