// SPDX-License-Identifier: Apache-2.0
// call_site_at() on instructions that an assembler encoded: argv[1] holds their bytes, argv[2] the table of
// expectations (see calls_x86.S). Built for the host's instruction set, and with __TARGET_ARCH_arm64 for the
// other one: decoding bytes does not need the machine they are for.
#include <stdint.h>
#include <stdlib.h>

#include "check.h"
#include "fake_memory.h"

#include "call_site.h"

#define CODE_BASE 0x400000
#define FILE_MAX (1 << 20)
#define SPAN (1 << 20)

struct expectation {
    __u32 after, callee;
    __s32 verdict;
};

static size_t read_file(const char *path, char *bytes) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return size;
}

static void check_case(const struct expectation *expected, const char *instruction) {
    char claim[256];
    int verdict = call_site_at(CODE_BASE + expected->after, CODE_BASE + expected->callee, SPAN);
    snprintf(claim, sizeof(claim), "`%s` is judged %d, got %d", instruction, expected->verdict, verdict);
    check(verdict == expected->verdict, claim);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    static char code[FILE_MAX], table[FILE_MAX];
    size_t code_size = read_file(argv[1], code), table_size = read_file(argv[2], table);
    regions[0] = (struct region){CODE_BASE, code, code_size};
    check(code_size > 0 && table_size > 0, "the assembler gave instructions and a table");
    for (size_t at = 0; at + sizeof(struct expectation) < table_size;) {
        struct expectation expected;
        memcpy(&expected, table + at, sizeof(expected));
        const char *name = table + at + sizeof(expected);
        check_case(&expected, name);
        at += sizeof(expected) + strlen(name) + 1;
    }
    check(call_site_at(CODE_BASE + 2 * FILE_MAX, CODE_BASE, SPAN) == CALL_SITE_UNREADABLE,
          "code that cannot be read is unchecked");
    check(call_site_at(CODE_BASE + 2, CODE_BASE, SPAN) == CALL_SITE_UNREADABLE,
          "code that begins too late is unchecked");
    return report();
}
