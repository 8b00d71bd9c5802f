# SPDX-License-Identifier: Apache-2.0
# As calls_x86.S, for arm64.

    .macro CASE expected:req, pc:req, instruction:vararg
    nop
    \instruction
after\@:
    .pushsection .table, "", @progbits
    .long after\@ - code, \pc - code, \expected
    .asciz "\instruction"
    .popsection
    .endm

    .text
code:
    .skip 64
callee:
    .skip 64

    CASE 2, callee+4, bl callee
    CASE 2, callee, bl callee
    CASE 2, behind+8, bl behind
    CASE 3, callee+4, bl behind
    CASE 3, callee-4, bl callee
    CASE 2, callee+0xffffc, bl callee
    CASE 3, callee+0x100000, bl callee
    .irp reg, x0, x1, x8, x15, x16, x17, x29, x30
    CASE 1, callee+4, blr \reg
    CASE 0, callee+4, br \reg
    .endr
    CASE 0, callee+4, b callee
    CASE 0, callee+4, ret
    CASE 0, callee+4, nop
    CASE 0, callee+4, svc #0
    CASE 0, callee+4, cbz x0, callee
    CASE 0, callee+4, stp x29, x30, [sp, #-16]!
behind:
    .skip 64
