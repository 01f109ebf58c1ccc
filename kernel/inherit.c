/* SPDX-License-Identifier: MIT */
/*
 * Priority inheritance.
 *
 * Invariants under the lock: a mutex is in the list of the task that holds it
 * exactly if a task waits for it; the lists are sorted, most urgent waiter
 * first, with one mutex of each priority in the list, its level, and the others
 * of that priority behind it by `peer`; a task's prio is the larger of its base_prio and the prio of the first
 * waiter of its first contended mutex.
 *
 * A ring of tasks that wait for each other ends: nobody in it deserves more
 * the second time.
 */
#include "inherit.h"

#include "core/wait.h"
#include "sched.h"
#include "softlock.h"
#include "weak.h"

/* `mutex` takes the place to which *link points. */
static void put(struct al_mutex **link, struct al_mutex *mutex)
{
    *link = mutex;
    if (mutex != NULL) {
        mutex->link = link;
    }
}

void inherit_remove_held(struct al_mutex *mutex)
{
    struct al_mutex *heir = mutex->peer;

    if (mutex->link == NULL) {
        return;
    }
    if (mutex->next == mutex || heir == NULL) {
        put(mutex->link, mutex->next == mutex ? heir : mutex->next);
    } else {
        put(mutex->link, heir);
        put(&heir->next, mutex->next);
    }
    mutex->link = NULL;
}

/* Behind those of more urgent levels, or beside the first of its own. */
static inline void enter(
        struct al_mutex **link, struct al_mutex *mutex, uint8_t prio)
{
    struct al_mutex *first = *link;

    while (first != NULL && first->waiters.head->prio > prio) {
        link = &first->next;
        first = *link;
    }
    if (first != NULL && first->waiters.head->prio == prio) {
        mutex->next = mutex;
        put(&mutex->peer, first->peer);
        put(&first->peer, mutex);
        return;
    }
    mutex->peer = NULL;
    put(&mutex->next, first);
    put(link, mutex);
}

static inline bool is_alone(
        const struct al_mutex *mutex, const struct al_task *owner)
{
    return mutex->link == &owner->contended && mutex->next == NULL &&
           mutex->peer == NULL;
}

void inherit_place_held(struct al_mutex *mutex, struct al_task *owner)
{
    const struct al_task *waiter = wait_first_held(&mutex->waiters);

    if (mutex->link != NULL) {
        if (waiter != NULL && is_alone(mutex, owner)) {
            return;
        }
        inherit_remove_held(mutex);
    }
    if (waiter != NULL) {
        enter(&owner->contended, mutex, waiter->prio);
    }
}

static uint8_t deserved_held(const struct al_task *task)
{
    uint8_t prio = task->base_prio;

    if (task->contended != NULL) {
        const struct al_task *waiter =
                wait_first_held(&task->contended->waiters);

        if (waiter->prio > prio) {
            prio = waiter->prio;
        }
    }
    return prio;
}

/* One link; the next task of the chain, or NULL. */
static struct al_task *step_held(struct al_task *task)
{
    struct al_mutex *wants = task->wants;

    sched_set_prio_held(task, deserved_held(task));
    if (wants == NULL) {
        return NULL;
    }
    task = inherit_owner(wants);
    inherit_place_held(wants, task);
    return task;
}

void inherit_update_held(struct al_task *task)
{
    while (task != NULL && task->prio != deserved_held(task)) {
        if (task->wants != NULL && !softlock_inbox_is_empty()) {
            softlock_irq_post(&task->post); /* others first, then the rest */
            return;
        }
        task = step_held(task);
    }
}

static struct al_task *task_of(struct al_post *post)
{
    return (struct al_task *)(void *)((char *)post -
                                      offsetof(struct al_task, post));
}

void inherit_settle_held(struct al_post *post)
{
    inherit_update_held(task_of(post));
}

int inherit_urgency_held(struct al_post *post)
{
    const struct al_task *task = task_of(post);
    uint8_t prio = deserved_held(task);

    if (prio == task->prio) {
        return SOFTLOCK_NOW;
    }
    return prio > task->prio ? prio : task->prio;
}

WEAK_VALUE(bool, inherit_release_lost_held, struct al_task, false)

void inherit_end(struct al_task *self)
{
    bool more;

    do {
        softlock_take();
        more = inherit_release_lost_held(self);
        inherit_update_held(self);
        (void)softlock_leave_and_switch(AL_OK);
    } while (more);
}

LINKED(inherit)
