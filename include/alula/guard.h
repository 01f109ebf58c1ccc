/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guards: what a task promises about a block of its code, and dies of when it
 * does not keep it. Each is a variable of the block, registered as a scope: the
 * end of the block, or the task's death, ends it. A task that breaks its promise
 * is killed (kill.h) with a cause of its own; its policy decides what follows.
 *
 *   AL_DEADLINE(20);         the block ends within 20 ticks
 *   AL_BUDGET(5, 100);       it runs for at most 5 of each 100 ticks
 *   AL_WATCH(dog, 50);       al_watch_feed(&dog) is called every 50 ticks
 *
 * And the board's watchdog, which restarts the board when killing tasks does not
 * help (al_board_watch()).
 *
 * Not here: deadlines of waits (time.h), which end the wait and not the task.
 */

#include <alula/scope.h>
#include <alula/task.h>

AL_EXTERN_C_BEGIN

/* Ticks of a guard, at most. */
#define AL_GUARD_TICKS_MAX 0x7fffffffu

enum al_guard_kind {
    AL_GUARD_NONE = 0, /* not begun, or over */
    AL_GUARD_DEADLINE,
    AL_GUARD_BUDGET,
    AL_GUARD_WATCH,
    AL_GUARD_BROKEN, /* its task has been killed for it */
};

/* Fields belong to the kernel, under its lock; the macros below make one. */
struct al_guard {
    struct al_timer_node node; /* in the tree, unless it is over or broken */
    struct al_guard *next;     /* of all guards */
    struct al_guard *prev;
    struct al_task *task; /* whose block it is */
    uint32_t kind;        /* enum al_guard_kind */
    uint32_t ticks;
    uint32_t window; /* of a budget, ticks */
    uint32_t left;   /* of the present window */
    uint32_t used;   /* ticks run in it */
    uint32_t fed;    /* of a watch: low half of the time */
    uint32_t watch;  /* 1: of that kind, perhaps broken */
    uint32_t round;  /* of a watch: in which it has reported; guard.c */
};

/* What the macros call. */
void al_guard_end(void *guard);

AL_INLINE void al_guard_make(struct al_guard *guard)
{
    guard->kind = AL_GUARD_NONE;
    guard->task = al_task_self();
}

/* A guard that is open before it begins: from here on it is ended. */
#define AL_GUARD_(name)   \
  struct al_guard name;   \
  al_guard_make(&(name)); \
  AL_DEFER(al_guard_end, &(name))

/**
 * Begin a deadline. AL_DEADLINE() is its usual form.
 *
 * @param[in,out] guard  from AL_GUARD_, in the caller's frame
 * @param[in] ticks      1 .. AL_GUARD_TICKS_MAX: at the tick that comes so much
 *                       later the block has ended, or the task dies
 * @context   task
 * @panics    TASK.1   called from an interrupt handler
 * @panics    GUARD.1  ticks out of range
 * @panics    GUARD.2  not a guard of the caller's, or one that has begun
 * @unwind    over
 * @cost      at most 32 steps through the timer tree
 */
void al_deadline_begin(struct al_guard *guard, uint32_t ticks);

/**
 * Begin a budget of execution time. AL_BUDGET() is its usual form. The task is
 * seen at each tick: each at which it runs counts.
 *
 * @param[in] ticks   of running in each window; the next one kills
 * @param[in] window  ticks; windows follow each other from here on
 * @context   task
 * @panics    TASK.1   called from an interrupt handler
 * @panics    GUARD.1  ticks out of range, or more than the window
 * @panics    GUARD.2  not a guard of the caller's, or one that has begun
 * @unwind    over
 * @cost      about 100 instructions a tick while it lasts
 */
void al_budget_begin(struct al_guard *guard, uint32_t ticks, uint32_t window);

/**
 * Begin a watch. AL_WATCH() is its usual form. A task that does not feed it for
 * `ticks` dies at that tick.
 *
 * @context   task
 * @panics    TASK.1   called from an interrupt handler
 * @panics    GUARD.1  ticks out of range
 * @panics    GUARD.2  not a guard of the caller's, or one that has begun
 * @unwind    over
 * @cost      at most 32 steps through the timer tree
 */
void al_watch_begin(struct al_guard *guard, uint32_t ticks);

/**
 * Say that all is well.
 *
 * @param[in,out] guard  a watch of the caller's
 * @context   task
 * @panics    TASK.1   called from an interrupt handler
 * @panics    GUARD.2  not a guard of the caller's
 * @cost      constant
 */
void al_watch_feed(struct al_guard *guard);

/* The enclosing block ends within `ticks`, or the task dies: AL_CAUSE_DEADLINE. */
#define AL_DEADLINE(ticks)            \
  AL_GUARD_(AL_UNIQUE(al_deadline_)); \
  al_deadline_begin(&AL_UNIQUE(al_deadline_), ticks)

/* The task runs for at most `ticks` of each `window` while it is in the
 * enclosing block, or it dies: AL_CAUSE_BUDGET. */
#define AL_BUDGET(ticks, window)    \
  AL_GUARD_(AL_UNIQUE(al_budget_)); \
  al_budget_begin(&AL_UNIQUE(al_budget_), ticks, window)

/* While it is in the enclosing block the task calls al_watch_feed(&name) again
 * within `ticks`, or it dies: AL_CAUSE_WATCHDOG. */
#define AL_WATCH(name, ticks) \
  AL_GUARD_(name);            \
  al_watch_begin(&(name), ticks)

/**
 * Start the board's watchdog; it never stops. The kernel feeds it, at a quarter
 * of its time, when the idle task was found running at a tick, or every watch
 * has been fed, since the last time. Tasks that break their promises are
 * restarted first; what they cannot cure restarts the board.
 *
 * @param[in] ticks  until the board restarts; 4 .. AL_GUARD_TICKS_MAX, longer
 *                   than the longest watch
 * @context   task
 * @return    AL_OK       it runs; or did so already
 * @return    AL_E_STATE  this board has none, or none so slow
 * @panics    TASK.1   called from an interrupt handler
 * @panics    GUARD.1  ticks out of range
 * @cost      constant; then about 100 instructions at each tick
 */
AL_MUST_USE al_status al_board_watch(uint32_t ticks);

AL_EXTERN_C_END
