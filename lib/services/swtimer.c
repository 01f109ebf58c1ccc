/* SPDX-License-Identifier: MIT */
/*
 * Software timers. `control` is written by everybody, by load-linked and
 * store-conditional; it says whether the timer runs, as its users see it, and
 * whether that has been asked for but not been done: ASKED. What was asked for
 * stands in ask_when and ask_period, which are written between the two: who is
 * interrupted there writes them again, so that what a settled `control` guards
 * was written by one.
 *
 * Tree and service's queue belong to the kernel lock. Whoever asks has it done
 * under the lock, or, in a handler that finds it taken, posts the timer. An
 * expiry, or a service, that finds ASKED leaves the timer alone: what was
 * asked for replaces it.
 *
 * Invariants, lock free and no post: IN_TREE or QUEUED only if RUNNING; RUNNING
 * is in one of them, except for a callback that was due once, which has begun.
 * What is in one of them, and outside static memory, is STRAY: in a list, for
 * stray.c to find what lies in a dead stack.
 *
 * Not here: the tree (timer.c), the clock (time.c), running a callback: that is
 * the application's (al_timer_serve()).
 */
#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "stray.h"
#include "task.h"
#include "time.h"

#include <alula/event.h>
#include <alula/sem.h>

#define RUNNING AL_TIMER_RUNNING
#define ASKED   AL_TIMER_ASKED

/* Bits of places. */
#define IN_TREE 1u
#define QUEUED  2u
#define STRAY   4u /* in one of these, and outside static memory: listed */

/* Timers that run and may lie in a task's stack. */
static struct {
    struct al_timer_queue list; /* next NULL: never used */
    uint32_t count;
} strays __attribute__((section(".bss.alula.state")));

/* The timer that `part` is the member `field` of. */
#define TIMER_OF(part, field) \
  ((struct al_timer *)(void *)((char *)(part)-offsetof(struct al_timer, field)))

static uint32_t control_look(struct al_timer *timer)
{
    return (uint32_t)arch_load_linked(&timer->control);
}

static bool control_store(struct al_timer *timer, uint32_t control)
{
    return arch_store_if(&timer->control, control);
}

/* What a target is, by act; 0 bytes: no object. */
#define TARGET(type, tag, kind)                     \
  {                                                 \
    sizeof(type), offsetof(type, tag), AL_TAG(kind) \
  }

static const struct {
    uint32_t bytes;
    uint32_t tag_at;
    uint32_t tag;
} targets[] = {
        [AL_TIMER_ACT_SEM] = TARGET(struct al_sem, post.tag, AL_KIND_SEM),
        [AL_TIMER_ACT_EVENT] = TARGET(struct al_event, post.tag, AL_KIND_EVENT),
        [AL_TIMER_ACT_CALL] =
                TARGET(struct al_timer_service, tag, AL_KIND_TIMER),
};

/* Is it an object of that kind? Of any address. */
static bool is_target(uint32_t act, const void *target)
{
    uintptr_t at = (uintptr_t)target;

    return act < sizeof(targets) / sizeof(targets[0]) &&
           targets[act].bytes > 0 && at % sizeof(uintptr_t) == 0 &&
           arch_is_ram(at, targets[act].bytes) &&
           *(const volatile uint32_t *)(at + targets[act].tag_at) ==
                   targets[act].tag;
}

static struct al_task_id id_of(const struct al_timer *timer)
{
    return (struct al_task_id){(struct al_task *)timer->target, timer->detail};
}

static bool target_is_sane(const struct al_timer *timer)
{
    if (timer->act == AL_TIMER_ACT_WAKE) {
        return task_id_is_sane(id_of(timer));
    }
    return is_target(timer->act, timer->target) &&
           (timer->act != AL_TIMER_ACT_CALL || timer->fn != NULL);
}

/* ---- those in stacks ---- */

static void stray_remove_held(struct al_timer *timer)
{
    timer->stray.next->prev = timer->stray.prev;
    timer->stray.prev->next = timer->stray.next;
}

static void stray_append_held(struct al_timer *timer)
{
    timer->stray.next = &strays.list;
    timer->stray.prev = strays.list.prev;
    strays.list.prev->next = &timer->stray;
    strays.list.prev = &timer->stray;
}

__attribute__((noinline)) static void stray_change_held(struct al_timer *timer)
{
    timer->places ^= STRAY;
    if ((timer->places & STRAY) == 0) {
        strays.count--;
        stray_remove_held(timer);
        return;
    }
    if (strays.list.next == NULL) {
        strays.list.next = &strays.list;
        strays.list.prev = &strays.list;
    }
    strays.count++;
    stray_append_held(timer);
    stray_wait_held();
}

/* Whoever has changed its other places ends with this. */
static inline void note_held(struct al_timer *timer)
{
    bool listed = (timer->places & STRAY) != 0;
    bool runs = (timer->places & (IN_TREE | QUEUED)) != 0;

    if (__builtin_expect(!arch_is_static(timer), 0) && listed != runs) {
        stray_change_held(timer);
    }
}

/* ---- a service's queue ---- */

static void queue_remove_held(struct al_timer *timer)
{
    timer->places &= ~QUEUED;
    timer->queue.next->prev = timer->queue.prev;
    timer->queue.prev->next = timer->queue.next;
}

/* The service has a callback to run; false: the last one has not begun yet. */
static bool call_held(struct al_timer *timer)
{
    struct al_timer_service *service = (struct al_timer_service *)timer->target;
    struct al_task *server;

    if ((timer->places & QUEUED) != 0) {
        return false;
    }
    timer->places |= QUEUED;
    timer->queue.next = &service->queue;
    timer->queue.prev = service->queue.prev;
    service->queue.prev->next = &timer->queue;
    service->queue.prev = &timer->queue;
    server = wait_first_held(&service->waiters);
    if (server != NULL) {
        wait_remove_held(server);
        sched_wake_held(server);
    }
    return true;
}

/* ---- starting and stopping ---- */

static void withdraw_held(struct al_timer *timer)
{
    if ((timer->places & IN_TREE) != 0) {
        timer->places &= ~IN_TREE;
        time_remove_held(&timer->node);
    }
    if ((timer->places & QUEUED) != 0) {
        queue_remove_held(timer);
    }
}

static void enter_held(struct al_timer *timer, al_time when)
{
    timer->node.when = when;
    timer->places |= IN_TREE;
    time_insert_held(&timer->node);
}

/* Do what was asked for, if something was. */
static void settle_held(struct al_timer *timer)
{
    uint32_t control;
    uint32_t period;
    al_time when;

    do {
        control = control_look(timer);
        if ((control & ASKED) == 0) {
            return;
        }
        when = timer->ask_when;
        period = timer->ask_period;
    } while (!control_store(timer, control & ~ASKED));
    withdraw_held(timer);
    if ((control & RUNNING) != 0) {
        timer->period = period;
        enter_held(timer, when);
    }
    note_held(timer);
}

void timer_settle_held(struct al_post *post)
{
    settle_held(TIMER_OF(post, post));
}

al_status al_timer_start(
        struct al_timer *timer, uint32_t delay, uint32_t period)
{
    al_time when = time_now() + delay;

    CALLER_MUST(TIMER, 1, !arch_in_handler());
    CALLER_MUST(TIMER, 2, al_timer_is(timer));
    CALLER_MUST(TIMER, 3, period <= AL_TIMER_PERIOD_MAX);
    CALLER_MUST(TIMER, 4, target_is_sane(timer));
    softlock_take();
    if (!al_timer_is(timer)) {
        softlock_leave();
        return AL_E_DESTROYED;
    }
    al_timer_ask_start(timer, when, period);
    settle_held(timer);
    softlock_leave();
    return AL_OK;
}

al_status al_timer_stop(struct al_timer *timer)
{
    bool ran;

    CALLER_MUST(TIMER, 1, !arch_in_handler());
    CALLER_MUST(TIMER, 2, al_timer_is(timer));
    softlock_take();
    ran = al_timer_ask_stop(timer);
    settle_held(timer);
    softlock_leave();
    return ran ? AL_OK : AL_E_STATE;
}

void al_irq_timer_settle(struct al_timer *timer)
{
    if (softlock_is_taken()) {
        softlock_irq_post(&timer->post);
        return;
    }
    softlock_irq_take();
    settle_held(timer);
    softlock_irq_leave();
}

/* ---- at its tick ---- */

static bool act_held(struct al_timer *timer)
{
    if (!target_is_sane(timer)) {
        return false;
    }
    switch ((enum al_timer_act)timer->act) {
    case AL_TIMER_ACT_SEM:
        return sem_give_held != NULL &&
               sem_give_held((struct al_sem *)timer->target);
    case AL_TIMER_ACT_EVENT:
        return event_set_held != NULL &&
               event_set_held((struct al_event *)timer->target, timer->detail);
    case AL_TIMER_ACT_WAKE:
        return park_wake_held != NULL && park_wake_held(id_of(timer));
    case AL_TIMER_ACT_CALL:
        return call_held(timer);
    case AL_TIMER_ACT_NONE:
        break;
    }
    return false;
}

/*
 * It is at rest now, unless it has a period or its callback is still to begin.
 * False: something else was asked for.
 */
static bool claim_held(struct al_timer *timer, bool goes_on)
{
    uint32_t control;

    do {
        control = control_look(timer);
        if ((control & ASKED) != 0) {
            return false;
        }
    } while (!control_store(timer, goes_on ? control : 0));
    return true;
}

/* Due again, at the first time in its phase that lies ahead. */
static void enter_next_held(struct al_timer *timer)
{
    al_time now = time_now();
    al_time late = now - timer->node.when;
    uint32_t passed =
            late < UINT32_MAX ? (uint32_t)late / timer->period : UINT32_MAX;

    timer->missed += passed;
    enter_held(timer,
            timer->node.when + timer->period + (al_time)passed * timer->period);
}

static void expire_held(struct al_timer *timer)
{
    timer->places &= ~IN_TREE;
    if (!claim_held(
                timer, timer->period != 0 || timer->act == AL_TIMER_ACT_CALL)) {
        return;
    }
    if (act_held(timer)) {
        timer->expiries++;
    } else {
        timer->missed++;
        (void)claim_held(timer, timer->period != 0); /* nothing is to begin */
    }
    if (timer->period != 0) {
        enter_next_held(timer);
    }
}

void timer_expired_held(struct al_timer_node *node)
{
    struct al_timer *timer = TIMER_OF(node, node);

    expire_held(timer);
    note_held(timer);
}

/* The callback that has been due for longest, if any, begins. One that is
 * stopped, or due later, does not. */
static bool take_held(
        struct al_timer_service *service, struct al_timer_call *call)
{
    while (service->queue.next != &service->queue) {
        struct al_timer *timer = TIMER_OF(service->queue.next, queue);

        queue_remove_held(timer);
        note_held(timer);
        call->fn = timer->fn;
        call->arg = timer->arg;
        if (claim_held(timer, timer->period != 0)) {
            return true;
        }
    }
    return false;
}

void al_timer_await(
        struct al_timer_service *service, struct al_timer_call *call)
{
    struct al_timer_call taken;

    CALLER_MUST(TIMER, 1, !arch_in_handler());
    CALLER_MUST(TIMER, 4, is_target(AL_TIMER_ACT_CALL, service));
    softlock_take();
    while (!take_held(service, &taken)) {
        time_wait_held(&service->waiters, AL_KIND_TIMER, AL_FOREVER);
        CALLER_MUST(TIMER, 4, sched_give_way_held(AL_OK) == AL_OK);
        softlock_take();
    }
    softlock_leave();
    *call = taken;
}

/* ---- ending ---- */

void al_timer_destroy(struct al_timer *timer)
{
    CALLER_MUST(TIMER, 1, !arch_in_handler());
    CALLER_MUST(TIMER, 2, al_timer_is(timer));
    timer->post.tag = 0; /* nobody asks for anything any more */
    AL_BARRIER();
    softlock_take();
    timer->control = 0;
    withdraw_held(timer);
    note_held(timer);
    softlock_leave();
    softlock_forget(&timer->post);
}

uint32_t timer_strays_held(void)
{
    return strays.count;
}

void timer_stray_step_held(uintptr_t low, size_t bytes)
{
    struct al_timer *timer;

    if (strays.count == 0) {
        return;
    }
    timer = TIMER_OF(strays.list.next, stray);
    if ((uintptr_t)timer - low < bytes) {
        (void)al_timer_ask_stop(timer);
        settle_held(timer);
    } else {
        stray_remove_held(timer);
        stray_append_held(timer);
    }
}
