/* SPDX-License-Identifier: MIT */
/*
 * Parking: a task waits for a word to itself. `woken` is set by whoever wakes
 * it, task or handler, and cleared by the task when it parks, or for it when it
 * is woken: a wake is never lost, and two are as one.
 */
#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"
#include "time.h"

static struct al_task *task_of(struct al_post *post)
{
    return (struct al_task *)(void *)((char *)post -
                                      offsetof(struct al_task, post));
}

/* Takes the word, if it is there. */
static bool woken_take(struct al_task *task)
{
    uint32_t woken;

    do {
        woken = (uint32_t)arch_load_linked(&task->woken);
    } while (!arch_store_if(&task->woken, 0));
    return woken != 0;
}

static void woken_set(struct al_task *task)
{
    *(volatile uint32_t *)&task->woken = 1;
    AL_BARRIER();
}

static void settle_held(struct al_task *task)
{
    if (task->state == AL_TASK_WAITING && task->wait == AL_KIND_TASK &&
            woken_take(task)) {
        sched_wake_held(task);
    }
}

/* A raw handler wakes the block that the task is named by. */
void park_settle_held(struct al_post *post)
{
    struct al_task *named = task_of(post);
    struct al_task *task = task_instance(named);

    if (task != named && woken_take(named)) {
        woken_set(task);
    }
    settle_held(task);
}

/* Its deadline passed, perhaps together with a wake. */
bool park_cancel_held(struct al_task *task)
{
    settle_held(task);
    return task->state == AL_TASK_WAITING;
}

al_status al_task_park(al_time deadline)
{
    struct al_task *self = al_core.current;
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    bool woken;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    softlock_take();
    woken = woken_take(self);
    if (woken || past) {
        softlock_leave();
        return woken ? AL_OK : AL_E_TIMEOUT;
    }
    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    self->wait = AL_KIND_TASK;
    /* A handler that set the word since found the lock taken, and has posted:
     * who drains the inbox finds this task waiting. */
    time_deadline_held(self, deadline);
    return sched_give_way_held(AL_OK);
}

/* A software timer wakes it; false: it has ended. */
bool park_wake_held(struct al_task_id id)
{
    struct al_task *task;

    if (!task_id_is_sane(id) || !task_id_lives(id)) {
        return false;
    }
    task = task_instance(id.task);
    woken_set(task);
    settle_held(task);
    return true;
}

al_status al_task_wake(struct al_task_id id)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    softlock_take();
    if (!park_wake_held(id)) {
        softlock_leave();
        return AL_E_STALE;
    }
    return softlock_leave_and_switch(AL_OK);
}

al_status al_irq_task_wake(struct al_task_id id)
{
    struct al_task *task;

    if (!task_id_is_sane(id) || !task_id_lives(id)) {
        return AL_E_STALE;
    }
    task = task_instance(id.task);
    woken_set(task);
    if (softlock_is_taken()) {
        softlock_irq_post(&task->post);
        return AL_OK;
    }
    softlock_irq_take();
    settle_held(task);
    softlock_irq_leave();
    return AL_OK;
}
