// SPDX-License-Identifier: Apache-2.0
// Loads the BPF object with every combination of settings and reads from the verifier how many instructions
// it walked: the kernel's limit is a million, and a program near it fails on the next kernel. Needs the right
// to load BPF programs.
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "profiler.skel.h"

#define INSTRUCTIONS_MAX 500000
#define LOG_STATS 4 /* BPF_LOG_STATS: the summary alone */
#define SETTINGS 5
#define LOG_BYTES 65536

static const char *const setting_names[SETTINGS] = {"pids", "cgroup", "comm", "kernel", "namespace"};

static void apply(struct profiler *skeleton, int combination) {
    skeleton->rodata->filter_pids = combination & 1;
    skeleton->rodata->filter_cgroup = combination >> 1 & 1;
    skeleton->rodata->filter_comm = combination >> 2 & 1;
    skeleton->rodata->kernel_stacks = combination >> 3 & 1;
    skeleton->rodata->pid_namespace = combination >> 4 & 1 ? 4026531836 : 0;
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

/* The programs' instruction counts in object order, into `counts`; false when one was refused. */
static bool load(int combination, long *counts) {
    static char logs[8][LOG_BYTES];
    struct bpf_program *program;
    int index = 0;
    struct profiler *skeleton = profiler__open();
    if (!skeleton) return false;
    apply(skeleton, combination);
    bpf_object__for_each_program(program, skeleton->obj) {
        logs[index][0] = 0;
        bpf_program__set_log_level(program, LOG_STATS);
        bpf_program__set_log_buf(program, logs[index++], LOG_BYTES);
    }
    bool is_loaded = profiler__load(skeleton) == 0;
    for (int i = 0; i < index; i++)
        counts[i] = instructions_in(logs[i]);
    profiler__destroy(skeleton);
    return is_loaded;
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
        long counts[8] = {0};
        char names[128], claim[256];
        describe(combination, names);
        snprintf(claim, sizeof(claim), "the verifier accepts the settings:%s", names);
        if (reason) {
            skip(claim, reason);
            continue;
        }
        if (!check(load(combination, counts), claim)) continue;
        printf("%6ld %5ld %5ld instructions verified with%s\n", counts[0], counts[1], counts[2], names);
        snprintf(claim, sizeof(claim), "fewer than %d instructions with%s", INSTRUCTIONS_MAX, names);
        check(counts[0] > 0 && counts[0] < INSTRUCTIONS_MAX && counts[1] < INSTRUCTIONS_MAX &&
                  counts[2] < INSTRUCTIONS_MAX,
              claim);
    }
    return report();
}
