# SPDX-License-Identifier: Apache-2.0
# Code for the recorded stacks of unwind_test.c: who calls whom, with a label behind every call.

    .text
    .global chain_begin, leaf, after_direct, after_register, after_memory, after_plt
    .global not_after_call, chain_end
chain_begin:
    .skip 16, 0x90
leaf:
    push %rbp
    mov %rsp, %rbp
    pop %rbp
    ret
middle:
    call leaf
after_direct:
    ret
outer:
    call *%rax
after_register:
    ret
first:
    call *8(%rbx,%rcx,8)
after_memory:
    ret
by_stub:
    call stub
after_plt:
    ret
    .skip 16, 0x90
not_after_call:
    ret
stub:
    jmp leaf
chain_end:
    .section .note.GNU-stack, "", @progbits
