/* SPDX-License-Identifier: MIT */
/*
 * Where a task goes on that was killed while it waited: as if the call in which
 * it stood, whose return address kill.c kept, were recover_panic(). Cause and
 * details are in the control block.
 */
#include "offsets.h"

        .syntax unified
        .arch armv7e-m
        .thumb

        .section .text.arch_killed, "ax", %progbits
        .global arch_killed
        .type arch_killed, %function
        .balign 4
arch_killed:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        ldr     r0, =al_core
        ldr     ip, [r0, #CORE_CURRENT]
        ldr     lr, [ip, #DEATH_LR]
        add     ip, ip, #TASK_CAUSE
        ldmia   ip, {r0-r3}
        b       recover_panic
        .ltorg
        .fnend
        .size   arch_killed, . - arch_killed
