/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ready queue and the decision who runs. One ring per priority level; the
 * running task stays in its ring, as the first, so that a preempted task keeps
 * its place. "A switch is needed" is a comparison of sched_top_held() with the
 * current task, made by whoever lets go of the kernel lock.
 */

#include <alula/task.h>

#include "arch.h"

/* The first task of the most urgent level that is not empty; idle always is. */
static inline struct al_task *sched_top_held(void)
{
    return al_core.ready[__builtin_clz(al_core.ready_map)];
}

/* Queue `task` behind its equals. */
void sched_insert_held(struct al_task *task);

/* Take `task` out of its ring. */
void sched_remove_held(struct al_task *task);

/* Make `task`, which waits in no queue any more, ready to run. */
void sched_wake_held(struct al_task *task);

/*
 * Change the effective priority of a task that is ready or waits. A running
 * task, and one that is ready, becomes the first of its new level if it
 * was the first of its old one, else the last.
 */
void sched_set_prio_held(struct al_task *task, uint8_t prio);
