/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* A timer tick: what it works on, and whether it is the one that is kept of its sampling period. */
#pragma once

#include "target.h"
#include "window.h"

/* What a tick works on; all of it this CPU's own. */
struct tick {
    struct cpu_state *cpu;
    struct sample_record *record;
    struct walk *walk;
    struct process process;
    __u32 rule; /* as in the sample's header */
};

static __always_inline void begin_tick(struct tick *tick, struct cpu_memory *memory) {
    tick->cpu = &memory->state;
    tick->record = &memory->record;
    tick->walk = &memory->walk;
    tick->rule = 0;
}

/* 32 random bits, of a linear congruential generator (Knuth's MMIX) whose state lies beside the dither's. */
static __always_inline __u32 draw(struct cpu_state *cpu) {
    cpu->random = cpu->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return cpu->random >> 32;
}

/*
 * One tick is kept for every sampling period, the first after a random time in it: a program whose own period
 * equals the rate is then sampled like any other, and the number of samples stays exact (a strictly periodic
 * timer misjudges it by 2 to 6 confidence intervals).
 */
static __always_inline int is_chosen(struct cpu_state *cpu, struct dither *dither, __u32 period) {
    dither->now += TICK_ONE;
    if ((__s32)(dither->now - dither->chosen) < 0) return 0;
    dither->start += period;
    dither->chosen = dither->start + ((__u64)draw(cpu) * period >> 32);
    return 1;
}

/*
 * One run in TIMED_ONE_IN is timed, of the idle ones too: so our cost is known without the kernel's own
 * statistics, which only CAP_SYS_ADMIN may switch on. The dither's fraction keeps this from being in step
 * with the chosen ticks.
 */
static __always_inline int begin_run(struct cpu_state *cpu) {
    __u64 run = cpu->counters[COUNTER_TICKS]++;
    cpu->timed_from_ns = run % TIMED_ONE_IN ? 0 : bpf_ktime_get_ns();
    if (is_chosen(cpu, &cpu->timer, sampling_period)) return 1;
    cpu->counters[COUNTER_DISCARDED]++;
    return 0;
}

static __always_inline void end_run(struct cpu_state *cpu) {
    if (!cpu->timed_from_ns) return;
    cpu->counters[COUNTER_TIMED_RUNS]++;
    cpu->counters[COUNTER_TIMED_NS] += bpf_ktime_get_ns() - cpu->timed_from_ns;
}
