/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * What C that is compiled for BPF and for the host has to say differently. BOUND: a mask that stays; clang
 * drops one that C's types make redundant, and the verifier misses it then. HOT: a call costs a tenth of a
 * frame's time where returns are guarded against speculation; COLD: keeps the rare ways out of the hot loop,
 * which the verifier walks several times.
 */
#pragma once

#ifdef __BPF__
#define BOUND(value, mask) __asm__ volatile("%0 &= %1" : "+r"(value) : "i"(mask))
#define HOT static __always_inline
#define COLD static __noinline
#else
#define BOUND(value, mask) ((value) &= (mask))
#define HOT static inline
#define COLD static inline
#endif
