/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The clock, and tasks that sleep.
 */

#include <alula/task.h>
#include <alula/time.h>

/* Before the first tick. */
void time_boot(void);

/*
 * The tick starts: `counter` is what the port's free-running counter shows, and
 * a tick lasts `counts` of it.
 */
void time_start(uint32_t counter, uint32_t counts);

/*
 * One tick has passed, or more, if the counter says so. Called by the port's
 * tick handler, and by nobody else: the clock has one writer.
 */
void time_tick(uint32_t counter);

/* al_now() for the kernel itself, which must not trap at a stack check. */
al_time time_now(void);

/*
 * Take the current task, which the caller has taken out of the ready queue,
 * through a sleep until `when`; lets go of the lock, and comes back awake.
 */
void time_sleep_held(al_time when);

/*
 * For tests; no image of a product refers to them, so none contains them. Set
 * the time and the index of the clock, and what the counter shows: nobody may
 * sleep, and no tick may come in between. And: ticks come by hand, each counts as one until the next time
 * that is skipped.
 */
void al_time_test_set(al_time now, uint32_t index, uint32_t counter);
void al_time_test_by_hand(void);
