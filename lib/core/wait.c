/* SPDX-License-Identifier: MIT */
/*
 * A waiting queue is a list of rings, most urgent first; a ring holds the
 * waiters of one priority in order of arrival. Only the first task of a ring
 * is in the list: ring_link points to what points to it. So entering costs a
 * step per distinct priority, and leaving costs none.
 *
 * Not here: ready queues. Each level of those is one ring of the same kind.
 */
#include "core/wait.h"

extern inline void wait_insert_held(
        struct al_waitq *queue, struct al_task *task);
extern inline void wait_remove_held(struct al_task *task);

static void ring_open(struct al_task **link, struct al_task *task)
{
    task->ring_next = *link;
    if (*link != NULL) {
        (*link)->ring_link = &task->ring_next;
    }
    task->ring_link = link;
    *link = task;
}

void wait_insert_among_held(struct al_waitq *queue, struct al_task *task)
{
    struct al_task **link = &queue->head;
    struct al_task *first = *link;

    while (first != NULL && first->prio > task->prio) {
        link = &first->ring_next;
        first = *link;
    }
    if (first == NULL || first->prio != task->prio) {
        ring_open(link, task);
        return;
    }
    task->ring_link = NULL;
    task->next = first;
    task->prev = first->prev;
    first->prev->next = task;
    first->prev = task;
}

/* `heir` takes the place of `task` in the list of rings. */
static void ring_inherit(struct al_task *task, struct al_task *heir)
{
    heir->ring_next = task->ring_next;
    heir->ring_link = task->ring_link;
    *heir->ring_link = heir;
    if (heir->ring_next != NULL) {
        heir->ring_next->ring_link = &heir->ring_next;
    }
}

void wait_unlink_held(struct al_task *task)
{
    if (task->ring_link != NULL) {
        ring_inherit(task, task->next);
    }
    task->next->prev = task->prev;
    task->prev->next = task->next;
    task->next = task;
    task->prev = task;
}

static void moved_none(struct al_waitq *queue)
{
    (void)queue;
}

void event_moved_held(struct al_waitq *queue)
        __attribute__((weak, alias("moved_none")));

static bool is_alone(const struct al_waitq *queue, const struct al_task *task)
{
    return queue->head == task && task->next == task && task->ring_next == NULL;
}

void wait_set_prio_held(struct al_task *task, uint8_t prio)
{
    struct al_waitq *queue = task->waitq;

    if (task->wait == AL_KIND_EVENT) {
        event_moved_held(queue);
    }
    if (is_alone(queue, task)) {
        task->prio = prio;
        return;
    }
    wait_remove_held(task);
    task->prio = prio;
    task->waitq = queue;
    wait_insert_among_held(queue, task);
}
