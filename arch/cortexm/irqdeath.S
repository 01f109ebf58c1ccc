/* SPDX-License-Identifier: MIT */
/*
 * Deaths in handlers: the way in and out of irqdeath.c. All of it runs in the
 * handler that died, at its priority, below its frames on the interrupt stack.
 *
 * Masks: arch_irq_death clears what a dead handler left behind. No other
 * instruction in this file writes a mask.
 */
#include "offsets.h"

#include <alula/config.h>

        .syntax unified
        .arch armv7e-m
        .thumb

#if AL_CFG_RECOVERY

#define IRQ_DEATH_BYTES (DEATH_BYTES + 16)

#define CFSR_MMFAR  12
#define CFSR_BFAR   16
#define BAD_STACK   0x00003838          /* [MUN|M|MLSP|UN|..]STKERR, LSPERR */
#define MMARVALID   0x80
#define XPSR_IT_HIGH 0x06000000
#define XPSR_IT_LOW  0x0000fc00

/*
 * A fault entry's way for a fault in a handler: r2 CFSR, r3 its address. It goes
 * on in al_irq_recover_entry, in the handler that died, with r0-r3, r12 telling
 * trap, pc, psr, status, address. In the kernel's own exceptions it is the
 * kernel stop. tools/faultstubs.py counts the instructions.
 */
        .section .text.al_irq_fault, "ax", %progbits
        .global al_irq_fault
        .type al_irq_fault, %function
        .balign 4
al_irq_fault:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        mrs     r0, msp
        movw    r12, #BAD_STACK
        tst     r2, r12
        bne     irq_not_recovered
        ldr     r1, [r0, #28]
        lsls    r12, r1, #23            /* the exception's number, from 15 */
        cmp     r12, #(15 << 23)
        blo     irq_not_recovered
        str     r2, [r3]                /* write 1 to clear */
        ldr     r12, [r3, #CFSR_BFAR]
        tst     r2, #MMARVALID
        it      ne
        ldrne   r12, [r3, #CFSR_MMFAR]
        strd    r2, r12, [r0, #12]
        ldr     r2, [r0, #24]
        strd    r2, r1, [r0, #4]
        ldr     r2, =al_irq_recover_entry
        bic     r1, r1, #XPSR_IT_HIGH
        bic     r1, r1, #XPSR_IT_LOW
        strd    r2, r1, [r0, #24]
        movs    r2, #TRAP_FAULT
        str     r2, [r0]
        bx      lr
irq_not_recovered:
        b       al_fault_not_recovered
        .ltorg
        .fnend
        .size   al_irq_fault, . - al_irq_fault

/* A fault: r0 trap, r1 pc, r2 psr, r3 status, r12 address; lr, r4-r11, sp as
 * they were. Reached by an exception's return. */
        .section .text.al_irq_recover_entry, "ax", %progbits
        .global al_irq_recover_entry, al_irq_recover_panic
        .type al_irq_recover_entry, %function
        .type al_irq_recover_panic, %function
        .balign 4
al_irq_recover_entry:                   /* a label: its address is even */
        .fnstart
        .cantunwind
        @alula: unchecked 88
        sub     sp, sp, #IRQ_DEATH_BYTES
        stmia   sp, {r4-r11}
        strd    r1, lr, [sp, #(DEATH_TRAP_PC - TASK_DEATH)]     /* and lr */
        str     r0, [sp, #(DEATH_TRAP - TASK_DEATH)]
        str     r2, [sp, #(DEATH_PSR - TASK_DEATH)]
        strd    r3, r12, [sp, #(DEATH_CFSR - TASK_DEATH)]       /* address */
        movs    r0, #0
        str     r0, [sp, #DEATH_BYTES]                          /* cause */
        strd    r0, r0, [sp, #(DEATH_BYTES + 4)]                /* detail */
        str     r0, [sp, #(DEATH_BYTES + 12)]                   /* text */
        b       irq_death
/* A panic: r0 cause, r1 and r2 details, r3 text; lr, r4-r11, sp as at the call. */
        .thumb_func
al_irq_recover_panic:
        @alula: unchecked 88
        sub     sp, sp, #IRQ_DEATH_BYTES
        stmia   sp, {r4-r11}
        strd    r0, r1, [sp, #DEATH_BYTES]
        strd    r2, r3, [sp, #(DEATH_BYTES + 8)]
        strd    lr, lr, [sp, #(DEATH_TRAP_PC - TASK_DEATH)]
        movs    r0, #TRAP_PANIC
        mrs     r1, xpsr
        str     r0, [sp, #(DEATH_TRAP - TASK_DEATH)]
        str     r1, [sp, #(DEATH_PSR - TASK_DEATH)]
        strd    r0, r0, [sp, #(DEATH_CFSR - TASK_DEATH)]
irq_death:
        movs    r0, #0
        msr     basepri, r0             /* what the dead handler left masked */
        cpsie   i
        add     r0, sp, #IRQ_DEATH_BYTES
        str     r0, [sp, #(DEATH_SP - TASK_DEATH)]
        ldr     r9, =__al_irq_floor
        mov     r0, sp
        bl      arch_irq_death          /* returns where to leave by */
        cbz     r0, irq_leave_raw
        mov     sp, r0
        str     r9, [sp]                /* the frame is none any more */
        pop     {r3-r11, pc}
irq_leave_raw:                          /* nothing but the registers is left */
        ldr     r1, [sp, #(DEATH_SP - TASK_DEATH)]
        ldr     r2, [sp, #(DEATH_LR - TASK_DEATH)]
        ldmia   sp, {r4-r11}
        mov     sp, r1
        bx      r2
        .ltorg
        .fnend
        .size   al_irq_recover_entry, . - al_irq_recover_entry

/* void arch_irq_cleanup(void (*fn)(void *), void *arg)
 * A frame as a handler's: if fn dies, it comes back here. */
        .section .text.arch_irq_cleanup, "ax", %progbits
        .global arch_irq_cleanup
        .type arch_irq_cleanup, %function
        .balign 4
arch_irq_cleanup:
        .fnstart
        .cantunwind
        @alula: unchecked 40
        addw    r3, sp, #1
        push    {r3-r11, lr}
        mov     r2, r0
        mov     r0, r1
        blx     r2
        str     r9, [sp]
        pop     {r3-r11, pc}
        .fnend
        .size   arch_irq_cleanup, . - arch_irq_cleanup

#endif
