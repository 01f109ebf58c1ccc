/* SPDX-License-Identifier: MIT */
/*
 * Recovery's calls of user code, and its way back to the task's entry.
 *
 * Masks: arch_recover_next clears what a cleanup left behind. No other
 * instruction in this file writes a mask.
 *
 * Without AL_CFG_RECOVERY only the name in which landing pads end is left: no
 * pad is ever entered.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
#ifdef __ARM_FP
        .fpu fpv4-sp-d16
#endif
        .thumb

#if AL_CFG_RECOVERY

/* AL_NORETURN void arch_recover_call(void (*fn)(void *), void *arg,
 *                                    uintptr_t sp) */
        .section .text.arch_recover_call, "ax", %progbits
        .global arch_recover_call, arch_recover_again, arch_recover_next
        .global arch_recover_pad
        .global _Unwind_Resume, __cxa_end_cleanup
        .type arch_recover_call, %function
        .type arch_recover_again, %function
        .type arch_recover_next, %function
        .type _Unwind_Resume, %function
        .type __cxa_end_cleanup, %function
        .balign 4
arch_recover_call:
        .fnstart
        .cantunwind
        @alula: unchecked 4
        ldr     r3, =al_core
        ldr     r3, [r3, #CORE_CURRENT]
        ldr     r9, [r3, #TASK_LIMIT]
        mov     sp, r2
        push    {r0}
        mov     r0, r1
        adr.w   lr, recover_next + 1
        pop     {pc}                    /* this frame is given up: no call */
/* User code that recovery ran died: sp is where recovery may go on, r0 the
 * task. */
arch_recover_again:
        @alula: unchecked 0
        mov     r0, sp
        bl      recover_nested
/* User code is done: recovery goes on below all that is alive or needed. A
 * landing pad ends here as well. */
_Unwind_Resume:
__cxa_end_cleanup:
arch_recover_next:
recover_next:
        @alula: unchecked 0
        movs    r0, #0
        msr     basepri, r0             /* what it left masked */
        cpsie   i
        ldr     r0, =al_core
        ldr     r0, [r0, #CORE_CURRENT]
        ldr     r2, [r0, #TASK_RECOVER_SP]
        mov     sp, r2
        bl      recover_continue
        .ltorg
        .fnend
        .size   arch_recover_call, . - arch_recover_call

/* AL_NORETURN void arch_recover_pad(struct al_task *task) */
        .section .text.arch_recover_pad, "ax", %progbits
        .type arch_recover_pad, %function
        .balign 4
arch_recover_pad:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        add     r1, r0, #DEATH_R
        ldmia   r1, {r4-r11}
        ldr     r9, [r0, #TASK_LIMIT]
        ldr     r1, [r0, #DEATH_SP]
        mov     sp, r1
        ldr     r2, [r0, #DEATH_PC]
        orr     r2, r2, #1
        movs    r1, #0                  /* selector: no handler, a cleanup */
        bx      r2
        .fnend
        .size   arch_recover_pad, . - arch_recover_pad

/* AL_NORETURN void arch_restart(struct al_task *task, uintptr_t sp,
 *                               void (*entry)(void *), void *args) */
        .section .text.arch_restart, "ax", %progbits
        .global arch_restart
        .type arch_restart, %function
        .balign 4
arch_restart:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        msr     psp, r1
        ldr     r9, [r0, #TASK_LIMIT]
        mov     r4, r2
        mov     r5, r3
#ifdef __ARM_FP
        movs    r0, #2                  /* FPCA off: FPSCR from FPDSCR at the */
        msr     control, r0             /* first FPU instruction */
        isb
#endif
        bl      al_trampoline           /* not a jump: tools see no way back */
        udf     #0
        .fnend
        .size   arch_restart, . - arch_restart

#ifdef __ARM_FP
/* void arch_vfp_store(uint32_t d8_to_d15[16]); the walk restores to the
 * registers themselves, because it never comes back. */
        .section .text.arch_vfp_store, "ax", %progbits
        .global arch_vfp_store
        .type arch_vfp_store, %function
        .balign 2
arch_vfp_store:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        vstmia  r0, {d8-d15}
        bx      lr
        .fnend
        .size   arch_vfp_store, . - arch_vfp_store

/* void arch_vfp_load(const uint32_t d8_to_d15[16]) */
        .section .text.arch_vfp_load, "ax", %progbits
        .global arch_vfp_load
        .type arch_vfp_load, %function
        .balign 2
arch_vfp_load:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        vldmia  r0, {d8-d15}
        bx      lr
        .fnend
        .size   arch_vfp_load, . - arch_vfp_load
#endif

#else

        .section .text._Unwind_Resume, "ax", %progbits
        .global _Unwind_Resume, __cxa_end_cleanup
        .type _Unwind_Resume, %function
        .type __cxa_end_cleanup, %function
        .balign 4
_Unwind_Resume:
__cxa_end_cleanup:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        udf     #0
        .fnend
        .size   _Unwind_Resume, . - _Unwind_Resume

#endif
