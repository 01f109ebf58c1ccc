/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Priority inheritance: which mutexes that a task holds are waited for, and
 * what the task runs at for it. The kernel lock is held in all of these.
 *
 * A task's list of contended mutexes stands in the order of their most urgent
 * waiters, so that what it deserves is read off the first, and letting go of a
 * mutex is a step, whatever else it holds. Those whose waiters are as urgent
 * stand beside each other: entering is a step per distinct priority.
 */

#include <alula/mutex.h>
#include <alula/task.h>

/* Put `mutex`, held by `owner`, into the list at its place, or out of it when
 * nobody waits. One step per distinct priority that is more urgent. */
void inherit_place_held(struct al_mutex *mutex, struct al_task *owner);

/* Take `mutex` out of its holder's list; nothing when it is in none. */
void inherit_remove_held(struct al_mutex *mutex);

/*
 * Let `task` run at what it deserves: the largest of its own priority and those
 * of the tasks that wait for what it holds; then the holder of what it waits
 * for, and so on: a step per link.
 */
void inherit_update_held(struct al_task *task);

/*
 * Let `self`, the current task, which has no scope left, run at its own
 * priority; what it still holds is released: mutexes that went with a damaged
 * chain and that others wait for. The lock is free; a step per mutex, others
 * may run in between. Nothing in an image in which no priority changes.
 */
void inherit_end(struct al_task *self);

/* For mutex.c: release one of those; false: there is none (weak.h). */
bool inherit_release_lost_held(struct al_task *self);

/* The task that holds `mutex`; NULL: none. */
static inline struct al_task *inherit_owner(const struct al_mutex *mutex)
{
    uintptr_t owner = *(const volatile uintptr_t *)&mutex->owner;

    return (struct al_task *)(owner & ~(uintptr_t)AL_MUTEX_BITS);
}
