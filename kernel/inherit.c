/* SPDX-License-Identifier: MIT */
/*
 * Priority inheritance.
 *
 * Invariants under the lock: a mutex is in the list of the task that holds it
 * exactly if a task waits for it; the lists are sorted, most urgent waiter
 * first; a task's prio is the larger of its base_prio and the prio of the first
 * waiter of its first contended mutex.
 *
 * A ring of tasks that wait for each other ends: nobody in it deserves more
 * the second time.
 */
#include "inherit.h"

#include "core/wait.h"
#include "sched.h"
#include "softlock.h"

void inherit_remove_held(struct al_mutex *mutex)
{
    if (mutex->link == NULL) {
        return;
    }
    *mutex->link = mutex->next;
    if (mutex->next != NULL) {
        mutex->next->link = mutex->link;
    }
    mutex->link = NULL;
}

void inherit_place_held(struct al_mutex *mutex, struct al_task *owner)
{
    const struct al_task *waiter = wait_first_held(&mutex->waiters);
    struct al_mutex **link = &owner->contended;

    inherit_remove_held(mutex);
    if (waiter == NULL) {
        return;
    }
    while (*link != NULL &&
            wait_first_held(&(*link)->waiters)->prio > waiter->prio) {
        link = &(*link)->next;
    }
    mutex->link = link;
    mutex->next = *link;
    if (mutex->next != NULL) {
        mutex->next->link = &mutex->next;
    }
    *link = mutex;
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
