/* SPDX-License-Identifier: MIT */
/*
 * The vector table: the processor's exceptions, then the chip's interrupts in
 * the order of its irq.def, under the names that CMSIS gives them. A handler is
 * defined by AL_IRQ under its vector's name; one that is not goes to unhandled.
 * The table ends behind line AL_CFG_IRQ_LINES - 1: a handler for a line beyond
 * is defined twice, which fails the link.
 *
 * Start-up points VTOR to it. Where the start of memory is guarded, a chip has
 * its first two words a second time, where the processor looks for them.
 */
#include <alula/config.h>

        .syntax unified
        .thumb

#if AL_CFG_IRQ_LINES > 0
/* Hands on its exception frame. */
        .section .text.unhandled, "ax", %progbits
        .type unhandled, %function
        .balign 4
unhandled:
        .fnstart
        .cantunwind
        @alula: unchecked 0
        tst     lr, #4
        ite     eq
        mrseq   r0, msp
        mrsne   r0, psp
        b       arch_irq_unhandled
        .fnend
        .size   unhandled, . - unhandled
#endif

        .macro  vector number, name
        .if \number < AL_CFG_IRQ_LINES
        .org    64 + 4 * \number, 0
        .weak   \name
        .thumb_set \name, unhandled
        .word   \name
        .else
        .global \name
        .set    \name, 0
        .endif
        .endm

        .section .vectors, "a", %progbits
        .global __al_vectors
        .type __al_vectors, %object
__al_vectors:
        .word   __al_irq_stack_top
        .word   Reset_Handler
        .word   NMI_Handler             /* its own to define; else a stop */
        .word   HardFault_Handler
        .word   MemManage_Handler
        .word   BusFault_Handler
        .word   UsageFault_Handler
        .word   0, 0, 0, 0
        .word   SVC_Handler
        .word   HardFault_Handler       /* DebugMonitor */
        .word   0
        .word   PendSV_Handler
        .word   SysTick_Handler
#define IRQ(number, name) vector number, name;
#include <irq.def>
#undef IRQ
        .size   __al_vectors, . - __al_vectors

/* Not in the image. libgcc names these after our archives have been searched, and
 * has its own, which return: a division by zero must not. */
        .section .alula.names, "a", %progbits
        .word   __aeabi_ldiv0, __aeabi_idiv0
