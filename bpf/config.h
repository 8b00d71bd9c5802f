/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Settings, written through the skeleton before the load: constants to the verifier, which drops what is off.
 * Filters that are set must all hold.
 */
#pragma once

/* Weak: each program file includes this header, the linked object holds one copy. */
#define SETTING __attribute__((weak)) const volatile

SETTING __u32 sampling_period = 4 * TICK_ONE + TICK_FRACTION; /* in ticks, fixed point */
SETTING __u8 kernel_stacks = 1;
SETTING __u8 filter_pids = 1;       /* only the map `targets` (and `seeds` in a pid namespace) */
SETTING __u32 filter_cgroups = 0;   /* only below the cgroups in that many slots of the map `cgroups` */
SETTING __u8 filter_comms = 0;      /* only threads whose name is in the map `comms` */
SETTING __u8 filter_namespaces = 0; /* only processes whose pid namespace is in the map `pid_namespaces` */
SETTING __u32 pid_namespace = 0;    /* inode of our pid namespace when it is not the host's */
SETTING __u32 rate_rule_count = 0;  /* 0: all targets have the timer's rate */
SETTING struct rate_rule rate_rules[RATE_RULES_MAX] = {}; /* the first that holds decides */
/* Chosen ticks of a target for one sample, fixed point, by rule; 0: it is never sampled. */
SETTING __u32 rate_periods[RATE_RULES_MAX + 1] = {};
SETTING __u32 raw_stacks_per_second = 200; /* of each CPU, a second's worth at once at most; 0: none */
