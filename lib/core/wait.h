/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Queues of waiting tasks; the kernel lock is held in all of these. Pure list
 * work: who is made ready, and when a switch comes, is the scheduler's. A task
 * that is in no ring, here or in sched.h, links to itself.
 */

#include <alula/task.h>
#include <alula/wait.h>

/* The cases of the two below in which other tasks stand in the way; the first
 * serves without, too. waitq is the caller's to set. */
void wait_insert_among_held(struct al_waitq *queue, struct al_task *task);
void wait_unlink_held(struct al_task *task);

/* Queue `task`, which is in no ring, by its priority, behind its equals. */
inline void wait_insert_held(struct al_waitq *queue, struct al_task *task)
{
    task->waitq = queue;
    if (__builtin_expect(queue->head != NULL, 0)) {
        wait_insert_among_held(queue, task);
        return;
    }
    task->ring_next = NULL;
    task->ring_link = &queue->head;
    queue->head = task;
}

/* Take `task` out of the queue it is in. */
inline void wait_remove_held(struct al_task *task)
{
    struct al_task *below = task->ring_next;

    task->waitq = NULL;
    if (__builtin_expect(task->next != task, 0)) {
        wait_unlink_held(task);
        return;
    }
    *task->ring_link = below;
    if (below != NULL) {
        below->ring_link = task->ring_link;
    }
}

/* The event sets' (kernel/event.c): who waits in one of theirs has moved, or is
 * about to enter. Nothing where they are not in the image. */
void event_moved_held(struct al_waitq *queue);

/* Change the priority of a task that waits: behind its new equals. */
void wait_set_prio_held(struct al_task *task, uint8_t prio);

/* Who comes after `task` in its queue, or NULL. */
static inline struct al_task *wait_next_held(const struct al_task *task)
{
    struct al_task *next = task->next;

    /* Back at the first of its ring: on to the next ring. */
    return next->ring_link != NULL ? next->ring_next : next;
}

/* Does `task` wait longest of those of its priority? */
static inline bool wait_is_first_held(const struct al_task *task)
{
    return task->ring_link != NULL;
}

/* The most urgent task that waits longest, or NULL. */
static inline struct al_task *wait_first_held(const struct al_waitq *queue)
{
    return queue->head;
}
