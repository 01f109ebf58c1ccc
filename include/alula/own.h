/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is a task's for the rest of a block, and is given back at its end or at
 * the task's death in it, before what the task opened earlier:
 *
 *     AL_SEM_SCOPED(&slots, status, AL_FOREVER);   a unit: given back
 *     AL_TIMER_SCOPED(&blink);                     a timer: stopped
 *     AL_IRQ_SCOPED(UART_LINE, AL_PRIO_IRQ(2));    a line: disabled
 *
 *     struct al_task_id child = {0};
 *     AL_TASK_SCOPED(&child);                      a task: killed, and joined
 *     status = al_task_spawn(&params, &child);
 *
 * and objects in its own stack, destroyed at its end: AL_SEM_LOCAL(done, 0, 1)
 * and the like.
 *
 * What is not named so goes on without the task (docs/given-back.md): that is
 * the choice which these macros offer. Each is registered (scope.h) before it
 * takes effect: a death at any instruction finds nothing to give back, or all of
 * it.
 *
 * Not here: locks, heap blocks, ends of channels and memory that is lent, which
 * have scopes of their own.
 */

#include <alula/cond.h>
#include <alula/event.h>
#include <alula/kill.h>
#include <alula/mailbox.h>
#include <alula/scope.h>
#include <alula/sem.h>
#include <alula/status.h>
#include <alula/timer.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

/* In the frame of who takes. */
struct al_sem_hold {
    struct al_sem *sem;
    uint32_t units; /* 0 or 1: to be given back */
};

/* In the frame of who enables. */
struct al_irq_hold {
    uint32_t line;
    uint32_t enabled; /* 0 or 1: to be disabled */
};

/**
 * Take a unit, and note it in the same step: no kill comes between the two.
 * AL_SEM_SCOPED() is its usual form: it opens the scope that gives back.
 *
 * @param[in,out] hold  in the caller's frame, its scope is open
 * @param[in] deadline  see time.h
 * @context   task; may switch, waits
 * @return    AL_OK           one unit taken, and noted
 * @return    AL_E_TIMEOUT    none came before the deadline; nothing taken
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited
 * @panics    SEM.1   called from an interrupt handler
 * @panics    SEM.3   destroyed, or never initialised
 * @unwind    given back
 * @cost      as al_sem_take_until()
 */
AL_MUST_USE al_status al_sem_own(struct al_sem_hold *hold, al_time deadline);

/**
 * Enable a line, and note it in the same step. AL_IRQ_SCOPED() is its usual
 * form.
 *
 * @param[in,out] hold  in the caller's frame, its scope is open
 * @param[in] prio      as al_irq_enable()
 * @context   any
 * @panics    IRQ.1  priority out of range
 * @panics    IRQ.3  the chip has no such line
 * @unwind    disabled
 * @cost      constant
 */
void al_irq_own(struct al_irq_hold *hold, al_prio prio);

/* What the macros' scopes call. */
void __al_own_give(void *hold);
void __al_own_stop(void *timer);
void __al_own_disable(void *hold);
void __al_own_end(void *id);
void __al_own_destroy_sem(void *sem);
void __al_own_destroy_event(void *event);
void __al_own_destroy_mailbox(void *mailbox);
void __al_own_destroy_cond(void *cond);
void __al_own_destroy_timer(void *timer);

/**
 * Take one unit of a semaphore until the end of the enclosing block, or the
 * death of the task. A semaphore that is destroyed meanwhile: SEM.3 at the
 * block's end.
 *
 * @param sem       struct al_sem *
 * @param status    al_status variable: as al_sem_own(); not AL_OK: nothing is
 *                  given back
 * @param deadline  see time.h
 */
#define AL_SEM_SCOPED(sem, status, deadline)                                   \
  struct al_sem_hold AL_UNIQUE(al_hold_) = {sem, 0};                           \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE(al_own_); \
  al_scope_open(&AL_UNIQUE(al_own_), __al_own_give, &AL_UNIQUE(al_hold_));     \
  status = al_sem_own(&AL_UNIQUE(al_hold_), deadline)

/**
 * Stop a timer at the end of the enclosing block, or the death of the task,
 * whoever has started it; a callback that has begun is let finish. One that was
 * destroyed is left alone. Start it after this.
 *
 * @param timer  struct al_timer *, in static memory, or this task's
 */
#define AL_TIMER_SCOPED(timer) AL_DEFER(__al_own_stop, timer)

/**
 * Enable an interrupt line until the end of the enclosing block, or the death of
 * the task: from then on its handler does not run. The line is this block's
 * alone: others that have enabled it lose it, too.
 *
 * @param line  as al_irq_enable()
 * @param prio  as al_irq_enable()
 */
#define AL_IRQ_SCOPED(line, prio)                                              \
  struct al_irq_hold AL_UNIQUE(al_hold_) = {line, 0};                          \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE(al_own_); \
  al_scope_open(&AL_UNIQUE(al_own_), __al_own_disable, &AL_UNIQUE(al_hold_));  \
  al_irq_own(&AL_UNIQUE(al_hold_), prio)

/**
 * Kill the task that is named by then (AL_KILL_END), and wait for its end, when
 * the enclosing block ends or the task dies in it. All zeros names none; one
 * that has ended is left alone.
 *
 * After a death the wait is a cleanup like others: a child that takes more than
 * AL_CFG_KILL_GRACE ticks to end, because more urgent tasks run or its cleanups
 * last, is left to end by itself. So what a child uses must not lie in its
 * parent's stack.
 *
 * @param id  struct al_task_id *, filled in by al_task_spawn() or
 *            al_task_create() after this; not the calling task's
 */
#define AL_TASK_SCOPED(id) AL_DEFER(__al_own_end, id)

/*
 * Objects in a task's own stack, which others may use as long as the block
 * lasts: destroyed at its end, or at the task's death in it, before their memory
 * is used for anything else, be it another cleanup. Who waits for them gets
 * AL_E_DESTROYED. Each declares the variable `name`.
 *
 * Not here: mutexes. At their holder's death they go to who waits for them, and
 * cannot be destroyed then.
 */
#define AL_SEM_LOCAL(name, initial, maximum)              \
  struct al_sem name = AL_SEM_INIT((initial), (maximum)); \
  AL_DEFER(__al_own_destroy_sem, &(name))

#define AL_EVENT_LOCAL(name)            \
  struct al_event name = AL_EVENT_INIT; \
  AL_DEFER(__al_own_destroy_event, &(name))

#define AL_MAILBOX_LOCAL(name)              \
  struct al_mailbox name = AL_MAILBOX_INIT; \
  AL_DEFER(__al_own_destroy_mailbox, &(name))

#define AL_COND_LOCAL(name)           \
  struct al_cond name = AL_COND_INIT; \
  AL_DEFER(__al_own_destroy_cond, &(name))

/* `init` is one of timer.h: AL_TIMER_INIT_SEM(&done) and the like. */
#define AL_TIMER_LOCAL(name, init) \
  struct al_timer name = init;     \
  AL_DEFER(__al_own_destroy_timer, &(name))

AL_EXTERN_C_END
