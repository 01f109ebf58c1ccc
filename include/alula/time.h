/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Time. One tick is 1/AL_TICK_HZ s; al_time counts ticks since boot in 64 bits
 * and does not wrap within the life of a device. A sleep of n ticks ends at
 * the n-th tick after the call: it lasts more than n-1 and at most n periods.
 *
 * A deadline is a moment, absolute, in ticks since boot. A wait ends with
 * AL_E_TIMEOUT at the tick at which the time is the deadline or later:
 *
 *   AL_FOREVER   never
 *   AL_POLL      at once: what is there is taken, nothing is waited for
 *   al_in(n)     n ticks from now
 *   any other    then; a moment that lies in the past is AL_POLL
 *
 * Where a deadline and what is waited for come at one time, what came first
 * under the kernel lock decides, and a unit, an item or a lock that was given
 * before the deadline's tick was dealt with is delivered: the wait ends with
 * AL_OK. A wait that ends with AL_E_TIMEOUT has taken nothing.
 */

#include <alula/status.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

#define AL_TICK_HZ AL_CFG_TICK_HZ

#define AL_POLL    ((al_time)0)
#define AL_FOREVER (~(al_time)0)

/**
 * Read the time.
 *
 * @context   any
 * @return    ticks since boot; never torn, never runs backwards
 * @cost      constant, but for one repeat for each tick that comes between
 */
al_time al_now(void);

/**
 * Name the moment `ticks` ticks from now.
 *
 * @param[in] ticks  0 .. 2^32-1
 * @context   any
 * @return    a deadline
 */
static inline al_time al_in(uint32_t ticks)
{
    return al_now() + ticks;
}

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
 * @param[in] when   a deadline; the past returns at once, AL_FOREVER never
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

/*
 * A periodic release: a task that does its work once in each period. In the
 * task's own memory; a restarted task starts it again.
 */
struct al_period {
    al_time release; /* the next one */
    uint32_t ticks;  /* from release to release; at least 1 */
    uint32_t missed; /* releases that passed while the task was still at work */
};

/**
 * Begin a series of releases: the first is one period from now.
 *
 * @param[out] period  the task's alone
 * @param[in] ticks    1 .. 2^31
 * @context   task
 * @panics    TIME.1  0 ticks
 */
void al_period_start(struct al_period *period, uint32_t ticks);

/**
 * Wait for the next release.
 *
 * @context   task; may switch, waits
 * @return    AL_OK         the release is now
 * @return    AL_E_OVERRUN  the release, and perhaps more, had passed already:
 *                          `missed` has grown by their number, the next release
 *                          is the first one that lies ahead, and this returns
 *                          at once
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TIME.1  never started
 * @cost      as al_sleep_until(); after an overrun 32 steps more
 */
al_status al_period_wait(struct al_period *period);

AL_EXTERN_C_END
