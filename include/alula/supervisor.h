/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Supervisors: groups of tasks that start again together.
 *
 *     static struct al_supervisor net = AL_SUPERVISOR_INIT(
 *             AL_ONE_FOR_ALL, 5, 1000, NULL, NULL, 0);
 *     AL_SUPERVISED(driver, driver_main, 6, 1024, &net, 1);
 *     AL_SUPERVISED(stack, stack_main, 5, 2048, &net, 2);
 *
 * When a member has died, it looks, as the first thing of its next life and
 * with its own priority and whole stack, what is to become of the group:
 *
 *   1. the death is counted; one too many in the supervisor's window goes to
 *      its parent, as a death of the whole group; where there is no parent, the
 *      board restarts
 *   2. the supervisor's callback, if it has one, may decide otherwise
 *   3. as the strategy says, others are killed, to start again (kill.h)
 *   4. none of them begins before all of them are dead
 *
 * Which are dead is looked up once a tick. A member that is held back by its
 * policy, or stopped, counts as dead; one that cannot run, because a more urgent
 * task does all the time, is waited for. A member that has been killed for the
 * group's sake is not counted again. One that another task kills is: so is
 * one that dies while it decides, hence a callback that dies each time ends in
 * the parent, or the board's restart.
 *
 * Not here: restarts of one task by itself (struct al_restart_policy, task.h);
 * tasks that are made at run time. An image without supervisors has no byte of
 * this.
 */

#include <alula/kill.h>
#include <alula/task.h>

AL_EXTERN_C_BEGIN

enum al_strategy {
    AL_ONE_FOR_ONE,  /* who died starts again */
    AL_ONE_FOR_ALL,  /* all of the group do */
    AL_REST_FOR_ONE, /* and those that stand after it in the order do */
};

/* What a callback decides. */
enum al_verdict {
    AL_VERDICT_STRATEGY, /* as the supervisor's strategy says */
    AL_VERDICT_ALONE,    /* who died starts again, the others go on */
    AL_VERDICT_END,      /* it ends, the others go on */
    AL_VERDICT_ESCALATE, /* the parent decides, or the board restarts */
};

struct al_supervisor;

/* A death, as a callback is told of it. */
struct al_death {
    struct al_task *task;              /* who died: the caller */
    struct al_supervisor *supervisor;  /* who is asked */
    const struct al_supervisor *group; /* its member that gave up; NULL: the
                                          task is a member itself */
    uint32_t cause;      /* enum al_cause; AL_CAUSE_NONE: the record has been
                       overwritten since */
    uint32_t generation; /* the life that ended; 1 the first */
    uint32_t deaths;     /* in this window, this one included */
};

/**
 * Decide what becomes of a group.
 *
 * @context   task: the one that died, in its next life; no other member of any
 *            group goes on to its entry meanwhile, so be short
 * @unwind    counts as another death of the task
 */
typedef enum al_verdict (*al_supervisor_decide)(const struct al_death *death);

/* A group; define it with AL_SUPERVISOR_INIT. What is not const below belongs
 * to supervisor.c, under its lock. */
struct al_supervisor {
    uint8_t strategy;             /* enum al_strategy; const */
    uint16_t budget;              /* deaths per window, at most; const */
    uint32_t window;              /* ticks; const */
    al_supervisor_decide decide;  /* or NULL; const */
    struct al_supervisor *parent; /* or NULL: the board restarts; const */
    uint32_t order;               /* among the parent's members; const */
    uint32_t deaths;              /* in the window that began at window_start */
    al_time window_start;
};

/**
 * Initialise a supervisor.
 *
 * @param strategy  enum al_strategy
 * @param budget    deaths that it deals with in a window; 0 .. 65535
 * @param window    ticks, from the first of them on
 * @param decide    al_supervisor_decide, or NULL: the strategy
 * @param parent    struct al_supervisor *, or NULL: the top
 * @param order     its place among the parent's members
 */
#define AL_SUPERVISOR_INIT(strategy, budget, window, decide, parent, order)    \
  {                                                                            \
    (uint8_t)(strategy), (budget), (window), (decide), (parent), (order), 0, 0 \
  }

/* What a supervised task carries; belongs to supervisor.c. */
struct al_supervised_state {
    struct al_supervisor *by; /* killed it, and it has not come back */
};

struct al_supervised {
    void (*function)(void);
    struct al_supervisor *supervisor;
    uint32_t order; /* among the supervisor's members */
    struct al_supervised_state *state;
};

/* Where every supervised task starts. */
void __al_supervised_start(void *args);

/**
 * Define a supervised task, started at boot. It restarts at once each time, as
 * its supervisor allows; it ends when `function` returns.
 *
 * @param label        as AL_TASK's
 * @param function     void (*)(void)
 * @param prio         1 .. AL_PRIO_LEVELS-1, constant
 * @param stack_bytes  all of its stack; the supervisor uses about 200 bytes
 *                     of it, before `function` does
 * @param supervisor   struct al_supervisor *
 * @param order        its place in the group; members with the same one are
 *                     restarted together
 */
#define AL_SUPERVISED(label, function, prio, stack_bytes, supervisor, order)  \
  static struct al_supervised_state AL_CONCAT(label, _supervised_state);      \
  static const struct al_supervised AL_CONCAT(label, _supervised) = {         \
          function, supervisor, order, &AL_CONCAT(label, _supervised_state)}; \
  AL_TASK_DEFINE_(label, __al_supervised_start,                               \
          &AL_CONCAT(label, _supervised), 0, prio, stack_bytes,               \
          &al_restart_supervised)

/* The policy of supervised tasks: no limit of their own. */
extern const struct al_restart_policy al_restart_supervised;

AL_EXTERN_C_END
