/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ready queue and the decision who runs. One ring per priority level; the
 * running task stays in its ring, as the first, so that a preempted task keeps
 * its place. "A switch is needed" is a comparison of sched_top_held() with the
 * current task, made by whoever lets go of the kernel lock.
 *
 * A task in no ring, here or in wait.h, links to itself: what is alone in its
 * ring moves to another place without a store to its links.
 */

#include <alula/task.h>

#include "arch.h"

/* The first task of the most urgent level that is not empty; idle always is. */
inline struct al_task *sched_top_held(void)
{
    return al_core.ready[__builtin_clz(al_core.ready_map)];
}

/* The first of a level; NULL when it is empty. */
inline struct al_task **sched_level_held(uint32_t prio)
{
    return &al_core.ready[AL_PRIO_LEVELS - 1 - prio];
}

/* The cases of the two below in which a level has other tasks. */
void sched_append_held(struct al_task *task);
void sched_unlink_held(struct al_task *task);

/* Queue `task`, which is in no ring, behind its equals. */
inline void sched_insert_held(struct al_task *task)
{
    uint32_t prio = task->prio;
    struct al_task **first = sched_level_held(prio);

    if (__builtin_expect(*first != NULL, 0)) {
        sched_append_held(task);
        return;
    }
    *first = task; /* a task in no ring links to itself */
    al_core.ready_map |= 1u << prio;
}

/* Take `task` out of its ring. */
inline void sched_remove_held(struct al_task *task)
{
    uint32_t prio = task->prio;

    if (__builtin_expect(task->next != task, 0)) {
        sched_unlink_held(task);
        return;
    }
    *sched_level_held(prio) = NULL;
    al_core.ready_map &= ~(1u << prio);
}

/* Make `task`, which waits in no queue any more, ready to run. */
inline void sched_wake_held(struct al_task *task)
{
    task->state = AL_TASK_READY;
    sched_insert_held(task);
}

/*
 * Change the effective priority of a task that is ready or waits. A running
 * task, and one that is ready, becomes the first of its new level if it
 * was the first of its old one, else the last.
 */
void sched_set_prio_held(struct al_task *task, uint8_t prio);
