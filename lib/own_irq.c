/* SPDX-License-Identifier: MIT */
/*
 * The end of AL_IRQ_SCOPED. Handlers outrank tasks: none of this line is at work
 * while this runs, and none begins after it.
 */
#include <alula/own.h>

#include <alula/irq.h>

void __al_own_disable(void *memory)
{
    const struct al_irq_hold *hold = (const struct al_irq_hold *)memory;

    if (hold->enabled != 0) {
        al_irq_disable(hold->line);
    }
}
