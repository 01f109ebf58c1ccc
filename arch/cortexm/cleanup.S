/* SPDX-License-Identifier: MIT */
/*
 * Where a stack check that trapped goes on in its task, in an image with scopes
 * that call cleanups: cleanup.c says whether it was in one of them. The register
 * file is as at the trap, but for what the task's block has: r12 is in
 * DEATH_ADDRESS, lr in DEATH_LR, r9 in TASK_LIMIT.
 *
 * alula-as names al_cleanup_support in each object that calls cleanups.
 *
 * Masks: no instruction in this file writes one.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
        .thumb

        .section .text.al_cleanup_support, "ax", %progbits
        .global al_cleanup_support, al_check_entry
        .type al_cleanup_support, %function
        .balign 4
al_cleanup_support:
        .fnstart
        .cantunwind
        @alula: unchecked 64
al_check_entry:                         /* a label: its address is even */
#if AL_CFG_RECOVERY
        ldr     ip, =al_core
        ldr     ip, [ip, #CORE_CURRENT]
        ldr     r9, [ip, #TASK_CRASH]   /* is it dying already? */
        cmp     r9, #0
        bne     no_cleanup
        ldr     r9, =__al_stack_reserve + AL_CFG_CLEANUP_STACK
        ldr     lr, [ip, #TASK_STACK_LOW]
        add     lr, lr, r9              /* the floor: not below it */
        cmp     sp, lr
        blo     no_cleanup
        sub     sp, sp, #12             /* ip, lr, pc */
        push    {r0-r11}
        sub     sp, sp, #4
        add     r0, sp, #4
        mov     r1, ip
        bl      arch_cleanup_trapped
        add     sp, sp, #4
        pop     {r0-r11, ip, lr}
        pop     {pc}
no_cleanup:
#endif
        b       al_recover_entry
        .ltorg
        .fnend
        .size   al_cleanup_support, . - al_cleanup_support

        .global __al_cleanup_stack
        .set    __al_cleanup_stack, AL_CFG_CLEANUP_STACK
