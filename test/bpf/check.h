// SPDX-License-Identifier: Apache-2.0
// Claims with a verdict, for the C tests of this directory. A test program prints what failed and one last
// line, "counts PASSED FAILED SKIPPED", which run.sh adds up.
#pragma once

#include <stdio.h>

static int passed_count, failed_count, skipped_count;

__attribute__((unused)) static int check(int holds, const char *claim) {
    if (holds) passed_count++;
    else failed_count++, printf("not ok - %s\n", claim);
    return holds;
}

__attribute__((unused)) static void skip(const char *claim, const char *reason) {
    skipped_count++;
    printf("skipped - %s: %s\n", claim, reason);
}

static int report(void) {
    printf("counts %d %d %d\n", passed_count, failed_count, skipped_count);
    return failed_count != 0;
}
