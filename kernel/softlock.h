/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel lock: one word, taken and let go by plain stores, because
 * whoever can come in between (an interrupt) ends before the holder goes on.
 *
 * An interrupt that finds it taken leaves a post on the object itself and puts
 * the object on the inbox, at most once. The holder looks at the inbox after it
 * has let go, and if something is there asks for the switch exception, which
 * takes the lock, does what the posts say, and switches if it must:
 *
 *     holder                          interrupt
 *     locked = 0                      locked? no: do it all oneself
 *     inbox empty? no: ask            yes: post
 *
 * An interrupt before the store has posted, and the look after the store sees
 * it; one after the store does everything itself. Nothing is lost, and no
 * instruction masks anything. The switch exception is below every interrupt and
 * above every task: posts are done as soon as the lock is free and no handler
 * runs, on the interrupt stack, whoever held the lock.
 *
 * Not here: waiting for the lock. Nobody ever does: tasks are switched only by
 * its holder.
 */

#include <alula/config.h>
#include <alula/task.h>
#include <alula/wait.h>

#include <limits.h>

#include "arch.h"
#include "sched.h"

/* Compiler barriers only: one core, and handlers nest. The volatile accesses
 * keep their order among each other, AL_BARRIER the plain ones inside. */
static inline void softlock_take(void)
{
    *(volatile uint32_t *)&al_core.locked = 1;
    AL_BARRIER();
}

/*
 * The same in a handler that found it free. The word says where in the stack:
 * a handler that dies has its lock with it, or one below has it.
 */
static inline void softlock_irq_take(void)
{
    *(volatile uint32_t *)&al_core.locked = arch_sp();
    AL_BARRIER();
}

static inline bool softlock_is_taken(void)
{
    return *(volatile uint32_t *)&al_core.locked != 0;
}

/* Lets go without a look at the inbox: only where the caller looks next, or a
 * failed attempt starts again. */
inline void softlock_clear(void)
{
    AL_BARRIER();
    *(volatile uint32_t *)&al_core.locked = 0;
    AL_BARRIER();
}

inline bool softlock_inbox_is_empty(void)
{
    return *(struct al_post *volatile *)&al_core.inbox == NULL;
}

/* Is there something that nobody has looked at? */
inline bool softlock_inbox_is_new(void)
{
    uintptr_t newest = (uintptr_t) * (struct al_post *volatile *)&al_core.inbox;

    return newest != 0 && (newest & SCHED_LEFT) == 0;
}

/*
 * What a post asks for, by its kind: owned here, defined by the modules whose
 * objects are posted; where such a module is not in the image, nothing is. The
 * lock is held. All of them do what is owed, however often they are called.
 */
void sem_settle_held(struct al_post *post);
void chan_settle_held(struct al_post *post);
void mailbox_settle_held(struct al_post *post);
void timer_settle_held(struct al_post *post);
void park_settle_held(struct al_post *post);
void inherit_settle_held(struct al_post *post);

/*
 * What goes on in steps may be left behind a more urgent task. Its urgency is
 * the priority of the most urgent task that it may wake or move, or
 * SOFTLOCK_NOW; a step says whether there is more to do. The lock is held.
 */
#define SOFTLOCK_NOW INT_MAX

bool time_step_held(void);
bool event_step_held(struct al_post *post);
int time_urgency_held(void);
int event_urgency_held(struct al_post *post);
int inherit_urgency_held(struct al_post *post);

/* Are the modules in the image that post, or go on in steps, without handlers? */
bool event_is_linked(void);
bool inherit_is_linked(void);
bool chan_is_linked(void);

/* Can there be a handler that posts, beside the tick's? */
#define SOFTLOCK_HANDLERS (AL_CFG_IRQ_LINES > 0)

/* The rest of the next one, where something is on the inbox. */
void softlock_look(void);

/*
 * A task lets go of the lock, having made no other task more urgent than
 * itself: no switch but for what posts ask.
 */
inline void softlock_leave(void)
{
    softlock_clear();
    if (SCHED_SMALL || __builtin_expect(!softlock_inbox_is_empty(), 0)) {
        softlock_look();
    }
}

/*
 * A task lets go of the lock and gives way if a more urgent task is ready.
 * Returns `result`: whoever has nothing to do but return does it by a jump.
 */
inline al_status softlock_leave_and_switch(al_status result)
{
    struct al_task *top = sched_top_held();

    /* A switch to itself lets go as well: fewer bytes, more instructions. */
    if (__builtin_expect(SCHED_SMALL || top != al_core.current, 1)) {
        return arch_switch(result, top);
    }
    softlock_leave();
    return result;
}

/*
 * A handler lets go of the lock that it found free and took; a switch that is
 * needed comes when the last handler ends.
 */
static inline void softlock_irq_leave(void)
{
    bool behind = sched_top_held() != al_core.current;

    softlock_clear();
    if (behind || softlock_inbox_is_new()) {
        arch_pend_switch_irq();
    }
}

/*
 * A handler that found the lock taken asks its holder to look at `post`.
 * Constant, but for one repeat per handler that comes in between.
 */
void softlock_irq_post(struct al_post *post);

/*
 * Comes back when `post` is on no inbox and in nobody's hands: its object may
 * go. Interrupts post it no more. In a task, lock free.
 */
void softlock_forget(const struct al_post *post);

/*
 * For the port's switch exception, lock held: do what the posts say, until the
 * inbox is empty, or holds only what the task that is to be switched to goes
 * before (softlock.c).
 */
void softlock_drain_held(void);

/* For the port: to be posted by a switch request that comes in the lock. */
extern struct al_post al_resched_post;
