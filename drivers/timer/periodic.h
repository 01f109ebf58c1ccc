/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A hardware timer that gives a semaphore in each period, and says how long ago
 * it should have done so. Times are in counts of the timer: BOARD_TIMER_HZ of
 * <board.h>.
 *
 * Not here: several of them, one-shot alarms (time.h has sleeps).
 */

#include <alula/sem.h>
#include <alula/types.h>

/**
 * Start the timer.
 *
 * @param[in,out] released  given once per period by the timer's interrupt
 * @param[in] counts        period, 16 .. 2^31-1
 * @context   task; once, before the other functions here
 */
void al_periodic_start(struct al_sem *released, uint32_t counts);

/**
 * Count the releases since the start; wraps at 2^32.
 *
 * @context   any
 */
uint32_t al_periodic_releases(void);

/**
 * Tell how many counts ago the newest release was due.
 *
 * @context   task
 * @return    includes the time for which its interrupt was held off, if any
 */
uint32_t al_periodic_elapsed(void);
