/* SPDX-License-Identifier: MIT */
/*
 * Timer 0 of the MPS2 boards: the APB timer of Arm's Cortex-M System Design Kit
 * (ARM DDI 0479, section 4.1). It counts down from RELOAD and starts again by
 * itself, so that the time since a release is what it has counted since.
 */
#include "periodic.h"

#include <alula/irq.h>

#include <board.h>

#define TIMER0_IRQ 8u

struct cmsdk_timer {
    uint32_t CTRL;
    uint32_t VALUE;
    uint32_t RELOAD;
    uint32_t INTSTATUS; /* write 1 to clear */
};

#define TIMER0 ((volatile struct cmsdk_timer *)0x40000000u)

#define CTRL_EN    (1u << 0)
#define CTRL_IRQEN (1u << 3)

static struct {
    struct al_sem *released; /* const after the start */
    uint32_t releases;       /* the handler's */
} periodic;

AL_IRQ(TIMER0_Handler)
{
    TIMER0->INTSTATUS = 1;
    __atomic_store_n(
            &periodic.releases, periodic.releases + 1u, __ATOMIC_RELEASE);
    (void)al_irq_sem_give(periodic.released);
}

void al_periodic_start(struct al_sem *released, uint32_t counts)
{
    periodic.released = released;
    /* RELOAD + 1 counts: it also spends one at 0. */
    TIMER0->RELOAD = counts - 1u;
    TIMER0->INTSTATUS = 1;
    TIMER0->CTRL = CTRL_EN | CTRL_IRQEN;
    al_irq_enable(TIMER0_IRQ, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1));
}

uint32_t al_periodic_releases(void)
{
    return __atomic_load_n(&periodic.releases, __ATOMIC_ACQUIRE);
}

uint32_t al_periodic_elapsed(void)
{
    return TIMER0->RELOAD - TIMER0->VALUE;
}
