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

AL_EXTERN_C_END
