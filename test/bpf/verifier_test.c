// SPDX-License-Identifier: Apache-2.0
// Loads the BPF object with every combination of settings, both variants of the sampler, and reads from the
// verifier how many instructions it walked: the kernel's limit is a million, and a program near it fails on
// the next kernel. Needs the right to load BPF programs.
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "check.h"
#include "profiler.skel.h"

#define INSTRUCTIONS_MAX 500000
#define LOG_STATS 4 /* BPF_LOG_STATS: the summary alone */
#define SETTINGS 7
#define LOG_BYTES 65536
#define PROGRAMS_MAX 16

static const char *const setting_names[SETTINGS] = {
    "pids", "cgroups", "comms and namespaces", "kernel", "namespace", "raw", "rates"};

/* Rules of every kind; one target is never sampled. */
static void apply_rates(struct profiler *skeleton, __u32 rules) {
    skeleton->rodata->rate_rule_count = rules;
    for (__u32 i = 0; i < rules; i++) {
        skeleton->rodata->rate_rules[i].selector = i % (RATE_BY_PID + 1);
        skeleton->rodata->rate_periods[i] = i * TICK_ONE;
    }
}

static void apply(struct profiler *skeleton, int combination) {
    skeleton->rodata->filter_pids = combination & 1;
    skeleton->rodata->filter_cgroups = combination >> 1 & 1 ? CGROUPS_MAX : 0;
    skeleton->rodata->filter_comms = combination >> 2 & 1;
    skeleton->rodata->filter_namespaces = combination >> 2 & 1;
    skeleton->rodata->kernel_stacks = combination >> 3 & 1;
    skeleton->rodata->pid_namespace = combination >> 4 & 1 ? 4026531836 : 0;
    skeleton->rodata->raw_stacks_per_second = combination >> 5 & 1 ? 200 : 0;
    apply_rates(skeleton, combination >> 6 & 1 ? RATE_RULES_MAX : 0);
}

static void describe(int combination, char *text) {
    *text = 0;
    for (int i = 0; i < SETTINGS; i++)
        if (combination >> i & 1) strcat(strcat(text, " "), setting_names[i]);
    if (!*text) strcpy(text, " none");
}

static long instructions_in(const char *log) {
    const char *found = strstr(log, "processed ");
    return found ? strtol(found + strlen("processed "), NULL, 10) : -1;
}

struct verdict {
    const char *program;
    long instructions;
};

/* What the verifier said of each program into `verdicts`, as many as *count; false when one was refused. */
static bool load(int combination, struct verdict *verdicts, int *count) {
    static char logs[PROGRAMS_MAX][LOG_BYTES];
    static char names[PROGRAMS_MAX][64];
    struct bpf_program *program;
    int index = 0;
    struct profiler *skeleton = profiler__open();
    if (!skeleton) return false;
    apply(skeleton, combination);
    bpf_object__for_each_program(program, skeleton->obj) {
        if (index == PROGRAMS_MAX) break;
        logs[index][0] = 0;
        snprintf(names[index], sizeof(names[index]), "%s", bpf_program__name(program));
        bpf_program__set_log_level(program, LOG_STATS);
        bpf_program__set_log_buf(program, logs[index++], LOG_BYTES);
    }
    bool is_loaded = profiler__load(skeleton) == 0;
    for (int i = 0; i < index; i++)
        verdicts[i] = (struct verdict){names[i], instructions_in(logs[i])};
    *count = index;
    profiler__destroy(skeleton);
    return is_loaded;
}

static void check_verdicts(const struct verdict *verdicts, int count, const char *settings) {
    char claim[256];
    for (int i = 0; i < count; i++) {
        printf("%s %ld%s", verdicts[i].program, verdicts[i].instructions, i + 1 < count ? ", " : "");
        snprintf(claim, sizeof(claim), "%s: fewer than %d instructions with%s", verdicts[i].program,
                 INSTRUCTIONS_MAX, settings);
        check(verdicts[i].instructions > 0 && verdicts[i].instructions < INSTRUCTIONS_MAX, claim);
    }
    printf(": instructions verified with%s\n", settings);
}

/* Calls of helpers that came after 5.10, whose last one was redirect_peer. */
static int new_helper_calls(const struct bpf_program *program) {
    const struct bpf_insn *instructions = bpf_program__insns(program);
    int calls = 0;
    for (size_t at = 0; at < bpf_program__insn_cnt(program); at++)
        if (instructions[at].code == (BPF_JMP | BPF_CALL) && instructions[at].src_reg == 0)
            calls += instructions[at].imm > BPF_FUNC_redirect_peer;
    return calls;
}

static void check_old_helpers(void) {
    struct profiler *skeleton = profiler__open();
    /* Loading joins each program with the functions it calls. */
    if (!check(skeleton && profiler__load(skeleton) == 0, "the object loads as it is")) return;
    check(new_helper_calls(skeleton->progs.on_cpu_sample_tail) == 0 &&
              new_helper_calls(skeleton->progs.walk_tail) == 0,
          "the tail-call variant calls no helper newer than 5.10");
    check(new_helper_calls(skeleton->progs.on_cpu_sample) >= 2, "the other one does");
    profiler__destroy(skeleton);
}

/* Why nothing can be loaded here at all, NULL when something can. */
static const char *obstacle(void) {
    LIBBPF_OPTS(bpf_map_create_opts, options);
    int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, NULL, 0, 0, 4096, &options);
    if (map < 0) return strerror(errno);
    return NULL;
}

int main(void) {
    const char *reason = obstacle();
    libbpf_set_print(NULL);
    for (int combination = 0; combination < 1 << SETTINGS; combination++) {
        struct verdict verdicts[PROGRAMS_MAX];
        int count = 0;
        char names[128], claim[256];
        describe(combination, names);
        snprintf(claim, sizeof(claim), "the verifier accepts the settings:%s", names);
        if (reason) {
            skip(claim, reason);
            continue;
        }
        if (check(load(combination, verdicts, &count), claim)) check_verdicts(verdicts, count, names);
    }
    if (reason) skip("the tail-call variant calls no helper newer than 5.10", reason);
    else check_old_helpers();
    return report();
}
