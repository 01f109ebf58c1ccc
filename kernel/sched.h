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

/*
 * Where a level stands: rank 0 is the most urgent one. Up to 32 levels,
 * ready_map has a bit for each; above that, a bit for each group of 32, whose
 * own bits are in sched_groups. The highest bit is rank, or group, 0.
 */
#define SCHED_GROUPED (AL_PRIO_LEVELS > 32)
#define SCHED_GROUPS  ((AL_PRIO_LEVELS + 31) / 32)

/* Bytes count more than instructions. */
#ifdef __OPTIMIZE_SIZE__
#  define SCHED_SMALL true
#else
#  define SCHED_SMALL false
#endif

extern uint32_t sched_groups[SCHED_GROUPS];

/*
 * In the inbox's word: the newest post and all below it have been looked at, and
 * left behind a more urgent task that was woken. Whoever pushes another one
 * takes the bit along in its link.
 */
#define SCHED_LEFT ((uintptr_t)1)

inline uint32_t sched_bit(uint32_t rank)
{
    return SCHED_GROUPED ? 0x80000000u >> (rank & 31) : 1u << (31 - rank);
}

inline uint32_t sched_rank(uint32_t prio)
{
    return AL_PRIO_LEVELS - 1 - prio;
}

inline void sched_mark_held(uint32_t rank)
{
    if (SCHED_GROUPED) {
        sched_groups[rank / 32] |= sched_bit(rank);
        al_core.ready_map |= sched_bit(rank / 32);
    } else {
        al_core.ready_map |= sched_bit(rank);
    }
}

inline void sched_unmark_held(uint32_t rank)
{
    if (SCHED_GROUPED) {
        sched_groups[rank / 32] &= ~sched_bit(rank);
        if (sched_groups[rank / 32] == 0) {
            al_core.ready_map &= ~sched_bit(rank / 32);
        }
    } else {
        al_core.ready_map &= ~sched_bit(rank);
    }
}

/* The first task of the most urgent level that is not empty; idle always is. */
inline struct al_task *sched_top_held(void)
{
    uint32_t rank = (uint32_t)__builtin_clz(al_core.ready_map);

    if (SCHED_GROUPED) {
        rank = rank * 32 + (uint32_t)__builtin_clz(sched_groups[rank]);
    }
    return al_core.ready[rank];
}

/* The current task, which has left the ready queue, gives way; returns what
 * arch_switch() does. */
inline al_status sched_give_way_held(al_status result)
{
    return arch_switch(result, sched_top_held());
}

/* The first of a level; NULL when it is empty. */
inline struct al_task **sched_level_held(uint32_t prio)
{
    return &al_core.ready[sched_rank(prio)];
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
    sched_mark_held(sched_rank(prio));
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
    sched_unmark_held(sched_rank(prio));
}

/* The case of the next one in which a deadline ends with the wait, or the task
 * is suspended. */
void sched_wake_flagged_held(struct al_task *task);

/* For the above, the clock's: take the task's timer out of the tree. */
void time_undo_deadline_held(struct al_task *task);

/* And: the priority of a task with a timer in the tree changes. */
void time_set_prio_held(const struct al_task *task, uint32_t prio);

/* For the next one, the lock's: takes SCHED_LEFT off the inbox. */
void softlock_look_again(void);

/* What was left behind may be more urgent now than who runs: who lets go of the
 * lock looks at it. */
inline void sched_look_again_held(void)
{
    if (__builtin_expect(((uintptr_t)al_core.inbox & SCHED_LEFT) != 0, 0)) {
        softlock_look_again();
    }
}

/* Can a task be suspended, or woken before its deadline? Not in an image that
 * has no flags.c. */
bool flags_is_linked(void);

/* Make `task`, which waits in no queue any more, ready to run. */
inline void sched_wake_held(struct al_task *task)
{
    if ((!SCHED_SMALL || flags_is_linked()) &&
            __builtin_expect(
                    (task->flags & (AL_FLAG_TIMED | AL_FLAG_SUSPENDED)) != 0,
                    0)) {
        sched_wake_flagged_held(task);
        return;
    }
    task->state = AL_TASK_READY;
    sched_insert_held(task);
}

/* Is it in the ready queue? Of a task that is not suspended. */
static inline bool sched_is_ready(const struct al_task *task)
{
    return task->state == AL_TASK_READY || task->state == AL_TASK_RECOVERING;
}

/*
 * Change the effective priority of a task, whatever it does. One that waits
 * goes behind its new equals. The running task becomes the first of its new
 * level, for it goes on if nobody is more urgent; one that is ready stays the
 * first if it was the first of its level, else becomes the last.
 */
void sched_set_prio_held(struct al_task *task, uint8_t prio);
