/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Mutexes with priority inheritance. While a more urgent task waits, the
 * holder runs at that task's priority, along the whole chain of holders that
 * wait in turn. A task that dies while it holds one leaves it free and
 * poisoned: whoever takes it next holds it and is told.
 *
 * Not here: recursive mutexes, deadlines.
 */

#include <alula/scope.h>
#include <alula/status.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* Fields belong to the kernel; define one with AL_MUTEX_INIT. */
struct al_mutex {
    struct al_scope scope; /* in the holder's chain; the holder's alone */
    /* Atomic; holder's address, bit 0: tasks wait, bit 1: the last holder died
     * with it. */
    uintptr_t owner;
    struct al_waitq waiters; /* under the kernel lock */
};

#define AL_MUTEX_INIT                          \
  {                                            \
    {NULL, NULL, NULL, NULL}, 0, AL_WAITQ_INIT \
  }

/**
 * Take `mutex`; wait while another task holds it.
 *
 * @param[in,out] mutex  must outlive its holders
 * @context   task; may switch, waits
 * @return    AL_OK          the caller holds it
 * @return    AL_E_POISONED  the caller holds it; the last holder died with it
 * @panics    MUTEX.1        called from an interrupt handler
 * @panics    MUTEX.2        the caller holds it already
 * @unwind    released and poisoned when the holder dies, newest first
 * @cost      constant when free; else one bounded step per distinct priority
 *            among the waiters and per link of the chain of holders
 */
AL_MUST_USE al_status al_mutex_lock(struct al_mutex *mutex);

/**
 * Take `mutex` if it is free.
 *
 * @context   task
 * @return    AL_OK          the caller holds it
 * @return    AL_E_POISONED  the caller holds it; the last holder died with it
 * @return    AL_E_BUSY      another task, or the caller, holds it
 * @panics    MUTEX.1        called from an interrupt handler
 * @cost      constant
 */
AL_MUST_USE al_status al_mutex_try_lock(struct al_mutex *mutex);

/**
 * Release `mutex`; the most urgent waiter gets it.
 *
 * @context   task; may switch
 * @panics    MUTEX.1        called from an interrupt handler
 * @panics    MUTEX.3        the caller does not hold it
 * @cost      constant for the newest mutex that the caller holds; else one
 *            step per mutex taken after it
 */
void al_mutex_unlock(struct al_mutex *mutex);

/**
 * Say that the data behind `mutex` is right again.
 *
 * @context   task
 * @panics    MUTEX.3  the caller does not hold it
 */
void al_mutex_heal(struct al_mutex *mutex);

/**
 * Tell whether some task holds `mutex`.
 *
 * @context   any
 */
bool al_mutex_is_held(const struct al_mutex *mutex);

/**
 * Tell whether the calling task holds `mutex`.
 *
 * @context   task
 */
bool al_mutex_is_mine(const struct al_mutex *mutex);

/* Closes AL_LOCK_SCOPED; skips a lock that recovery has released already. */
void __al_mutex_close(struct al_mutex **mutex);

/**
 * Hold `mutex` until the end of the enclosing block, or of the task.
 *
 * @param[in] mutex   struct al_mutex *
 * @param[out] status al_status lvalue: what al_mutex_lock() returned
 */
#define AL_LOCK_SCOPED(mutex, status)                                    \
  __attribute__((cleanup(__al_mutex_close))) struct al_mutex *AL_UNIQUE( \
          al_lock_) = (mutex);                                           \
  (status) = al_mutex_lock(AL_UNIQUE(al_lock_))

AL_EXTERN_C_END
