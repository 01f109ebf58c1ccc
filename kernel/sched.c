/* SPDX-License-Identifier: MIT */
/*
 * The ready queue: a ring per level and a bitmap of those that are not empty,
 * of two steps when there are more than 32, all under the kernel lock.
 *
 * Invariants: a level's bit is set exactly if its ring is not empty; every
 * member of a ring has its priority, is not suspended, and is AL_TASK_READY or
 * AL_TASK_RECOVERING; the current task is the first of its ring whenever the
 * lock is free.
 */
#include "sched.h"

#include "core/wait.h"
#include "weak.h"

/* The last element makes it as long as there are levels. */
struct al_core al_core __attribute__((section(".bss.alula.state"))) = {
        .ready = {[AL_PRIO_LEVELS - 1] = NULL}};

uint32_t sched_groups[SCHED_GROUPS]
        __attribute__((section(".bss.alula.state")));

extern inline uint32_t sched_bit(uint32_t rank);
extern inline uint32_t sched_rank(uint32_t prio);
extern inline void sched_mark_held(uint32_t rank);
extern inline void sched_unmark_held(uint32_t rank);
extern inline struct al_task *sched_top_held(void);
extern inline al_status sched_give_way_held(al_status result);
extern inline struct al_task **sched_level_held(uint32_t prio);
extern inline void sched_insert_held(struct al_task *task);
extern inline void sched_remove_held(struct al_task *task);
extern inline void sched_wake_held(struct al_task *task);
extern inline void sched_look_again_held(void);

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

WEAK(sched_wake_flagged_held, struct al_task)

void sched_set_prio_held(struct al_task *task, uint8_t prio)
{
    bool first;

    sched_look_again_held();
    if ((task->flags & AL_FLAG_TIMED) != 0) {
        time_set_prio_held(task, prio);
    }
    if (task->waitq != NULL) {
        wait_set_prio_held(task, prio);
        return;
    }
    if (!sched_is_ready(task) || (task->flags & AL_FLAG_SUSPENDED) != 0) {
        task->prio = prio; /* in no queue */
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
