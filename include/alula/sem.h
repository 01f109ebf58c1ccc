/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counting semaphores, bounded above, given by tasks and by interrupts.
 *
 * The count is one atomic word that everybody writes: units free to take, or
 * minus the units that waiters still lack. An interrupt gives by adding one to
 * it, whatever else goes on, so it knows the outcome at once; only waking a
 * waiter needs the kernel lock, and if that is taken its holder does it before
 * it lets go. Waiters are served most urgent first, in order of arrival among
 * equals.
 */

#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* Fields belong to the kernel; define one with AL_SEM_INIT. All zeros is no
 * semaphore: using it is found out. */
struct al_sem {
    int32_t count;           /* atomic; below 0: units that waiters lack */
    int32_t max;             /* const after init; at least 1 */
    struct al_post post;     /* an interrupt asks the holder to wake waiters */
    struct al_waitq waiters; /* under the kernel lock */
    int32_t waiting;         /* tasks in `waiters`; under the kernel lock */
};

#define AL_SEM_INIT(initial, maximum)                                 \
  {                                                                   \
    (initial), (maximum), AL_POST_INIT(AL_KIND_SEM), AL_WAITQ_INIT, 0 \
  }

/**
 * Make a semaphore at run time, in memory that is none.
 *
 * @param[out] sem     must outlive its users
 * @param[in] initial  units free to take; 0 .. max
 * @param[in] max      bound; 1 .. 2^31-1
 * @context   any
 * @panics    SEM.4   initial or max out of range
 */
void al_sem_init(struct al_sem *sem, int32_t initial, int32_t max);

/**
 * End a semaphore. Tasks that wait for it get AL_E_DESTROYED; no interrupt may
 * use it any more (one that does is told).
 *
 * @context   task; may switch
 * @panics    SEM.1   called from an interrupt handler
 * @panics    SEM.3   no semaphore: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_sem_destroy(struct al_sem *sem);

/**
 * Take one unit of `sem`; wait while there is none.
 *
 * @param[in,out] sem  must outlive every task that waits for it
 * @context   task; may switch, waits
 * @panics    SEM.1   would wait in an interrupt handler
 * @panics    SEM.3   destroyed, also while the caller waits, or never
 *                    initialised
 * @unwind    a taken unit is not returned: use a scope where it must be
 * @cost      constant when free; blocking: one bounded step per distinct
 *            priority among the waiters
 */
void al_sem_take(struct al_sem *sem);

/**
 * The same, until a deadline.
 *
 * @param[in] deadline  see time.h
 * @context   task; may switch, waits
 * @return    AL_OK           one unit taken
 * @return    AL_E_TIMEOUT    none came before the deadline; nothing taken
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited
 * @panics    SEM.1   would wait in an interrupt handler
 * @panics    SEM.3   destroyed, or never initialised
 * @unwind    as al_sem_take()
 * @cost      as al_sem_take(), and at most 32 steps through the timer tree
 */
AL_MUST_USE al_status al_sem_take_until(struct al_sem *sem, al_time deadline);

/**
 * Take one unit of `sem` if there is one.
 *
 * @param[in,out] sem
 * @context   any
 * @return    AL_OK       one unit taken
 * @return    AL_E_EMPTY  there was none
 * @cost      constant
 */
AL_MUST_USE al_status al_sem_try_take(struct al_sem *sem);

/**
 * Give one unit to `sem`; the most urgent waiter gets it.
 *
 * @param[in,out] sem
 * @context   task; may switch
 * @return    AL_OK      given
 * @return    AL_E_FULL  the count is at its maximum; nothing changed
 * @panics    SEM.2   called from an interrupt handler while tasks wait, or when full
 * @panics    SEM.3   destroyed, or never initialised
 * @cost      constant
 */
al_status al_sem_give(struct al_sem *sem);

/**
 * The same, from an interrupt handler of any priority at any moment.
 *
 * @param[in,out] sem
 * @context   irq
 * @return    AL_OK      given, or left for the holder of the kernel lock, who
 *                       delivers it before it lets go: it cannot be lost
 * @return    AL_E_FULL  the count, with what is left, is at its maximum
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @cost      constant
 */
al_status al_irq_sem_give(struct al_sem *sem);

/**
 * Read the count.
 *
 * @context   any
 * @return    units free to take; 0 when tasks wait
 */
int32_t al_sem_count(const struct al_sem *sem);

AL_EXTERN_C_END
