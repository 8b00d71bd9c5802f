/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * Is the instruction before a return address a call, and of whom? Checks the steps taken in code without
 * tables. The includer provides read_user(void *to, __u64 from, __u32 bytes), 0 on success.
 */
#pragma once

#include "dialect.h"
#include "tables.h"

/* What the bytes before a return address say of the frame it was found in. */
enum call_site {
    CALL_SITE_NONE,     /* no call: not a return address */
    CALL_SITE_INDIRECT, /* of a function that a register or memory names */
    CALL_SITE_DIRECT,   /* of an address at or at most `span` before the callee's pc */
    CALL_SITE_OTHER,    /* direct, of somewhere else: a stub, a sibling call, or a frame between is missing */
    CALL_SITE_UNREADABLE,
};

HOT enum call_site judge_target(__u64 target, __u64 callee, __u64 span) {
    return callee - target < span ? CALL_SITE_DIRECT : CALL_SITE_OTHER;
}

#if REGISTER_COUNT == 33

COLD enum call_site call_site_at(__u64 return_address, __u64 callee, __u64 span) {
    __u32 instruction = 0;
    if (read_user(&instruction, return_address - 4, 4)) return CALL_SITE_UNREADABLE;
    if ((instruction & 0xfffffc1f) == 0xd63f0000) return CALL_SITE_INDIRECT; /* blr */
    if ((instruction & 0xfc000000) != 0x94000000) return CALL_SITE_NONE;     /* bl */
    __u64 offset = (__u64)(((__s64)((__u64)instruction << 38)) >> 36);
    return judge_target(return_address - 4 + offset, callee, span);
}

#else

/*
 * True when the 8 bytes end in `call *r/m` (ff /2), in any of its lengths: ModRM, then a SIB byte where r/m
 * is 4, then the displacement (none, 1 or 4 bytes; r/m 5 and SIB base 5 without one have 4).
 */
HOT int is_indirect_call(const __u8 *code) {
    __u8 two = code[7], three = code[6], four = code[5], six = code[3], seven = code[2];
    if (code[6] == 0xff && (two & 0x38) == 0x10) {
        if ((two & 0xc0) == 0xc0) return 1;
        if ((two & 0xc0) == 0 && (two & 7) != 4 && (two & 7) != 5) return 1;
    }
    if (code[5] == 0xff && (three & 0x38) == 0x10) {
        if ((three & 0xc0) == 0x40 && (three & 7) != 4) return 1;
        if (three == 0x14 && (code[7] & 7) != 5) return 1;
    }
    if (code[4] == 0xff && four == 0x54) return 1;
    if (code[2] == 0xff && (six & 0x38) == 0x10) {
        if ((six & 0xc0) == 0x80 && (six & 7) != 4) return 1;
        if (six == 0x15) return 1;
    }
    return code[1] == 0xff && (seven == 0x94 || (seven == 0x14 && (code[3] & 7) == 5));
}

COLD enum call_site call_site_at(__u64 return_address, __u64 callee, __u64 span) {
    union {
        __u64 word;
        __u8 bytes[8];
    } code = {};
    if (read_user(&code.word, return_address - 8, 8)) return CALL_SITE_UNREADABLE;
    if (is_indirect_call(code.bytes)) return CALL_SITE_INDIRECT;
    if (code.bytes[3] != 0xe8) return CALL_SITE_NONE;
    __s32 displacement = (__s32)(code.word >> 32);
    return judge_target(return_address + (__s64)displacement, callee, span);
}

#endif
