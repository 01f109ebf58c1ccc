/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Queues of waiting tasks; the kernel lock is held in all of these. Pure list
 * work: who is made ready, and when a switch comes, is the scheduler's.
 */

#include <alula/task.h>
#include <alula/wait.h>

/* Queue `task` by its priority, behind its equals. */
void wait_insert_held(struct al_waitq *queue, struct al_task *task);

/* Take `task` out of the queue it is in. */
void wait_remove_held(struct al_task *task);

/* The most urgent task that waits longest, or NULL. */
static inline struct al_task *wait_first_held(const struct al_waitq *queue)
{
    return queue->head;
}
