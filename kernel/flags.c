/* SPDX-License-Identifier: MIT */
/*
 * Tasks for which being woken is not all: those that wait with a deadline, and
 * those that are suspended. An image that has neither does without this file,
 * and its wakes look for neither (sched.h).
 */
#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "stat.h"
#include "task.h"
#include "time.h"
#include "weak.h"

LINKED(flags)

void sched_wake_flagged_held(struct al_task *task)
{
    if ((task->flags & AL_FLAG_TIMED) != 0) {
        time_undo_deadline_held(task);
    }
    task->state = AL_TASK_READY;
    if ((task->flags & AL_FLAG_SUSPENDED) == 0) {
        sched_insert_held(task);
    }
}

/* ---- deadlines ---- */

/* For images without the module. */
SHARED_VALUE(bool, cancel_none, struct al_task, true)

#define CANCEL_NONE __attribute__((weak, alias("cancel_none")))

bool sem_cancel_held(struct al_task *task) CANCEL_NONE;
bool mutex_cancel_held(struct al_task *task) CANCEL_NONE;
bool cond_cancel_held(struct al_task *task) CANCEL_NONE;
bool event_cancel_held(struct al_task *task) CANCEL_NONE;
bool chan_cancel_held(struct al_task *task) CANCEL_NONE;
bool mailbox_cancel_held(struct al_task *task) CANCEL_NONE;
bool park_cancel_held(struct al_task *task) CANCEL_NONE;
bool spawn_cancel_held(struct al_task *task) CANCEL_NONE;
#define CANCEL(kind, function) \
  case AL_KIND_##kind:         \
    return (function)(task)

bool time_cancel_wait_held(struct al_task *task)
{
    switch ((enum al_kind)task->wait) {
        CANCEL(SEM, sem_cancel_held);
        CANCEL(MUTEX, mutex_cancel_held);
        CANCEL(COND, cond_cancel_held);
        CANCEL(EVENT, event_cancel_held);
        CANCEL(CHAN, chan_cancel_held);
        CANCEL(MAILBOX, mailbox_cancel_held);
        CANCEL(TASK, park_cancel_held);
        CANCEL(JOIN, spawn_cancel_held);
    case AL_KIND_NONE:
    case AL_KIND_TIMER:
    case AL_KIND_CLOCK:
    case AL_KIND_KILL:
    case AL_KIND_GUARD:
        break;
    }
    return true;
}

bool time_wait_over_held(struct al_task *task)
{
    if (!time_cancel_wait_held(task)) {
        return false;
    }
    arch_set_result(task, AL_E_TIMEOUT);
    stat_missed(task, 1);
    return true;
}

void time_deadline_held(struct al_task *task, al_time when)
{
    if (when != AL_FOREVER) {
        time_expiry_held(task, when);
    }
}

void time_wait_held(struct al_waitq *queue, enum al_kind kind, al_time deadline)
{
    time_wait_ever_held(queue, kind);
    if (AL_CFG_RECOVERY && __builtin_expect(!arch_is_static(queue), 0)) {
        stray_wait_held();
    }
    time_deadline_held(al_core.current, deadline);
}

/* ---- suspension ---- */

al_status al_task_suspend(struct al_task_id id)
{
    struct al_task *task;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    softlock_take();
    if (!task_id_lives(id)) {
        softlock_leave();
        return AL_E_STALE;
    }
    task = task_instance(id.task);
    if ((task->flags & AL_FLAG_SUSPENDED) == 0) {
        task->flags |= AL_FLAG_SUSPENDED;
        if (sched_is_ready(task)) {
            sched_remove_held(task);
        }
    }
    return softlock_leave_and_switch(AL_OK);
}

al_status al_task_resume(struct al_task_id id)
{
    struct al_task *task;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    softlock_take();
    task = task_instance(id.task);
    if (!task_id_lives(id) || (task->flags & AL_FLAG_SUSPENDED) == 0) {
        softlock_leave();
        return task_id_lives(id) ? AL_E_STATE : AL_E_STALE;
    }
    task->flags &= (uint8_t)~AL_FLAG_SUSPENDED;
    if (sched_is_ready(task)) {
        sched_insert_held(task);
    }
    return softlock_leave_and_switch(AL_OK);
}
