/* SPDX-License-Identifier: MIT */
/*
 * Periodic releases: a task sleeps until the next one, and is told how many it
 * has overrun.
 *
 * Not here: the clock (time.c).
 */
#include "arch.h"
#include "panic.h"
#include "stat.h"
#include "time.h"

void al_period_start(struct al_period *period, uint32_t ticks)
{
    CALLER_MUST(TIME, 1, ticks > 0);
    period->ticks = ticks;
    period->missed = 0;
    period->release = time_now() + ticks;
}

/* Releases that have passed since the one that was `late` ticks ago, that one
 * among them, modulo 2^32; leaves in `late` how long ago the last one was. */
static uint32_t releases_in(al_time *late, uint32_t ticks)
{
    al_time step = (al_time)ticks << 32;
    uint32_t passed = 0;

    if (*late <= UINT32_MAX) {
        passed = (uint32_t)*late / ticks;
        *late -= passed * ticks;
        return passed + 1;
    }
    for (unsigned bit = 0; bit <= 32; bit++) {
        passed <<= 1;
        if (*late >= step) {
            *late -= step;
            passed |= 1;
        }
        step >>= 1;
    }
    return passed + 1;
}

al_status al_period_wait(struct al_period *period)
{
    al_time now = time_now();
    al_time late;
    uint32_t missed;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TIME, 1, period->ticks > 0);
    if (now <= period->release) {
        al_sleep_until(period->release);
        period->release += period->ticks;
        return AL_OK;
    }
    late = now - period->release;
    missed = releases_in(&late, period->ticks);
    period->missed += missed;
    stat_missed(al_core.current, missed);
    /* More than 2^33 periods are not counted out: the series starts anew. */
    period->release = now + period->ticks;
    if (late < period->ticks) {
        period->release -= late;
    }
    return AL_E_OVERRUN;
}
