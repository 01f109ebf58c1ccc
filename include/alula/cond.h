/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Condition variables: a task that holds a mutex and finds that what it needs
 * is not so lets go of the mutex and waits, both at once, until another task
 * that has changed something says so; then it holds the mutex again.
 *
 *     al_status status = al_mutex_lock(&mutex);
 *     while (status == AL_OK && !there_is_work) {
 *         status = al_cond_wait(&cond, &mutex);
 *     }
 *
 * A signal is no unit that is kept: when nobody waits, it is gone. The condition
 * is looked at again after each wait, for another task may have come between.
 *
 * Not here: signals from interrupts. A handler that has something to say sets an
 * event (event.h), or gives a semaphore.
 */

#include <alula/mutex.h>
#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* Fields belong to the kernel; define one with AL_COND_INIT. All zeros is no
 * condition variable: using it is found out. */
struct al_cond {
    /* Who waits: bit 0 of `broadcasts` says where those that come now go; who
     * stands in the other one is being woken. All under the kernel lock. */
    struct al_waitq waiters[2];
    uint32_t broadcasts;
    uint32_t tag; /* AL_TAG(AL_KIND_COND); 0: destroyed */
};

#define AL_COND_INIT                                        \
  {                                                         \
    {AL_WAITQ_INIT, AL_WAITQ_INIT}, 0, AL_TAG(AL_KIND_COND) \
  }

/**
 * Make a condition variable at run time, in memory that is none.
 *
 * @param[out] cond  must outlive its users
 * @context   any
 */
void al_cond_init(struct al_cond *cond);

/**
 * End a condition variable. Tasks that wait for it take their mutex again and
 * get AL_E_DESTROYED.
 *
 * @context   task; may switch
 * @panics    COND.1  called from an interrupt handler
 * @panics    COND.2  no condition variable: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_cond_destroy(struct al_cond *cond);

/**
 * Let go of `mutex` and wait to be woken, as one step: no task that takes the
 * mutex after that can signal in vain. Then take the mutex again.
 *
 * @param[in,out] cond   must outlive every task that waits for it
 * @param[in,out] mutex  the caller holds it, once; at the return it does so
 *                       again, at the same place among all that it holds
 * @context   task; may switch, waits
 * @return    AL_OK           woken
 * @return    AL_E_POISONED   woken; the last holder of the mutex died with it
 * @return    AL_E_DESTROYED  the condition variable was destroyed while the
 *                            caller waited; it holds the mutex. Or the mutex
 *                            was: al_mutex_is_mine() is false then
 * @panics    COND.1  called from an interrupt handler
 * @panics    COND.2  no condition variable: destroyed, or never initialised
 * @panics    COND.3  the caller does not hold the mutex, or more than once
 * @unwind    a task that dies before it holds the mutex again leaves nothing,
 *            but the signal that woke it is used up
 * @cost      as al_mutex_unlock(), al_mutex_lock(), and one bounded step per
 *            distinct priority among the waiters
 */
AL_MUST_USE al_status al_cond_wait(
        struct al_cond *cond, struct al_mutex *mutex);

/**
 * The same, until a deadline. It limits the wait to be woken; the mutex is
 * taken again however long that takes. AL_POLL does not let go of the mutex.
 *
 * Where two statuses hold, the one that is told is the first of
 * AL_E_DESTROYED, AL_E_POISONED, AL_E_TIMEOUT: data that may be wrong must not
 * be used, whatever the time.
 *
 * @param[in] deadline  see time.h
 * @return    as al_cond_wait(), and
 * @return    AL_E_TIMEOUT    not woken before the deadline; the caller holds the
 *                            mutex
 * @panics    as al_cond_wait()
 */
AL_MUST_USE al_status al_cond_wait_until(
        struct al_cond *cond, struct al_mutex *mutex, al_time deadline);

/**
 * Wake the most urgent task that waits, if any. Whether the caller holds the
 * mutex does not matter.
 *
 * @context   task; may switch
 * @panics    COND.1  called from an interrupt handler
 * @panics    COND.2  no condition variable: destroyed, or never initialised
 * @cost      constant
 */
void al_cond_signal(struct al_cond *cond);

/**
 * Wake all tasks that wait now, most urgent first; none that comes to wait
 * later.
 *
 * @context   task; may switch
 * @panics    COND.1  called from an interrupt handler
 * @panics    COND.2  no condition variable: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_cond_broadcast(struct al_cond *cond);

AL_EXTERN_C_END
