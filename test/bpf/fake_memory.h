// SPDX-License-Identifier: Apache-2.0
// The code that the judge of call sites reads instead of a process's: byte ranges at the addresses where they
// were, everything else faults.
#pragma once

#include <string.h>

#include <linux/types.h>

#define REGIONS_MAX 4

struct region {
    __u64 start;
    const void *bytes;
    __u64 size;
};

static struct region regions[REGIONS_MAX];

static int read_user(void *to, __u64 from, __u32 bytes) {
    for (int i = 0; i < REGIONS_MAX; i++) {
        const struct region *region = &regions[i];
        if (from < region->start || from - region->start > region->size) continue;
        if (region->size - (from - region->start) < bytes) continue;
        memcpy(to, (const char *)region->bytes + (from - region->start), bytes);
        return 0;
    }
    return -1;
}
