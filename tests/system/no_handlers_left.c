/* SPDX-License-Identifier: MIT */
/*
 * Claim: with AL_CFG_IRQ_LINES=0, what the clock owes to a task that is less
 * urgent than the running one is left for later, and not forgotten.
 *   1. a worker takes the kernel lock all the time until a tick has come, at
 *      which a less urgent task's sleep ends; then it sleeps, too
 *   2. the other one runs at once, not at the next tick
 * Fails if: the post that the worker's lock held off is lost.
 * boards: stm32f405; builds: gcc-Os-small gcc-O2 clang-Os
 * options: AL_CFG_IRQ_LINES=0
 */
#include <alula/alula.h>

#include "test.h"

#define ROUNDS 100u

static struct al_sem full = AL_SEM_INIT(1, 1);
static volatile uint32_t left_at; /* the tick at which the worker gave way */
static volatile uint32_t rounds, late;

static void sleeper_main(void)
{
    for (;;) {
        al_sleep(1);
        late += (uint32_t)al_now() != left_at;
    }
}

static void worker_main(void)
{
    for (rounds = 0; rounds < ROUNDS; rounds++) {
        al_time began = al_now();

        while (al_now() == began) {
            (void)al_sem_give(&full); /* a lock, and no more */
        }
        left_at = (uint32_t)al_now();
        al_sleep(1);
    }
    CHECK(late <= ROUNDS / 10, "%u of %u times late", (unsigned)late,
            (unsigned)rounds);
    test_done();
}

AL_TASK(sleeper, sleeper_main, 2, 768);
AL_TASK(worker, worker_main, 5, 2048);
