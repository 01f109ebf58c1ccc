/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The clock, tasks that sleep, and waits that have a deadline.
 */

#include <alula/status.h>
#include <alula/task.h>
#include <alula/time.h>
#include <alula/timer.h>
#include <alula/wait.h>

#include "core/wait.h"
#include "sched.h"

/*
 * The tick starts: `counter` is what the port's free-running counter shows, and
 * a tick lasts `counts` of it.
 */
void time_start(uint32_t counter, uint32_t counts);

/*
 * One tick has passed, or more, if the counter says so. Called by the port's
 * tick handler, and by nobody else: the clock has one writer.
 */
void time_tick(uint32_t counter);

/* al_now() for the kernel itself, which must not trap at a stack check. */
al_time time_now(void);

/* Has this deadline passed? AL_POLL always has, AL_FOREVER never. */
bool time_is_past(al_time deadline);

/*
 * Let the current task wait in `queue` until it is woken, or until `deadline`,
 * which has not passed; the kernel lock is held. The caller goes on with
 * arch_switch(AL_OK, ...), which returns that, or what the waker said by
 * arch_set_result(), or AL_E_TIMEOUT.
 */
void time_wait_held(
        struct al_waitq *queue, enum al_kind kind, al_time deadline);

/* For the above: a queue may lie in a stack (lib/services/stray.c). */
void stray_wait_held(void);

/* The same without a deadline, but for the switch. */
static inline void time_wait_ever_held(
        struct al_waitq *queue, enum al_kind kind)
{
    struct al_task *self = al_core.current;

    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    self->wait = (uint8_t)kind;
    wait_insert_held(queue, self);
}

/* The deadline of a task's wait; nothing for AL_FOREVER. The lock is held. */
void time_deadline_held(struct al_task *task, al_time when);

/* The task's timer: it is woken at `when` at the latest. The lock is held. */
void time_expiry_held(struct al_task *task, al_time when);

/*
 * The deadline of a task's wait has passed. False: the task had been served;
 * else it is to be woken with AL_E_TIMEOUT. An image in which all wait for ever
 * has none of it (flags.c). The lock is held.
 */
bool time_wait_over_held(struct al_task *task);

/*
 * Take the current task, which the caller has taken out of the ready queue,
 * through a sleep until `when`; lets go of the lock, and comes back awake.
 */
void time_sleep_held(al_time when);

/* A timer that is not a task's: timer->when and kind are set. When it is due,
 * timer_expired_held() is called for it, out of the tree. */
void time_insert_held(struct al_timer_node *timer);
void time_remove_held(struct al_timer_node *timer);

/*
 * Take a waiting task out of the books of what it waits for; its timer is not
 * looked at. False: it had been served, and is awake, or a post that is on its
 * way decides and wakes it. The lock is held.
 */
bool time_cancel_wait_held(struct al_task *task);

/*
 * The same, by kind of object, defined by the modules of the objects. Without
 * the module there is nothing to be taken out of.
 */
bool sem_cancel_held(struct al_task *task);
bool mutex_cancel_held(struct al_task *task);
bool cond_cancel_held(struct al_task *task);
bool event_cancel_held(struct al_task *task);
bool chan_cancel_held(struct al_task *task);
bool mailbox_cancel_held(struct al_task *task);
bool park_cancel_held(struct al_task *task);
bool spawn_cancel_held(struct al_task *task);
void timer_expired_held(struct al_timer_node *timer);
void kill_expired_held(struct al_timer_node *timer);

/*
 * What software timers have other modules do at a tick; weak: an image
 * without them has no code for them. Who calls has looked that it is such an
 * object; false: there is no room for it, or the task has ended.
 */
#define TIME_ACTS __attribute__((weak))

bool sem_give_held(struct al_sem *sem) TIME_ACTS;
bool event_set_held(struct al_event *event, uint32_t bits) TIME_ACTS;
bool park_wake_held(struct al_task_id id) TIME_ACTS;

/*
 * For tests; no image of a product refers to them, so none contains them. Set
 * the time and the index of the clock, and what the counter shows: nobody may
 * sleep, and no tick may come in between. And: ticks come by hand, each counts as one until the next time
 * that is skipped.
 */
void al_time_test_set(al_time now, uint32_t index, uint32_t counter);
void al_time_test_by_hand(void);
