/* SPDX-License-Identifier: MIT */
/*
 * Switching tasks. A saved context is what the task's sp points to:
 *
 *   called          r0 r4..r11 pc=return                                 40
 *   called, FPU     r0 r4..r11 pc=al_fp_stub | fpscr s16..s31 return    112
 *   preempted       r0 r4..r11 pc=exc_stub | EXC_RETURN [s16..s31] frame
 *   new task        r0 r4=entry r5=args .. r9=limit .. pc=trampoline     40
 *
 * where frame is the processor's exception frame (32 bytes, 104 with FPU). One
 * `pop {r0, r4-r11, pc}` resumes each of them. r0 is what arch_switch()
 * returns.
 *
 * The resumed side holds the kernel lock and lets go of it in the restart
 * window [al_resume_window, al_exc_stub): there sp points to the whole saved
 * context and nothing of it has been used up, so PendSV, if it comes in the
 * window, saves nothing: the context is resumed from its beginning. At
 * al_exc_stub the context has been popped; PendSV puts it back. Outside of both
 * a thread is saved as preempted.
 *
 * Not here: masking. No instruction in this file does.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
#ifdef __ARM_FP
        .fpu fpv4-sp-d16
#endif
        .thumb

        .global al_core

#define ICSR           0xe000ed04       /* ARM DDI 0403E, B3.2.4 */
#define ICSR_PENDSVSET 0x10000000

/* What lies below a task's floor beside the reserve, for tools/alula-stack. */
        .global __al_below_floor
#if AL_CFG_STAT_RUNTIME || AL_CFG_STAT_STACK || AL_CFG_STAT_DEADLINES
        .set    __al_below_floor, AL_CFG_CLEANUP_STACK + 16
#else
        .set    __al_below_floor, AL_CFG_CLEANUP_STACK
#endif

/* Statistics of the task that gives up the processor, whose r4-r8 are saved
 * (kernel/stat.h). */
        .macro  count_task task, at
#if AL_CFG_STAT_RUNTIME || AL_CFG_STAT_STACK
        ldr     r4, [\task, #TASK_STACK_LOW]
#endif
#if AL_CFG_STAT_STACK
        ldr     r5, [r4]
        cmp     \at, r5
        it      lo
        strlo   \at, [r4]
#endif
#if AL_CFG_STAT_RUNTIME
        ldr     r5, =arch_run_clock
        ldrd    r6, r7, [r5]            /* at the last switch; the counter */
        ldr     r7, [r7]
        str     r7, [r5]
        subs    r6, r7, r6
        ldrd    r7, r8, [r4, #8]
        adds    r7, r7, r6
        adc     r8, r8, #0
        strd    r7, r8, [r4, #8]
#endif
        .endm

/* al_status arch_switch(al_status result, struct al_task *next)
 * Kernel lock held. r0 result, r1 next. */
        .section .text.arch_switch, "ax", %progbits
        .global arch_switch
        .type arch_switch, %function
        .balign 4
arch_switch:
        .fnstart
        .cantunwind
        @alula: unchecked 112
#ifdef __ARM_FP
        mrs     r2, control
        tst     r2, #4                  /* FPCA: has the task used the FPU? */
        bne     switch_fpu
#endif
        push    {r0, r4-r11, lr}
switch_saved:
        ldr     r3, =al_core
        ldr     r2, [r3, #CORE_CURRENT]
        str     sp, [r2, #TASK_SP]
        count_task r2, sp
        str     r1, [r3, #CORE_CURRENT]
        ldr     r2, [r1, #TASK_SP]
        mov     sp, r2
        .global al_resume_window
resume_window:
al_resume_window:                       /* r3 al_core, sp the whole context */
        movs    r2, #0
        str     r2, [r3, #CORE_LOCKED]
        ldr     r2, [r3, #CORE_INBOX]   /* after the store: see softlock.h */
        cbz     r2, resume_pop
        ldr     r3, =ICSR
        mov     r2, #ICSR_PENDSVSET     /* PendSV comes here, in the window, */
        str     r2, [r3]                /* and does what the posts say */
        dsb
        isb
        .global al_resume_pop
al_resume_pop:
resume_pop:
        pop     {r0, r4-r11, pc}
        .global al_exc_stub
al_exc_stub:                            /* sp-> EXC_RETURN [s16..s31] frame */
        svc     #0
#ifdef __ARM_FP
switch_fpu:
        push    {lr}
        vpush   {s16-s31}
        vmrs    r3, fpscr
        push    {r3}
        ldr     lr, =al_fp_stub
        push    {r0, r4-r11, lr}
        bic     r2, r2, #4
        msr     control, r2             /* FPCA off: frames are 32 bytes now */
        isb
        b       switch_saved
#endif
        .fnend
        .size   arch_switch, . - arch_switch

#ifdef __ARM_FP
        .global al_fp_stub
        .type al_fp_stub, %function
        .thumb_func
al_fp_stub:                             /* sp-> fpscr s16..s31 return */
        .fnstart
        .cantunwind
        @alula: unchecked 0
        pop     {r1}
        vmsr    fpscr, r1
        vpop    {s16-s31}
        pop     {pc}
        .fnend
        .size   al_fp_stub, . - al_fp_stub
#endif

/* Where a task begins: r4 entry, r5 its arguments, r9 the limit. */
        .global al_trampoline
        .type al_trampoline, %function
        .thumb_func
al_trampoline:
        .fnstart
        .cantunwind
        @alula: unchecked 4
        mov     r0, r5
        adr.w   lr, al_trampoline_end + 1
        push    {r4}
        pop     {pc}                    /* nothing of this frame is left */
        nop                             /* the walk looks before the return */
        .global al_trampoline_end
al_trampoline_end:                      /* a label: its address is even */
        bl      task_returned
        .fnend
        .size   al_trampoline, . - al_trampoline

/* void arch_start_first(struct al_task *first)
 * From the boot stack to the first task; the interrupt stack begins anew. */
        .global arch_start_first
        .type arch_start_first, %function
arch_start_first:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        ldr     r3, =al_core
        ldr     r1, [r0, #TASK_SP]
        msr     psp, r1
        movs    r2, #2                  /* SPSEL: tasks run on PSP; FPCA 0 */
        msr     control, r2
        isb
        ldr     r2, =__al_irq_stack_top
        msr     msp, r2
        b       resume_window
        .fnend
        .size   arch_start_first, . - arch_start_first

/* PendSV: switch from wherever the thread is to the most urgent task.
 * r3 al_core, r1 the task to run, r0 psp, r12 al_exc_stub, lr EXC_RETURN */
        .global PendSV_Handler
        .type PendSV_Handler, %function
PendSV_Handler:
        .fnstart
        .cantunwind
        @alula: unchecked 8
        ldrd    r3, r12, pendsv_core
        ldr     r0, [r3, #CORE_LOCKED]
        movs    r2, #1
        cbnz    r0, pendsv_late
        str     r2, [r3, #CORE_LOCKED]
        ldr     r0, [r3, #CORE_INBOX]
        cbnz    r0, pendsv_drain
pendsv_choose:
        ldr     r0, [r3, #CORE_READY_MAP]
        clz     r0, r0
#if AL_CFG_PRIO_LEVELS > 32
        ldr     r2, =sched_groups       /* r0 was the group */
        ldr     r2, [r2, r0, lsl #2]
        clz     r2, r2
        add     r0, r2, r0, lsl #5
#endif
        add     r0, r3, r0, lsl #2
        ldr     r1, [r0, #CORE_READY]
        ldr     r2, [r3, #CORE_CURRENT]
        cmp     r1, r2
        beq     pendsv_stay
        mrs     r0, psp
        ldr     r2, [r0, #24]           /* stacked pc, from its even label: */
        subs    r2, r2, r12             /* -1 at the stub, less in the window */
        cmn     r2, #(al_exc_stub - al_resume_window + 1)
        bcs     pendsv_resuming
#ifdef __ARM_FP
        tst     lr, #16
        it      eq
        vstmdbeq r0!, {s16-s31}         /* also makes a pending lazy save */
#endif
        stmdb   r0!, {r3, r4-r11, r12, lr}      /* r3: any word, not used */
pendsv_saved:
        ldr     r2, [r3, #CORE_CURRENT]
        str     r0, [r2, #TASK_SP]
#if AL_CFG_STAT_RUNTIME || AL_CFG_STAT_STACK
        b       pendsv_count
#endif
pendsv_load:
        str     r1, [r3, #CORE_CURRENT]
        ldr     r0, [r1, #TASK_SP]
        ldr     r2, [r0, #36]           /* what the context resumes at */
        cmp     r2, r12
        beq     pendsv_to_preempted
        /* A made frame below the context leads the thread to the pop; it never
         * used the FPU since its switch, or its frame has al_fp_stub. */
        ldrd    r2, r12, pendsv_frame
        strd    r2, r12, [r0, #-8]
        subs    r0, #32
        mvn     lr, #2                  /* 0xfffffffd: thread, PSP, no FPU */
pendsv_leave:
        msr     psp, r0
pendsv_stay:
        movs    r2, #0
        str     r2, [r3, #CORE_LOCKED]
        ldr     r2, [r3, #CORE_INBOX]
        cbnz    r2, pendsv_again
        bx      lr
pendsv_late:
        ldr     r0, =al_resched_post
        b       softlock_irq_post
pendsv_drain:
        push    {r4, lr}
        bl      softlock_drain_held
        pop     {r4, lr}
        ldrd    r3, r12, pendsv_core
        b       pendsv_choose
pendsv_again:
        tst     r2, #INBOX_LEFT         /* only what the task goes before */
        it      ne
        bxne    lr
        /*
         * An interrupt posted between the choice and the store. Choosing again
         * is right whatever was loaded: a preempted context is saved back as
         * it was, one that had called stands at al_resume_pop, in the window.
         */
        movs    r2, #1
        str     r2, [r3, #CORE_LOCKED]
        b       pendsv_drain
pendsv_to_preempted:
        adds    r0, #4
        ldmia   r0!, {r4-r11, r12, lr}
#ifdef __ARM_FP
        tst     lr, #16
        it      eq
        vldmiaeq r0!, {s16-s31}
#endif
        b       pendsv_leave
pendsv_resuming:
        adds    r2, #1
        bne     pendsv_load             /* in the window: nothing to save */
        /* The popped registers go back under the EXC_RETURN word, which lies 4
         * modulo 8, that is 4 bytes of padding above the processor's frame. */
        stmia   r0, {r4-r11, r12}
        subs    r0, #4
        b       pendsv_saved
#if AL_CFG_STAT_RUNTIME || AL_CFG_STAT_STACK
pendsv_count:                           /* r2 the task, r0 its saved sp */
        count_task r2, r0
        b       pendsv_load
#endif
        .balign 4
pendsv_core:                            /* r3, r12 */
        .word   al_core, al_exc_stub + 1
pendsv_frame:                           /* pc and xPSR */
        .word   al_resume_pop, 0x01000000
        .ltorg
        .fnend
        .size   PendSV_Handler, . - PendSV_Handler
