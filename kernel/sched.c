/* SPDX-License-Identifier: MIT */
/*
 * The ready queue: 32 rings and a bitmap of those that are not empty, all under
 * the kernel lock.
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

extern inline struct al_task *sched_top_held(void);
extern inline struct al_task **sched_level_held(uint32_t prio);
extern inline void sched_insert_held(struct al_task *task);
extern inline void sched_remove_held(struct al_task *task);
extern inline void sched_wake_held(struct al_task *task);

void sched_append_held(struct al_task *task)
{
    struct al_task *head = *sched_level_held(task->prio);

    task->next = head;
    task->prev = head->prev;
    head->prev->next = task;
    head->prev = task;
}

void sched_unlink_held(struct al_task *task)
{
    struct al_task **first = sched_level_held(task->prio);
    struct al_task *next = task->next;

    next->prev = task->prev;
    task->prev->next = next;
    if (*first == task) {
        *first = next;
    }
    task->next = task;
    task->prev = task;
}

void sched_set_prio_held(struct al_task *task, uint8_t prio)
{
    bool first;

    if (task->prio == prio) {
        return;
    }
    if (task->waitq != NULL) {
        wait_set_prio_held(task, prio);
        return;
    }
    if (task->state != AL_TASK_READY && task->state != AL_TASK_RECOVERING) {
        task->prio = prio; /* asleep or held back: in no queue */
        return;
    }
    first = *sched_level_held(task->prio) == task;
    sched_remove_held(task);
    task->prio = prio;
    sched_insert_held(task);
    if (first) {
        *sched_level_held(prio) = task;
    }
}
