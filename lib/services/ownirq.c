/* SPDX-License-Identifier: MIT */
/*
 * A line that is enabled and noted in one step: a kill lets the kernel's code
 * finish. A file of its own, so that an image has it only where it is used.
 */
#include <alula/own.h>

#include <alula/irq.h>

void al_irq_own(struct al_irq_hold *hold, al_prio prio)
{
    al_irq_enable(hold->line, prio);
    hold->enabled = 1;
}
