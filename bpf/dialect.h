/* SPDX-License-Identifier: Apache-2.0 OR BSD-2-Clause OR GPL-2.0-only */
/*
 * What C that is compiled for BPF and for the host has to say differently. BOUND: a mask that stays; clang
 * drops one that C's types make redundant, and the verifier misses it then. AT_MOST: a length for a helper,
 * bounded in the register that is passed on (else 0): verifiers before 5.16 forget the bounds of a spilled
 * one. HOT: a call costs a tenth of a frame's time where returns are guarded against speculation; COLD: keeps
 * the rare ways out of the hot loop, which the verifier walks several times.
 */
#pragma once

#ifdef __BPF__
#define BOUND(value, mask) __asm__ volatile("%0 &= %1" : "+r"(value) : "i"(mask))
#define AT_MOST(value, limit) __asm__ volatile("if %0 <= %1 goto +1; %0 = 0" : "+r"(value) : "i"(limit))
#define HOT static __always_inline
#define COLD static __noinline
#else
#define BOUND(value, mask) ((value) &= (mask))
#define HOT static inline
#define COLD static inline
#endif
