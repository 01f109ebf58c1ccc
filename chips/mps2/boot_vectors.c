/* SPDX-License-Identifier: MIT */
/*
 * The two words that the processor reads at reset, at address 0. The whole
 * vector table lies behind the null guard.
 */
#include <alula/types.h>

extern char __al_irq_stack_top[];
void Reset_Handler(void);

extern const uintptr_t __al_boot_vectors[];
const uintptr_t __al_boot_vectors[2]
        __attribute__((section(".vectors.boot"), used)) = {
                (uintptr_t)__al_irq_stack_top,
                (uintptr_t)Reset_Handler,
};
