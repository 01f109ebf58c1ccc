/* SPDX-License-Identifier: MIT */
/*
 * Semaphores with n waiters, and n ready tasks. See scale.h.
 */
#include "scale.h"

#define NVIC_ISPR0 (*(volatile uint32_t *)0xe000e200u)
#define LINE_GIVES 6u /* PORT0_ALL: no device on this board */

static struct al_sem gate = AL_SEM_INIT(0, SCALE_MOST + 1);
static volatile bool spinning;
static volatile bool armed;

static void wait_at_gate(struct worker *self)
{
    (void)self;
    al_sem_take(&gate);
}

static void block_at_gate(struct worker *self)
{
    (void)self;
    COUNT_OPEN();
    al_sem_take(&gate);
}

static void nothing(struct worker *self)
{
    (void)self;
}

AL_IRQ(PORT0_ALL_Handler)
{
    (void)al_irq_sem_give(&gate);
}

/* Waking the most urgent of n waiters, of 27 priorities. */
void scale_sem_give(unsigned n)
{
    workers_start(n, wait_at_gate);
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        (void)al_sem_give(&gate);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

/* The same by an interrupt, from its pending to its return. */
void scale_irq_sem_give(unsigned n)
{
    al_irq_enable(LINE_GIVES, AL_PRIO_IRQ(1));
    workers_start(n, wait_at_gate);
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN_AND_PEND(NVIC_ISPR0, 1u << LINE_GIVES);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

/* The least urgent one waits behind n others: from its call until another task
 * runs. */
void scale_sem_take_block(unsigned n)
{
    workers_start(n, wait_at_gate);
    extra.job = block_at_gate;
    (void)al_sem_give(&extra.go);
    scale_note(COUNT_CLOSE());
    scale_urgent(true);
    for (unsigned i = 0; i < n + 1; i++) {
        (void)al_sem_give(&gate);
    }
    scale_urgent(false);
}

static void spin(struct worker *self)
{
    (void)self;
    while (spinning) {
        uint32_t to;

        al_yield();
        to = COUNT_CLOSE();
        if (armed) {
            armed = false;
            scale_note(to);
        }
    }
}

/* To the next of n ready tasks of the same priority. */
void scale_yield(unsigned n)
{
    workers_prio(n, 1);
    spinning = true;
    workers_start(n, spin);
    al_yield(); /* each stands in its yield now */
    armed = true;
    COUNT_OPEN();
    al_yield();
    spinning = false;
    al_yield();
    workers_prio(n, 0);
}

/* Waking one task while n of its priority are ready. */
void scale_wake_among_ready(unsigned n)
{
    workers_prio(n, 2);
    worker_start(&extra, wait_at_gate);
    scale_urgent(true);
    workers_start(n, nothing);
    COUNT_OPEN();
    (void)al_sem_give(&gate);
    scale_note(COUNT_CLOSE());
    scale_urgent(false);
    workers_prio(n, 0);
}
