/* SPDX-License-Identifier: MIT */
/*
 * The vector table: the processor's exceptions, then the chip's interrupts in
 * the order of its irq.def, under the names that CMSIS gives them. A handler is
 * defined by AL_IRQ under its vector's name; one that is not goes to unhandled().
 *
 * Start-up points VTOR to it. Where the start of memory is guarded, a chip has
 * its first two words a second time, where the processor looks for them.
 */
#include "image.h"

#include <stddef.h>

void Reset_Handler(void);
void HardFault_Handler(void);
void MemManage_Handler(void);
void BusFault_Handler(void);
void UsageFault_Handler(void);
void SVC_Handler(void);
void PendSV_Handler(void);
void SysTick_Handler(void);

/* Hands on its exception frame. Here, because an alias needs its target in the
 * same object. */
__attribute__((naked)) static void unhandled(void)
{
    __asm__ volatile("@alula: unchecked 0\n"
                     "tst lr, #4\n"
                     "ite eq\n"
                     "mrseq r0, msp\n"
                     "mrsne r0, psp\n"
                     "b arch_irq_unhandled");
}

#define IRQ(number, name) \
  void name(void) __attribute__((weak, alias("unhandled")));
#include <irq.def>
#undef IRQ

typedef void (*vector)(void);

extern const vector __al_vectors[];
const vector __al_vectors[] __attribute__((section(".vectors"), used)) = {
        (vector)(uintptr_t)__al_irq_stack_top,
        Reset_Handler,
        unhandled, /* NMI: the kernel stops */
        HardFault_Handler,
        MemManage_Handler,
        BusFault_Handler,
        UsageFault_Handler,
        NULL,
        NULL,
        NULL,
        NULL,
        SVC_Handler,
        unhandled, /* DebugMonitor */
        NULL,
        PendSV_Handler,
        SysTick_Handler,
#define IRQ(number, name) [16 + (number)] = name,
#include <irq.def>
#undef IRQ
};
