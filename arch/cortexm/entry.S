/* SPDX-License-Identifier: MIT */
/*
 * Exceptions: stack checks that trap (SVC), faults, and the way from there into
 * recovery.
 *
 * A death seen in handler mode is written down in the task's control block; the
 * exception then returns into al_recover_entry, in the task, with r4-r11 and sp
 * as they were at the death. All that recovery does happens there, at the
 * task's own priority: the fault entries are the only code of ours that runs
 * above the interrupts, straight-line and short (tests count it).
 *
 * Masks: recover_panic (al_recover_entry) clears what a dead task left behind,
 * kernel_stop sets one for good. No other instruction in this file writes a
 * mask.
 *
 * Code that is compiled for soft floating point has no context of the FPU: it
 * is never switched on then.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
#ifdef __ARM_FP
        .fpu fpv4-sp-d16
#endif
        .thumb

#define CFSR        0xe000ed28          /* ARM DDI 0403E, B3.2.15 */
#define CFSR_HFSR   4                   /* HFSR - CFSR */
#define CFSR_MMFAR  12
#define CFSR_BFAR   16
#define CFSR_FPCCR  0x20c
#define BAD_STACK   0x00003838          /* [MUN|M|MLSP|UN|..]STKERR, LSPERR */
#define MMARVALID   0x80
#define XPSR_T      0x01000000
#define XPSR_IT_HIGH 0x06000000
#define XPSR_IT_LOW  0x0000fc00
#define XPSR_ALIGN  0x00000200          /* the frame has a word of padding */
#define BKPT_AB     0xbeab              /* semihosting */

/* SVC: 0 resumes a preempted context, 1 to 4 are stack checks that trapped. */
        .section .text.SVC_Handler, "ax", %progbits
        .global SVC_Handler
        .type SVC_Handler, %function
        .balign 4
SVC_Handler:
        .fnstart
        .cantunwind
        @alula: unchecked 16
        mrs     r0, psp
        ldr     r1, [r0, #24]           /* stacked pc: behind the svc */
        ldr     r2, =al_exc_stub + 2
        cmp     r1, r2
        bne     .Lsvc_check
        ldr     lr, [r0, #36]           /* EXC_RETURN: frame 32, padding 4 */
        adds    r0, #40
#ifdef __ARM_FP
        tst     lr, #16
        it      eq
        vldmiaeq r0!, {s16-s31}
#endif
        msr     psp, r0
        bx      lr
        .global al_svc_check
.Lsvc_check:
al_svc_check:                           /* r0 frame; HardFault's way as well */
        ldr     r3, =al_core
        ldr     r1, [r3, #CORE_CURRENT]
        ldr     r2, [r1, #TASK_STACK_LOW]
        cmp     r0, r2
        blo     svc_bad_stack
        ldr     r2, [r1, #TASK_STACK_HIGH]
        cmp     r0, r2
        bhs     svc_bad_stack
        ldr     r3, [r0, #24]
        ldr     r2, fault_frame
        cmp     r2, r3                  /* the svc's frame could not be pushed: */
        it      eq                      /* a fault entry came first, and left */
        bxeq    lr                      /* a frame that is on its way */
        ldrb    r2, [r3, #-1]           /* behind the svc; QEMU always */
        cmp     r2, #0xdf
        beq     svc_number
        ldrb    r2, [r3, #1]            /* or at it, escalated on silicon: */
        cmp     r2, #0xdf               /* then go on behind it */
        bne     hard_stop
        adds    r3, #2
        str     r3, [r0, #24]
        ldr     r3, [r0, #28]
        bic     r3, r3, #XPSR_IT_HIGH
        bic     r3, r3, #XPSR_IT_LOW
        str     r3, [r0, #28]
svc_number:
        ldrb    r2, [r3, #-2]
        subs    r3, r2, #1
        cmp     r3, #4
        it      hs                      /* none of ours */
        movhs   r2, #TRAP_FAULT
        push    {r0, r1, r2, lr}
        mov     r3, lr
        bl      arch_trap_is_real       /* (frame, task, number, lr) */
        cmp     r0, #0
        pop     {r0, r1, r2, lr}
        beq     svc_false
        movs    r3, #0
        str     r3, [r1, #DEATH_CFSR]
        ldr     r3, [r0, #16]           /* stacked r12: sp - frame of form 2 */
        str     r3, [r1, #DEATH_ADDRESS]
        mov     r3, lr
        bl      al_fault_take
        ldr     r2, =al_check_entry
        str     r2, [r0, #24]           /* not al_recover_entry */
        bx      r3
svc_false:
        ldr     r9, [r1, #TASK_LIMIT]   /* precompiled code left garbage */
        bx      lr
svc_bad_stack:
        movs    r2, #0
        str     r2, [r1, #DEATH_CFSR]
        ldr     r3, =CFSR
        b       .Lbad_stack
        .fnend
        .size   SVC_Handler, . - SVC_Handler

/*
 * HardFault, MemManage, BusFault, UsageFault: above every interrupt; and NMI,
 * DebugMonitor, for which no status is set: the kernel stops. At most 40
 * instructions from the entry to the return (tools/faultstubs.py counts), which
 * is why words are moved in pairs. HardFault: a fault or a stack check under a
 * mask that the task had set escalates to there; a semihosting call without a
 * debugger is skipped.
 */
        .global HardFault_Handler
        .global MemManage_Handler, BusFault_Handler, UsageFault_Handler
        .global al_fault_entry, al_fault_take
        .type HardFault_Handler, %function
        .type MemManage_Handler, %function
        .type BusFault_Handler, %function
        .type UsageFault_Handler, %function
        .type al_fault_entry, %function
        .weak   NMI_Handler
        .thumb_set NMI_Handler, HardFault_Handler
HardFault_Handler:
        .fnstart
        .cantunwind
        @alula: unchecked 16
        ldr     r3, =CFSR
        ldr     r2, [r3, #CFSR_HFSR]
        str     r2, [r3, #CFSR_HFSR]    /* write 1 to clear */
        lsls    r2, r2, #1              /* C DEBUGEVT, N FORCED */
        bpl     al_hard_other
        ldr     r2, [r3]
        cbnz    r2, al_fault_status
        tst     lr, #4
        beq     fault_in_handler        /* a check trapped in a handler */
        mrs     r0, psp                 /* what else: an svc under a mask */
        b       .Lsvc_check
al_hard_other:                          /* C says that it was a breakpoint */
        tst     lr, #4
        ite     ne
        mrsne   r0, psp
        mrseq   r0, msp
        bcs     hard_debug
hard_stop:
        ldr     r3, =al_core
        ldr     r1, [r3, #CORE_CURRENT]
        movs    r2, #PANIC_FAULT_4
        b       .Lfault_stop
hard_debug:
        ldr     r1, [r0, #24]
        ldrh    r2, [r1]
        movw    r3, #BKPT_AB
        cmp     r2, r3
        bne     hard_stop
        adds    r1, #2
        str     r1, [r0, #24]
        mvn     r2, #0
        str     r2, [r0]                /* r0: the call failed */
        bx      lr
        .fnend
        .size   HardFault_Handler, . - HardFault_Handler
MemManage_Handler:
BusFault_Handler:
UsageFault_Handler:
al_fault_entry:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        ldr     r3, =CFSR
        ldr     r2, [r3]
al_fault_status:                        /* r3 CFSR's address, r2 its bits */
        tst     lr, #4                  /* SPSEL: did a task do it? */
        beq     fault_in_handler
        ldr     r1, =al_core
        ldrd    r1, r0, [r1, #CORE_CURRENT]     /* and CORE_LOCKED */
        cbnz    r0, fault_in_kernel
        mrs     r0, psp
        str     r2, [r3]                /* write 1 to clear */
        ldr     r12, [r3, #CFSR_BFAR]
        tst     r2, #MMARVALID
        it      ne
        ldrne   r12, [r3, #CFSR_MMFAR]
        strd    r2, r12, [r1, #DEATH_CFSR]      /* and DEATH_ADDRESS */
        movw    r12, #BAD_STACK
        tst     r2, r12
        bne     .Lbad_stack
        ldrd    r2, r12, [r1, #TASK_STACK_LOW]  /* and TASK_STACK_HIGH */
        cmp     r0, r2
        blo     .Lbad_stack
        cmp     r0, r12
        bhs     .Lbad_stack
        movs    r2, #TRAP_FAULT
al_fault_take:                          /* r0 frame, r1 task, r2 trap */
        str     r2, [r1, #DEATH_TRAP]
        ldrd    r2, r12, [r0, #20]              /* lr and pc */
        strd    r12, r2, [r1, #DEATH_TRAP_PC]   /* pc and lr */
        ldr     r2, [r0, #28]
        str     r2, [r1, #DEATH_PSR]
        /* Back into recovery: IT and ICI bits must go with the old pc. */
        and     r2, r2, #XPSR_ALIGN
        orr     r2, r2, #XPSR_T
        ldr     r12, fault_frame
        strd    r12, r2, [r0, #24]
        bx      lr
fault_in_kernel:                        /* r1 task */
        mrs     r0, psp
        movs    r2, #PANIC_FAULT_1
        b       .Lfault_stop
        .global al_bad_stack
.Lbad_stack:                            /* local: short branches */
al_bad_stack:                           /* r0 psp, r1 task, r3 CFSR's address */
        /*
         * No frame can be trusted: a made one, below the floor. The lazy save
         * of the FPU, if pending, points into the frame that is dropped.
         */
        str     r0, [r1, #DEATH_ADDRESS]
#ifdef __ARM_FP
        ldr     r2, [r3, #CFSR_FPCCR]
        bic     r2, r2, #1              /* LSPACT */
        str     r2, [r3, #CFSR_FPCCR]
#endif
        movs    r2, #TRAP_STACK
        str     r2, [r1, #DEATH_TRAP]
        ldr     r0, [r1, #TASK_STACK_LOW]
        add     r0, r0, #MADE_FRAME
        ldrd    r2, r3, fault_frame
        strd    r2, r3, [r0, #24]
        msr     psp, r0
        mvn     lr, #2                  /* thread, PSP, no FPU frame */
        bx      lr
        .balign 4
fault_frame:                            /* pc and xPSR */
        .word   al_recover_entry, XPSR_T
        /* A fault in a handler, r2 CFSR, r3 its address: an image with handlers
         * has its own, in irqdeath.S. */
        .weak   al_irq_fault
        .thumb_func
al_irq_fault:
        mrs     r0, msp
        .global al_fault_not_recovered
al_fault_not_recovered:                 /* r0 frame */
        ldr     r3, =al_core
        ldr     r1, [r3, #CORE_CURRENT]
        movs    r2, #PANIC_FAULT_2
        .global al_fault_stop
.Lfault_stop:
al_fault_stop:                          /* r0 frame, r1 task, r2 site */
        cbz     r1, fault_stop_now      /* before there is a task */
        adds    r1, #TASK_DEATH         /* in reach of short instructions */
        ldr     r3, [r0, #24]
        str     r3, [r1, #(DEATH_TRAP_PC - TASK_DEATH)]
        ldr     r3, [r0, #20]
        str     r3, [r1, #(DEATH_LR - TASK_DEATH)]
        ldr     r3, [r0, #28]
        str     r3, [r1, #(DEATH_PSR - TASK_DEATH)]
        str     r0, [r1, #(DEATH_SP - TASK_DEATH)]
        movs    r3, #TRAP_FAULT
        str     r3, [r1, #(DEATH_TRAP - TASK_DEATH)]
        ldr     r3, =CFSR
        ldr     r0, [r3]
        str     r0, [r1, #(DEATH_CFSR - TASK_DEATH)]
        tst     r0, #MMARVALID
        ite     ne
        ldrne   r0, [r3, #CFSR_MMFAR]
        ldreq   r0, [r3, #CFSR_BFAR]
        str     r0, [r1, #(DEATH_ADDRESS - TASK_DEATH)]
fault_stop_now:
        mov     r0, r2
        b       .Lkernel_stop
fault_in_handler:
        b.w     al_irq_fault
        .fnend
        .size   al_fault_entry, . - al_fault_entry

/*
 * A task ends itself. No frame: the walk begins at the caller, whose registers
 * are still in place.
 *
 * AL_NORETURN void recover_panic(uint32_t cause, uint32_t a, uint32_t b,
 *                                const char *text)
 */
        .global recover_panic, al_panic, al_assert_failed, panic_caller
        .global al_recover_entry
        .type recover_panic, %function
        .type al_panic, %function
        .type al_assert_failed, %function
        .type panic_caller, %function
panic_caller:                           /* r0 site */
        @alula: unchecked 0
        and     r2, r0, #15
        lsrs    r1, r0, #4
        movs    r0, #CAUSE_CALLER
        movs    r3, #0
        b       panic_now
al_assert_failed:                       /* r0 where */
        @alula: unchecked 0
        mov     r3, r0
        movs    r0, #CAUSE_ASSERT
        b       panic_with_text
al_panic:                               /* r0 why */
        @alula: unchecked 0
        mov     r3, r0
        movs    r0, #CAUSE_PANIC
panic_with_text:
        movs    r1, #0
        movs    r2, #0
recover_panic:
        .fnstart
        .cantunwind
        @alula: unchecked 0
panic_now:
        mrs     ip, ipsr
        cmp     ip, #15
        bhs     panic_in_handler
        ldr     ip, =al_core            /* a kernel stop tells it as well */
        ldr     ip, [ip, #CORE_CURRENT]
        add     ip, ip, #TASK_CAUSE
        stmia   ip!, {r0-r3}            /* and TASK_DETAIL, TASK_TEXT */
        mov     r0, ip                  /* TASK_DEATH, which follows */
        ldr     r1, =al_core
        ldr     r1, [r1, #CORE_LOCKED]
        mrs     r2, ipsr
        orrs    r1, r1, r2
        bne     panic_stops
        str     r1, [r0, #(DEATH_TRAP - TASK_DEATH)]    /* TRAP_PANIC, */
        str     r1, [r0, #(DEATH_CFSR - TASK_DEATH)]    /* and r1, are 0 */
        strd    lr, lr, [r0, #(DEATH_TRAP_PC - TASK_DEATH)]     /* and lr */
        mrs     r2, xpsr
        str     r2, [r0, #(DEATH_PSR - TASK_DEATH)]
        /* An image with cleanups that may go on has its own, in cleanup.S. */
        .weak   al_check_entry
al_check_entry:
al_recover_entry:                       /* labels: their addresses are even */
        /* r4-r11 and sp are as at the death. */
        ldr     r0, =al_core
        ldr     r0, [r0, #CORE_CURRENT]
        movs    r1, #0
        msr     basepri, r1             /* what the dead task left masked */
        cpsie   i
        /* Where sp must lie for recovery to run there, see recover.c. */
        mov     r2, sp
        ldr     ip, [r0, #TASK_STACK_HIGH]
        ldr     r3, [r0, #TASK_LIMIT]
        bic     r3, r3, #LIMIT_KILLED
        ldr     r1, [r0, #TASK_CRASH]   /* is it dying already? */
        subs    r3, r3, #SLACK
        cmp     r1, #0
        it      eq
        subeq   r3, r3, #(AL_CFG_CLEANUP_STACK - SLACK)
        cmp     r2, r3
        it      hs
        cmphs   ip, r2
        it      hs
        movhs   r3, r2
        bic     r3, r3, #7
        mov     sp, r3
#if AL_CFG_RECOVERY
        cmp     r1, #0
        bne     arch_recover_again
#endif
        add     r1, r0, #DEATH_R
        stmia   r1, {r4-r11}
        str     r2, [r1, #(DEATH_SP - DEATH_R)]
        bl      arch_recover_captured   /* (task, death) */
panic_in_handler:
        b.w     al_irq_recover_panic
        .weak   al_irq_recover_panic    /* as al_irq_fault */
        .thumb_func
al_irq_recover_panic:
panic_stops:
        movs    r0, #PANIC_FAULT_3
        b       .Lkernel_stop
        .fnend
        .size   recover_panic, . - recover_panic

/*
 * AL_NORETURN void kernel_stop(enum panic_site site)
 * The one defined end: no interrupt any more, on the interrupt stack from its
 * top, whatever broke and wherever it was called.
 */
        .global kernel_stop
        .type kernel_stop, %function
.Lkernel_stop:
kernel_stop:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        cpsid   i
        ldr     r1, =__al_irq_stack_top
        msr     msp, r1
        mrs     r2, ipsr
        cbnz    r2, 1f
        msr     control, r2             /* a task: leave its stack */
        isb
1:      ldr     r9, =__al_irq_limit     /* board_stop() may be checked code */
        bl      recover_kernel_stop
        .ltorg
        .fnend
        .size   kernel_stop, . - kernel_stop

/* uintptr_t arch_tls_start(const struct al_task_def *def, uintptr_t top)
 * In an image without thread-local variables; else tls.c's. */
        .section .text.arch_tls_start, "ax", %progbits
        .weak   arch_tls_start
        .type arch_tls_start, %function
        .balign 2
arch_tls_start:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        mov     r0, r1
        bx      lr
        .fnend
        .size   arch_tls_start, . - arch_tls_start

/* In an image without frames above the slack, or without pads that may catch;
 * else frames.c's, actions.c's. */
        .section .text.arch_frame_of, "ax", %progbits
        .weak   arch_frame_of, arch_action_cleans
        .type arch_frame_of, %function
        .type arch_action_cleans, %function
        .balign 2
arch_frame_of:
arch_action_cleans:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        movs    r0, #0
        bx      lr
        .fnend
        .size   arch_frame_of, . - arch_frame_of

/* For AL_CALLBACK's veneers: r9 gets the limit of the stack in use. ip free. */
        .section .text.al_callback_limit, "ax", %progbits
        .global al_callback_limit
        .type al_callback_limit, %function
        .balign 4
al_callback_limit:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        mrs     ip, ipsr
        cmp     ip, #0
        bne     1f
        ldr     r9, =al_core
        ldr     r9, [r9, #CORE_CURRENT]
        ldr     r9, [r9, #TASK_LIMIT]
        bx      lr
1:      ldr     r9, =__al_irq_limit
        bx      lr
        .ltorg
        .fnend
        .size   al_callback_limit, . - al_callback_limit
