/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * A rate per target: the timer runs at the highest rate, and a target with a lower one keeps a share of its
 * ticks. As for the timer itself, it is one at random of each stretch of that target's ticks: programs that
 * take turns in step with the timer are then sampled like any others, and of n ticks a share s is kept to
 * within one sample.
 */
#pragma once

#include "target.h"
#include "tick.h"

/* What rules are about, of one tick. */
struct rate_facts {
    __u64 comm[COMM_BYTES / 8];
    __u64 rules; /* those that name its process */
    __u32 pid_namespace;
    __u32 padding;
};

static __always_inline int is_named(__u32 i, const struct rate_facts *facts) {
    const volatile struct rate_rule *rule = &rate_rules[i];
    const volatile __u64 *comm = (const volatile __u64 *)rule->comm;
    switch (rule->selector) {
    case RATE_BY_CGROUP:
        return bpf_current_task_under_cgroup(&cgroups, CGROUPS_MAX + i) == 1;
    case RATE_BY_PID_NAMESPACE:
        return facts->pid_namespace == rule->pid_namespace;
    case RATE_BY_COMM:
        return facts->comm[0] == comm[0] && facts->comm[1] == comm[1];
    default:
        return facts->rules >> i & 1;
    }
}

/* 1 + the index of the first rule that names the task, 0 for none. */
static __noinline __u32 first_rule(const struct rate_facts *facts) {
    for (__u32 i = 0; i < RATE_RULES_MAX && i < rate_rule_count; i++)
        if (is_named(i, facts)) return i + 1;
    return 0;
}

static __always_inline __u32 rule_of(struct task_struct *task, const int is_old) {
    struct rate_facts facts = {};
    bpf_get_current_comm(facts.comm, sizeof(facts.comm));
    facts.pid_namespace = innermost_pid_namespace(task);
    facts.rules = rules_of_process(task, is_old);
    return first_rule(&facts);
}

/* Whether this chosen tick is a sample by the target's rate; sets the tick's rule, counts the others. */
static __always_inline int is_sample_of_rate(struct tick *tick, struct task_struct *task, const int is_old) {
    if (!rate_rule_count) return 1;
    __u32 rule = rule_of(task, is_old);
    if (rule > RATE_RULES_MAX) rule = 0;
    tick->rule = rule;
    __u32 period = rate_periods[rule];
    if (period && is_chosen(tick->cpu, &tick->cpu->rates[rule], period)) return 1;
    tick->cpu->counters[COUNTER_THINNED]++;
    return 0;
}
