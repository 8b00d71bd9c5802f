/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/* A mask that stays: clang drops one that C's types make redundant, and the verifier misses it then. */
#pragma once

#ifdef __BPF__
#define BOUND(value, mask) __asm__ volatile("%0 &= %1" : "+r"(value) : "i"(mask))
#else
#define BOUND(value, mask) ((value) &= (mask))
#endif
