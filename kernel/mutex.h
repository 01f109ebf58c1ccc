/* SPDX-License-Identifier: MIT */
#pragma once

#include <alula/mutex.h>

/*
 * Poison the mutex whose scope this is: the current task died with it. Returns
 * false, and does nothing, when this is no mutex of that task.
 */
bool mutex_poison(struct al_scope *scope);

/*
 * Release the mutex whose scope this is, on behalf of the current task; the
 * scope is out of the task's chain already. Returns the same.
 */
bool mutex_abandon(struct al_scope *scope);

/*
 * For condition variables. Does the current task hold this mutex, and no more
 * than once?
 */
bool mutex_is_held_once(const struct al_mutex *mutex);

/* The first waiter, if any, gets what the current task lets go of; it is out of
 * that one's chain. The kernel lock is held. */
void mutex_release_held(struct al_mutex *mutex);

/* Take it again, as if it had been taken at stack pointer `entry_sp`; waits.
 * AL_OK, AL_E_POISONED, or AL_E_DESTROYED: not taken. */
al_status mutex_retake(struct al_mutex *mutex, uintptr_t entry_sp);

/* `newer`, of a mutex, is opened right after `older`: if that is of a mutex too,
 * it keeps a hint, which makes unlocking it flat while others are held. */
AL_INLINE void mutex_tell(struct al_scope *older, struct al_scope *newer)
{
    if (older != NULL && older->fn == NULL) {
        older->newer = newer;
    }
}

/*
 * lib/services/chain.c's. Take a mutex out of the current task's chain: the link
 * that led to it, NULL when none did. The opposite: what was taken last goes back
 * there.
 */
struct al_scope **mutex_unlink(struct al_mutex *mutex);
void mutex_put_back(struct al_mutex *mutex, struct al_scope **link);

/* The mutex that a scope without a function is part of. */
struct al_mutex *mutex_of(const struct al_scope *scope);
