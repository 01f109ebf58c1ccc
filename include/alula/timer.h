/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Software timers: once, or in a period, something is done at a tick.
 *
 * What the kernel does by itself, at the tick, whatever tasks do: give a
 * semaphore, set event bits, wake a task. A timer with a callback hands it to a
 * service, an ordinary task that the application defines with
 * AL_TIMER_SERVICE: the callback runs at that task's priority, on its stack,
 * and may do what tasks may. If it dies, the service starts again and goes on
 * with the next callback; its timers never stopped.
 *
 *   al_timer_start    running            al_timer_stop      at rest
 *   at its tick       acts; at rest, or, with a period, due again
 *
 * A timer with a period keeps its phase: it is due at start + delay + n *
 * period, however late the tick, or a callback before it, was. What could not
 * be done (periods that passed within one tick, a semaphore that was full, a
 * callback that had not begun when the next one was due) is counted as missed.
 *
 * Started and stopped by tasks and by interrupt handlers of any priority at any
 * moment: whoever comes last decides.
 */

#include <alula/status.h>
#include <alula/task.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

struct al_event;
struct al_sem;
struct al_timer;

/* What a timer does at its tick. */
enum al_timer_act {
    AL_TIMER_ACT_NONE = 0,
    AL_TIMER_ACT_SEM,
    AL_TIMER_ACT_EVENT,
    AL_TIMER_ACT_WAKE,
    AL_TIMER_ACT_CALL,
};

/* A ring of timers whose callbacks are due. */
struct al_timer_queue {
    struct al_timer_queue *next;
    struct al_timer_queue *prev;
};

/* Callbacks that are due, and who runs them; make one by AL_TIMER_SERVICE. */
struct al_timer_service {
    struct al_timer_queue queue; /* its ends; under the kernel lock */
    struct al_waitq waiters;     /* tasks that wait for a callback to run */
    uint32_t tag;                /* AL_TAG(AL_KIND_TIMER) */
};

/* For a variable with that name. */
#define AL_TIMER_SERVICE_INIT(name)                                        \
  {                                                                        \
    {&(name).queue, &(name).queue}, AL_WAITQ_INIT, AL_TAG((AL_KIND_TIMER)) \
  }

/* Fields belong to the kernel; define one with AL_TIMER_INIT_... All zeros is
 * no timer: using it is found out. */
struct al_timer {
    struct al_timer_node node; /* `when` is under the kernel lock */
    struct al_post post;       /* somebody asked for a change */
    uint32_t control;          /* atomic; bit 0: it runs; see swtimer.c */
    al_time ask_when;          /* what was asked for; guarded by `control` */
    uint32_t ask_period;
    uint32_t period; /* ticks, 0: once; under the kernel lock as what follows */
    uint32_t places; /* in the timer tree, in its service's queue */
    uint32_t expiries;
    uint32_t missed;
    uint32_t act;       /* enum al_timer_act; const after init */
    void *target;       /* semaphore, event, task, service; const */
    uint32_t detail;    /* event bits, or number of the task's id; const */
    void (*fn)(void *); /* the callback; const */
    void *arg;          /* its argument; const */
    struct al_timer_queue queue; /* its place in its service's */
    struct al_timer_queue stray; /* among those that may lie in a stack */
};

/* Bits of `control`: it runs, as its users see it; that is still to be done. */
#define AL_TIMER_RUNNING 1u
#define AL_TIMER_ASKED   2u

/* Common part of the AL_TIMER_INIT macros. */
#define AL_TIMER_INIT_(act, target, detail, fn, arg)                           \
  {                                                                            \
    {0, NULL, {NULL, NULL}, AL_KIND_TIMER}, AL_POST_INIT(AL_KIND_TIMER), 0, 0, \
            0, 0, 0, 0, 0, (act), (target), (detail), (fn), (arg),             \
            {NULL, NULL},                                                      \
    {                                                                          \
      NULL, NULL                                                               \
    }                                                                          \
  }

/* A timer that gives one unit to a semaphore. */
#define AL_TIMER_INIT_SEM(sem) \
  AL_TIMER_INIT_(AL_TIMER_ACT_SEM, (sem), 0, NULL, NULL)

/* A timer that sets bits of an event. */
#define AL_TIMER_INIT_EVENT(event, bits) \
  AL_TIMER_INIT_(AL_TIMER_ACT_EVENT, (event), (bits), NULL, NULL)

/* A timer that wakes a task of the image: the label of an AL_TASK. */
#define AL_TIMER_INIT_WAKE(task) \
  AL_TIMER_INIT_(AL_TIMER_ACT_WAKE, (task), 1, NULL, NULL)

/* A timer whose service calls fn(arg). */
#define AL_TIMER_INIT_CALL(service, fn, arg) \
  AL_TIMER_INIT_(AL_TIMER_ACT_CALL, (service), 0, (fn), (arg))

/* Fills in a timer that is to act so. */
static inline void al_timer_init(struct al_timer *timer, enum al_timer_act act,
        void *target, uint32_t detail, void (*fn)(void *), void *arg)
{
    timer->node.when = 0;
    timer->node.kind = AL_KIND_TIMER;
    timer->post.next = NULL;
    timer->post.pending = 0;
    timer->control = 0;
    timer->period = 0;
    timer->places = 0;
    timer->expiries = 0;
    timer->missed = 0;
    timer->act = act;
    timer->target = target;
    timer->detail = detail;
    timer->fn = fn;
    timer->arg = arg;
    AL_BARRIER();
    timer->post.tag = AL_TAG(AL_KIND_TIMER);
}

/**
 * Make a timer at run time, in memory that is none.
 *
 * @param[out] timer  8-aligned; must live until al_timer_destroy()
 * @param[in] sem     each time it gets a unit; must outlive the timer
 * @context   any
 */
static inline void al_timer_init_sem(struct al_timer *timer, struct al_sem *sem)
{
    al_timer_init(timer, AL_TIMER_ACT_SEM, sem, 0, NULL, NULL);
}

/**
 * The same with event bits.
 *
 * @param[in] event  must outlive the timer
 * @param[in] bits   set each time
 * @context   any
 */
static inline void al_timer_init_event(
        struct al_timer *timer, struct al_event *event, uint32_t bits)
{
    al_timer_init(timer, AL_TIMER_ACT_EVENT, event, bits, NULL, NULL);
}

/**
 * The same with a task that parks (al_task_park()); when it has ended, expiries
 * count as missed.
 *
 * @context   any
 */
static inline void al_timer_init_wake(
        struct al_timer *timer, struct al_task_id id)
{
    al_timer_init(timer, AL_TIMER_ACT_WAKE, id.task, id.spawn, NULL, NULL);
}

/**
 * The same with a callback.
 *
 * @param[in] service  of an AL_TIMER_SERVICE
 * @param[in] fn       called by the service, one callback after the other
 * @param[in] arg      handed to it
 * @context   any
 */
static inline void al_timer_init_call(struct al_timer *timer,
        struct al_timer_service *service, void (*fn)(void *), void *arg)
{
    al_timer_init(timer, AL_TIMER_ACT_CALL, service, 0, fn, arg);
}

/**
 * End a timer, whatever it does; its memory may be used again. A callback that
 * has begun is let finish.
 *
 * @context   task; may switch
 * @panics    TIMER.1  called from an interrupt handler
 * @panics    TIMER.2  no timer: destroyed, or never initialised
 * @cost      at most 32 steps through the timer tree
 */
void al_timer_destroy(struct al_timer *timer);

/* The longest period, in ticks. */
#define AL_TIMER_PERIOD_MAX 0x80000000u

/**
 * Start a timer, or start it anew: what was due before is not done.
 *
 * @param[in,out] timer
 * @param[in] delay   ticks until it is due first; as for al_sleep(), 0: now
 * @param[in] period  ticks from then on; 0: once; up to AL_TIMER_PERIOD_MAX
 * @context   task; may switch
 * @return    AL_OK           it runs
 * @return    AL_E_DESTROYED  another task destroyed it just now
 * @panics    TIMER.1  called from an interrupt handler
 * @panics    TIMER.2  no timer: destroyed, or never initialised
 * @panics    TIMER.3  a period above AL_TIMER_PERIOD_MAX
 * @panics    TIMER.4  what it is to act on is none, or none any more
 * @unwind    it runs on when the task that started it dies
 * @cost      at most 64 steps through the timer tree
 */
al_status al_timer_start(
        struct al_timer *timer, uint32_t delay, uint32_t period);

/**
 * Stop a timer.
 *
 * @param[in,out] timer
 * @context   task; may switch
 * @return    AL_OK       it ran; nothing is done that was not done before, and
 *                        no callback begins
 * @return    AL_E_STATE  it was at rest: never started, stopped, or done
 * @panics    TIMER.1  called from an interrupt handler
 * @panics    TIMER.2  no timer: destroyed, or never initialised
 * @cost      at most 32 steps through the timer tree
 */
al_status al_timer_stop(struct al_timer *timer);

/*
 * Ask for a start, or a stop, whoever else does: lib/services/swtimer.c. Who is
 * interrupted between the two accesses to `control` begins again. The latter is
 * false if it does not run.
 */
AL_INLINE void al_timer_ask_start(
        struct al_timer *timer, al_time when, uint32_t period)
{
    do {
        (void)arch_load_linked(&timer->control);
        timer->ask_when = when;
        timer->ask_period = period;
    } while (
            !arch_store_if(&timer->control, AL_TIMER_RUNNING | AL_TIMER_ASKED));
}

static inline bool al_timer_ask_stop(struct al_timer *timer)
{
    do {
        if ((arch_load_linked(&timer->control) & AL_TIMER_RUNNING) == 0) {
            return false;
        }
    } while (!arch_store_if(&timer->control, AL_TIMER_ASKED));
    return true;
}

static inline bool al_timer_is(const struct al_timer *timer)
{
    return *(const volatile uint32_t *)&timer->post.tag ==
           AL_TAG(AL_KIND_TIMER);
}

/* What a handler asked for is done, at the latest when the kernel lock is let
 * go of. */
void al_irq_timer_settle(struct al_timer *timer);

/**
 * Start a timer from an interrupt handler of any priority at any moment.
 *
 * @param[in] delay   from now, whenever the kernel gets to it
 * @param[in] period  as al_timer_start()
 * @context   irq
 * @return    AL_OK           it runs
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @return    AL_E_STATE      a period above AL_TIMER_PERIOD_MAX; nothing changed
 * @cost      as al_timer_start() when the kernel lock is free, else constant
 */
static inline al_status al_irq_timer_start(
        struct al_timer *timer, uint32_t delay, uint32_t period)
{
    if (!al_timer_is(timer)) {
        return AL_E_DESTROYED;
    }
    if (period > AL_TIMER_PERIOD_MAX) {
        return AL_E_STATE;
    }
    al_timer_ask_start(timer, al_in(delay), period);
    al_irq_timer_settle(timer);
    return AL_OK;
}

/**
 * Stop a timer from an interrupt handler of any priority at any moment.
 *
 * @context   irq
 * @return    AL_OK           it ran; it is not due any more, and no callback
 *                            begins. An expiry in a period that the handler
 *                            interrupted is finished
 * @return    AL_E_STATE      it was at rest
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @cost      as al_timer_stop() when the kernel lock is free, else constant
 */
static inline al_status al_irq_timer_stop(struct al_timer *timer)
{
    if (!al_timer_is(timer)) {
        return AL_E_DESTROYED;
    }
    /* Its stack check is al_irq_timer_settle()'s, and must come before the
     * change; in a start, al_in() makes it. */
    (void)al_now();
    if (!al_timer_ask_stop(timer)) {
        return AL_E_STATE;
    }
    al_irq_timer_settle(timer);
    return AL_OK;
}

/**
 * Is it running: due some time, or its callback waiting for the service?
 *
 * @context   any
 */
static inline bool al_timer_is_running(const struct al_timer *timer)
{
    return (*(const volatile uint32_t *)&timer->control & AL_TIMER_RUNNING) !=
           0;
}

struct al_timer_info {
    bool running;
    al_time next;      /* when it is due; when it was, if it does not run */
    uint32_t period;   /* ticks; 0: once */
    uint32_t expiries; /* times that it was due and acted */
    uint32_t missed;   /* times that it could not */
};

/**
 * Read a timer's state.
 *
 * @param[out] info  filled in
 * @context   task
 * @return    nothing of what is no timer: it does not run
 */
static inline void al_timer_read(
        const struct al_timer *timer, struct al_timer_info *info)
{
    const volatile al_time *when = &timer->node.when;

    /* Until nobody wrote between. */
    do {
        info->next = *when;
    } while (info->next != *when);
    info->running = al_timer_is_running(timer);
    info->period = timer->period;
    info->expiries = timer->expiries;
    info->missed = timer->missed;
}

/* For al_timer_serve(): a callback that is due. */
struct al_timer_call {
    void (*fn)(void *);
    void *arg;
};

/* Wait for the next one. Panics: TIMER.1 in a handler, TIMER.4 no service. */
void al_timer_await(
        struct al_timer_service *service, struct al_timer_call *call);

/**
 * Run a service's callbacks, for ever: the body of a task that serves. Inline:
 * it calls the application's functions, and is a part of the application.
 *
 * @context   task; waits
 * @panics    TIMER.1  called from an interrupt handler
 * @panics    TIMER.4  no service
 * @unwind    the callback that died is over; the others wait for the next start
 */
AL_NORETURN AL_INLINE void al_timer_serve(struct al_timer_service *service)
{
    for (;;) {
        struct al_timer_call call;

        al_timer_await(service, &call);
        call.fn(call.arg);
    }
}

/**
 * Define a service and its task, whose name is the label and "_task". At file
 * scope.
 *
 * @param label        the name of a struct al_timer_service
 * @param prio         of all its callbacks
 * @param stack_bytes  as AL_TASK's
 */
#define AL_TIMER_SERVICE(label, prio, stack_bytes) \
  AL_TIMER_SERVICE_POLICY(label, prio, stack_bytes, &al_restart_default)

/* The same, with a restart policy: const struct al_restart_policy *. While it
 * is held back, none of its callbacks runs. */
#define AL_TIMER_SERVICE_POLICY(label, prio, stack_bytes, policy)           \
  struct al_timer_service label = AL_TIMER_SERVICE_INIT(label);             \
  static void AL_CONCAT(label, _serve)(void)                                \
  {                                                                         \
    ARCH_STACK_CALLS_NAMED("set:" #label);                                  \
    al_timer_serve(&label);                                                 \
  }                                                                         \
  AL_TASK_POLICY(AL_CONCAT(label, _task), AL_CONCAT(label, _serve), (prio), \
          (stack_bytes), (policy))

AL_EXTERN_C_END
