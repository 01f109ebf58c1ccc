/* SPDX-License-Identifier: MIT */
/*
 * The ready queue: 32 rings and a bitmap of those that are not empty, all under
 * the kernel lock. A ring that has one member links to itself, so moving a lone
 * task writes no links.
 *
 * Invariants: bit p of ready_map is set exactly if ready[31-p] is not NULL;
 * every member of ring p has prio p and state AL_TASK_READY (or
 * AL_TASK_RECOVERING); the current task is the first of its ring whenever the
 * lock is free.
 */
#include "sched.h"

#include "wait.h"

AL_STATIC_ASSERT(AL_PRIO_LEVELS == 32, "one word of ready_map has 32 levels");

struct al_core al_core __attribute__((section(".bss.alula.state")));

static struct al_task **level_of(uint32_t prio)
{
    return &al_core.ready[AL_PRIO_LEVELS - 1 - prio];
}

static void ring_append(struct al_task **first, struct al_task *task)
{
    struct al_task *head = *first;

    task->next = head;
    task->prev = head->prev;
    head->prev->next = task;
    head->prev = task;
}

void sched_insert_held(struct al_task *task)
{
    struct al_task **first = level_of(task->prio);

    if (*first != NULL) {
        ring_append(first, task);
        return;
    }
    task->next = task;
    task->prev = task;
    *first = task;
    al_core.ready_map |= 1u << task->prio;
}

void sched_remove_held(struct al_task *task)
{
    struct al_task **first = level_of(task->prio);
    struct al_task *next = task->next;

    if (next == task) {
        *first = NULL;
        al_core.ready_map &= ~(1u << task->prio);
        return;
    }
    next->prev = task->prev;
    task->prev->next = next;
    if (*first == task) {
        *first = next;
    }
}

void sched_wake_held(struct al_task *task)
{
    task->state = AL_TASK_READY;
    sched_insert_held(task);
}

void sched_set_prio_held(struct al_task *task, uint8_t prio)
{
    struct al_waitq *queue = task->waitq;
    bool first;

    if (task->prio == prio) {
        return;
    }
    if (queue != NULL) {
        wait_remove_held(task);
        task->prio = prio;
        wait_insert_held(queue, task);
        return;
    }
    if (task->state != AL_TASK_READY && task->state != AL_TASK_RECOVERING) {
        task->prio = prio; /* asleep or held back: in no queue */
        return;
    }
    first = *level_of(task->prio) == task;
    sched_remove_held(task);
    task->prio = prio;
    sched_insert_held(task);
    if (first) {
        *level_of(prio) = task;
    }
}
