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
 * One tick has passed. Called by the port's tick handler, and by nobody else:
 * the clock has one writer.
 */
void time_tick(void);

/* al_now() for the kernel itself, which must not trap at a stack check. */
al_time time_now(void);

/*
 * Take the current task, which the caller has taken out of the ready queue,
 * through a sleep until `when`; lets go of the lock, and comes back awake.
 */
void time_sleep_held(al_time when);
