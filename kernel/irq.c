/* SPDX-License-Identifier: MIT */
/*
 * Interrupt lines by number and priority. Which line is which, and what its
 * handler is called, is the chip's (chips/).
 */
#include <alula/irq.h>

#include "arch.h"
#include "panic.h"

void al_irq_enable(uint32_t line, al_prio prio)
{
    CALLER_MUST(IRQ, 1,
            prio >= AL_PRIO_IRQ(0) && prio < AL_PRIO_IRQ(AL_IRQ_LEVELS));
    CALLER_MUST(IRQ, 3, line < arch_irq_lines());
    arch_irq_enable(line, (uint32_t)prio - AL_PRIO_IRQ(0));
}

void al_irq_disable(uint32_t line)
{
    CALLER_MUST(IRQ, 3, line < arch_irq_lines());
    arch_irq_disable(line);
}
