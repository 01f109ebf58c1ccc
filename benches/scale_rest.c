/* SPDX-License-Identifier: MIT */
/*
 * Sleepers, and heap blocks. Time stands still but for ticks that are pended
 * here. See scale.h.
 */
#include "scale.h"

/* ---- time ---- */

static void tick(void)
{
    SCALE_ICSR = SCALE_ICSR_PENDSTSET;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void fall_asleep(struct worker *self)
{
    COUNT_OPEN();
    al_sleep_until(self->when);
}

/* The i-th of n falls asleep; the order of the times is none. */
static uint32_t send_to_sleep(unsigned i, unsigned n)
{
    struct worker *worker = &workers[i];

    worker->when = al_now() + 1 + i * 7919u % n;
    worker->job = fall_asleep;
    (void)al_sem_give(&worker->go);
    return COUNT_CLOSE();
}

/* Each of them wakes, one a tick, and runs afterwards. */
static void pass_time(unsigned ticks)
{
    scale_urgent(true);
    for (unsigned i = 0; i < ticks; i++) {
        tick();
    }
    scale_urgent(false);
}

/* The n-th to fall asleep, and those of the second half. */
void scale_sleep(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t to = send_to_sleep(i, n);

        if (i >= n / 2) {
            scale_note(to);
        }
    }
    pass_time(n);
}

/* A tick that is nobody's while n sleep. */
void scale_tick_idle(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        workers[i].when = al_now() + n + 10;
        worker_start(&workers[i], fall_asleep);
    }
    for (unsigned i = 0; i < 8; i++) {
        COUNT_OPEN_AND_PEND(SCALE_ICSR, SCALE_ICSR_PENDSTSET);
        scale_note(COUNT_CLOSE());
    }
    pass_time(n + 10);
}

/* A tick that wakes one of n; none runs before the tick is over. */
void scale_tick_wake(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        (void)send_to_sleep(i, n);
    }
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN_AND_PEND(SCALE_ICSR, SCALE_ICSR_PENDSTSET);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

/* A tick that wakes all of n. */
void scale_tick_wake_all(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        workers[i].when = al_now() + 1;
        worker_start(&workers[i], fall_asleep);
    }
    scale_urgent(true);
    COUNT_OPEN_AND_PEND(SCALE_ICSR, SCALE_ICSR_PENDSTSET);
    scale_note(COUNT_CLOSE());
    scale_urgent(false);
}

/* ---- heap ---- */

#define REPLACED    300
#define BLOCK_BYTES 224u

static void *blocks[SCALE_MOST];

static uint32_t random_below(uint32_t bound)
{
    static uint32_t state = 2463534242u;

    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % bound;
}

/* Among n blocks of 8 to 231 bytes, one is freed and another allocated, again
 * and again. */
static void replace_blocks(
        unsigned n, void (*freed)(uint32_t), void (*allocated)(uint32_t))
{
    for (unsigned i = 0; i < n; i++) {
        blocks[i] = al_heap_alloc(8 + random_below(BLOCK_BYTES));
    }
    for (unsigned i = 0; i < REPLACED; i++) {
        unsigned which = random_below(n);
        size_t bytes = 8 + random_below(BLOCK_BYTES);

        COUNT_OPEN();
        al_heap_free(blocks[which]);
        freed(COUNT_CLOSE());
        COUNT_OPEN();
        blocks[which] = al_heap_alloc(bytes);
        allocated(COUNT_CLOSE());
        AL_ASSERT(blocks[which] != NULL);
    }
    for (unsigned i = 0; i < n; i++) {
        al_heap_free(blocks[i]);
    }
}

static void ignore(uint32_t to)
{
    (void)to;
}

void scale_heap_alloc(unsigned n)
{
    replace_blocks(n, ignore, scale_note);
}

void scale_heap_free(unsigned n)
{
    replace_blocks(n, scale_note, ignore);
}
