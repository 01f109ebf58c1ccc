/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Mutexes with priority inheritance. While a more urgent task waits, the
 * holder runs at that task's priority, along the whole chain of holders that
 * wait in turn; they may be released in any order. A task that dies while it
 * holds one leaves it free and poisoned: whoever takes it next holds it and is
 * told.
 *
 * A recursive one may be taken again by its holder, and is let go of by as many
 * unlocks. For libraries that need it; a plain one that is taken again is a
 * mistake, and found.
 *
 *   free <-> held [waited for] -> free, poisoned -> held, poisoned -> healed
 */

#include <alula/scope.h>
#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* Bits of the owner's word, beside the holder's address. */
#define AL_MUTEX_WAITED   1u /* tasks wait */
#define AL_MUTEX_POISONED 2u /* the last holder died with it */
#define AL_MUTEX_FREE     4u /* nobody holds it; if held: more than once */
#define AL_MUTEX_BITS     7u

/* Fields belong to the kernel; define one with AL_MUTEX_INIT. All zeros is no
 * mutex: taking it is found out. */
struct al_mutex {
    struct al_scope scope;   /* in the holder's chain; the holder's alone */
    uintptr_t owner;         /* atomic; holder's address and AL_MUTEX_... */
    struct al_waitq waiters; /* under the kernel lock */
    /* The holder's list of mutexes that are waited for; under the lock, see
     * kernel/inherit.c. */
    struct al_mutex *next;  /* less urgent; itself: not first of its level */
    struct al_mutex *peer;  /* as urgent */
    struct al_mutex **link; /* what points to this one; NULL: not in it */
    uint32_t tag;           /* AL_TAG(AL_KIND_MUTEX); 0: destroyed */
    uint16_t recursive;     /* const; 1: may be taken again */
    uint16_t again;         /* takes beyond the first; the holder's alone */
};

#define AL_MUTEX_INIT_(recursive)                                         \
  {                                                                       \
    {NULL, NULL, NULL, {NULL}}, AL_MUTEX_FREE, AL_WAITQ_INIT, NULL, NULL, \
            NULL, AL_TAG(AL_KIND_MUTEX), (recursive), 0                   \
  }
#define AL_MUTEX_INIT           AL_MUTEX_INIT_(0)
#define AL_MUTEX_INIT_RECURSIVE AL_MUTEX_INIT_(1)

/**
 * Make a mutex at run time, in memory that is none.
 *
 * @param[out] mutex     must outlive its users
 * @param[in] recursive  may its holder take it again?
 * @context   task
 */
void al_mutex_init(struct al_mutex *mutex, bool recursive);

/**
 * End a mutex. Tasks that wait for it get AL_E_DESTROYED.
 *
 * @context   task; may switch
 * @panics    MUTEX.1  called from an interrupt handler
 * @panics    MUTEX.4  another task holds it, or it is no mutex
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_mutex_destroy(struct al_mutex *mutex);

/**
 * Take `mutex`; wait while another task holds it.
 *
 * @param[in,out] mutex  must outlive its holders
 * @context   task; may switch, waits
 * @return    AL_OK           the caller holds it
 * @return    AL_E_POISONED   the caller holds it; the last holder died with it
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited
 * @panics    MUTEX.1         called from an interrupt handler
 * @panics    MUTEX.2         the caller holds it already, and it is plain
 * @panics    MUTEX.4         no mutex: destroyed, or never initialised
 * @unwind    released and poisoned when the holder dies, newest first
 * @cost      constant when free; else one bounded step per distinct priority
 *            among the waiters and per link of the chain of holders
 */
AL_MUST_USE al_status al_mutex_lock(struct al_mutex *mutex);

/**
 * The same, until a deadline.
 *
 * @param[in] deadline  see time.h
 * @context   task; may switch, waits
 * @return    as al_mutex_lock(), and
 * @return    AL_E_TIMEOUT    the caller does not hold it
 * @panics    as al_mutex_lock()
 */
AL_MUST_USE al_status al_mutex_lock_until(
        struct al_mutex *mutex, al_time deadline);

/**
 * Take `mutex` if it is free, or the caller's and recursive.
 *
 * @context   task
 * @return    AL_OK          the caller holds it
 * @return    AL_E_POISONED  the caller holds it; the last holder died with it
 * @return    AL_E_BUSY      another task, or the caller, holds it
 * @panics    MUTEX.1        called from an interrupt handler
 * @panics    MUTEX.4        no mutex: destroyed, or never initialised
 * @cost      constant
 */
AL_MUST_USE al_status al_mutex_try_lock(struct al_mutex *mutex);

/**
 * Release `mutex`; the most urgent waiter gets it.
 *
 * @context   task; may switch
 * @panics    MUTEX.1        called from an interrupt handler
 * @panics    MUTEX.3        the caller does not hold it
 * @cost      constant for the newest scope of the caller, and for one after
 *            which it took another mutex; else one step per scope opened since
 */
void al_mutex_unlock(struct al_mutex *mutex);

/**
 * Say that the data behind `mutex` is right again.
 *
 * @context   task
 * @panics    MUTEX.1  called from an interrupt handler
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
