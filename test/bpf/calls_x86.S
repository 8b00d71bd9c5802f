# SPDX-License-Identifier: Apache-2.0
# Calls and what is none, encoded by the assembler. Section .table tells calls_test.c of each: offset behind the
# instruction, offset of the callee's pc, expected verdict (enum call_site), name.

    .macro EXPECT expected:req, pc:req, name:vararg
after\@:
    .pushsection .table, "", @progbits
    .long after\@ - code, \pc - code, \expected
    .asciz "\name"
    .popsection
    .endm

    .macro CASE expected:req, pc:req, instruction:vararg
    .skip 8, 0x90
    \instruction
    EXPECT \expected, \pc, \instruction
    .endm

    .text
code:
before:
    .skip 64, 0x90
callee:
    .skip 64, 0x90

    # Direct: the callee's pc lies in the called function, right at its start too.
    CASE 2, callee+5, call callee
    CASE 2, callee, call callee
    CASE 2, behind+9, call behind
    .byte 0x66, 0x66, 0x48
    call callee
    EXPECT 2, callee+5, prefixed call callee
    # A tail call, a PLT stub: the target is above the callee, or far below it.
    CASE 3, callee+5, call behind
    CASE 3, callee-1, call callee
    CASE 2, callee+0xfffff, call callee
    CASE 3, callee+0x100000, call callee

    .irp reg, rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    CASE 1, callee+5, call *%\reg
    CASE 1, callee+5, call *(%\reg)
    CASE 1, callee+5, call *8(%\reg)
    CASE 1, callee+5, call *-8(%\reg)
    CASE 1, callee+5, call *0x1000(%\reg)
    .endr
    .irp index, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    .irp base, rax, rsp, rbp, r12, r13
    CASE 1, callee+5, call *(%\base,%\index,8)
    CASE 1, callee+5, call *24(%\base,%\index,4)
    CASE 1, callee+5, call *0x1000(%\base,%\index,8)
    .endr
    CASE 1, callee+5, call *0x404040(,%\index,8)
    .endr
    CASE 1, callee+5, call *behind(%rip)
    CASE 1, callee+5, call *0x404040
    CASE 1, callee+5, notrack call *%rax
    CASE 1, callee+5, call *%fs:16(%rax)

    # Not calls: the other meanings of opcode ff, and everyday instructions.
    CASE 0, callee+5, nop
    CASE 0, callee+5, ret
    CASE 0, callee+5, syscall
    CASE 0, callee+5, leave
    CASE 0, callee+5, jmp behind
    CASE 0, callee+5, jmp *%rax
    CASE 0, callee+5, jmp *(%rax)
    CASE 0, callee+5, jmp *8(%rbp)
    CASE 0, callee+5, jmp *0x1000(%rsp)
    CASE 0, callee+5, jmp *behind(%rip)
    CASE 0, callee+5, jmp *0x404040(,%rax,8)
    CASE 0, callee+5, pushq (%rax)
    CASE 0, callee+5, pushq 8(%rsp)
    CASE 0, callee+5, incl (%rax)
    CASE 0, callee+5, decl 8(%rbx)
    CASE 0, callee+5, dec %eax
    CASE 0, callee+5, lcall *(%rax)
    CASE 0, callee+5, lcall *8(%rsp)
    CASE 0, callee+5, mov %rsp, %rbp
    CASE 0, callee+5, lea 8(%rbp), %rax
    CASE 0, callee+5, movabs $0x1122334455667788, %rax
    # A call that something follows.
    call *%rax
    nop
    EXPECT 0, callee+5, call *%rax and nop
    call callee
    nop
    EXPECT 0, callee+5, call callee and nop
behind:
    .skip 64, 0x90
