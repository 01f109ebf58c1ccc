/* SPDX-License-Identifier: MIT */
/*
 * Personality routines are names in unwind tables: unwind.c reads the tables
 * itself and never calls one. Compilers write the names late, so that a kernel
 * that is optimised in the link cannot know that they are needed: hence not C.
 */
        .syntax unified
        .thumb

        .section .text.__aeabi_unwind_cpp_pr0, "ax", %progbits
        .global __aeabi_unwind_cpp_pr0, __aeabi_unwind_cpp_pr1
        .global __aeabi_unwind_cpp_pr2, __gcc_personality_v0
        .type __aeabi_unwind_cpp_pr0, %function
        .type __aeabi_unwind_cpp_pr1, %function
        .type __aeabi_unwind_cpp_pr2, %function
        .type __gcc_personality_v0, %function
        .type __gxx_personality_v0, %function
        /* A C++ runtime library that is linked has its own. */
        .weak __gxx_personality_v0
        .balign 2
__aeabi_unwind_cpp_pr0:
__aeabi_unwind_cpp_pr1:
__aeabi_unwind_cpp_pr2:
__gcc_personality_v0:
__gxx_personality_v0:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        bx      lr
        .fnend
        .size   __aeabi_unwind_cpp_pr0, . - __aeabi_unwind_cpp_pr0
