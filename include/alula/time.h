/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Time. One tick is 1/AL_TICK_HZ s; al_time counts ticks since boot in 64 bits
 * and does not wrap within the life of a device. A sleep of n ticks ends at
 * the n-th tick after the call: it lasts more than n-1 and at most n periods.
 * A moment that lies in the past is due at once.
 */

#include <alula/types.h>

AL_EXTERN_C_BEGIN

#define AL_TICK_HZ 1000u

/**
 * Read the time.
 *
 * @context   any
 * @return    ticks since boot; never torn, never runs backwards
 * @cost      constant, but for one repeat for each tick that comes between
 */
al_time al_now(void);

/**
 * Let the calling task sleep for `ticks` ticks.
 *
 * @param[in] ticks  0 returns at once, without giving way
 * @context   task; may switch, waits
 * @panics    TASK.1  called from an interrupt handler
 * @unwind    the sleep is cancelled
 * @cost      bounded: at most 32 steps through the timer tree
 */
void al_sleep(uint32_t ticks);

/**
 * Let the calling task sleep until the time is `when` or later.
 *
 * @param[in] when   absolute, in ticks since boot; the past returns at once
 * @context   task; may switch, waits
 * @panics    TASK.1  called from an interrupt handler
 * @unwind    the sleep is cancelled
 * @cost      bounded: at most 32 steps through the timer tree
 */
void al_sleep_until(al_time when);

/* The most that al_time_skip() adds at a time. */
#define AL_TIME_SKIP_MAX 0x3fffffffu

/**
 * Add `ticks` ticks that the tick's interrupt has not counted: after a stop
 * mode in which the processor's clocks stood still, for as long as a clock of
 * the application's says. Sleepers whose time has come by then wake at once, in
 * the order of their deadlines.
 *
 * Not for interrupts that were masked, or a processor that waited with its
 * clocks on: what the kernel's counter counts (docs/design/05-time.md) is made
 * up for by itself.
 *
 * @param[in] ticks  0 .. AL_TIME_SKIP_MAX; more takes several calls
 * @context   task; may switch. With interrupts masked it takes effect when
 *            they are open again
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TIME.8  more than AL_TIME_SKIP_MAX, together with what is skipped
 *                    and has not taken effect yet
 * @cost      constant, and a tick
 */
void al_time_skip(uint32_t ticks);

AL_EXTERN_C_END
