/* SPDX-License-Identifier: MIT */
/*
 * Waits for objects, and timers, in a stack that dies. An object in a task's
 * stack may be registered there (own.h), or not. Either way no queue leads into
 * the stack when its memory becomes something else:
 *
 *     begin   nothing is undone yet, the objects are whole: timers are stopped;
 *             whoever waits for an object is taken out of its books, and told
 *             AL_E_DESTROYED. The object is left as it is, without waiters:
 *             cleanups may use it, and destroy it
 *     end     the stack is about to be used anew: timers that cleanups have
 *             started are stopped; whoever has begun to wait since leaves in the
 *             same way, but nothing in the stack is read, or written: other
 *             things may lie there by now
 *
 * Posts of what lies there are done by then: only what is waited for is ever left
 * behind.
 *
 * A step per task, and per timer that runs outside static memory, at the dying
 * task's priority; none at all as long as nobody has ever waited for anything
 * there, nor started a timer.
 *
 * Not here: who holds a mutex in a dead stack.
 */
#include "stray.h"

#include "arch.h"
#include "core/wait.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"
#include "time.h"
#include "weak.h"

#include <alula/mutex.h>

static struct {
    bool any; /* such an object was waited for, or such a timer started; under
                 the lock, set once */
    struct al_task *nowhere; /* written in place of the head of a dead queue */
} stray __attribute__((section(".bss.alula.state")));

WEAK_VALUE(struct al_task *, task_second, struct al_task, NULL)

__attribute__((weak)) uint32_t timer_strays_held(void)
{
    return 0;
}

__attribute__((weak)) void timer_stray_step_held(uintptr_t low, size_t bytes)
{
    (void)low;
    (void)bytes;
}

void stray_wait_held(void)
{
    stray.any = true;
}

/* The object's books are right, or nothing but the task tells of the wait. */
static bool leave_books_held(struct al_task *task, bool over)
{
    if (over && (task->wait != AL_KIND_MUTEX ||
                        task->wants->tag != AL_TAG(AL_KIND_MUTEX))) {
        if (task->ring_link == &task->waitq->head) {
            task->ring_link = &stray.nowhere;
        }
        task->wants = NULL;
        return true;
    }
    if (task->wait == AL_KIND_EVENT) {
        event_moved_held(task->waitq); /* a look that is owed begins again */
        return true;
    }
    return time_cancel_wait_held(task);
}

static void evict_held(
        struct al_task *task, const struct al_task *self, bool over)
{
    uintptr_t at;

    if (task == NULL || task->waitq == NULL) {
        return;
    }
    at = (uintptr_t)task->waitq - self->stack_low;
    if (at >= self->stack_high - self->stack_low ||
            !leave_books_held(task, over)) {
        return;
    }
    if (task->waitq != NULL) {
        wait_remove_held(task);
    }
    arch_set_result(task, AL_E_DESTROYED);
    sched_wake_held(task);
}

/* The task after the one that is named, or the first, if that has ended since. */
static struct al_task *next_held(struct al_task_id at)
{
    bool stays = at.task != NULL && task_is_known(at.task) &&
                 at.task->spawns == at.spawn;

    return task_next(stays ? at.task : NULL);
}

/* The end of a step. Not by a call that switches: recover_open() may not. */
static void leave(const struct al_task *self)
{
    bool gives_way;

    sched_look_again_held();
    gives_way = sched_top_held() != self;
    softlock_leave();
    if (gives_way) {
        arch_pend_switch();
    }
}

static void evict_all(const struct al_task *self, bool over)
{
    struct al_task_id at = {NULL, 0};

    do {
        softlock_take();
        at.task = next_held(at);
        if (at.task != NULL) {
            at.spawn = at.task->spawns;
            evict_held(at.task, self, over);
            evict_held(task_second(at.task), self, over);
        }
        leave(self);
    } while (at.task != NULL);
}

static void stop_all(const struct al_task *self)
{
    uint32_t left = timer_strays_held();

    while (left > 0) {
        softlock_take();
        timer_stray_step_held(
                self->stack_low, self->stack_high - self->stack_low);
        leave(self);
        left--;
    }
}

void stray_begin(struct al_task *self)
{
    if (stray.any) {
        stop_all(self);
        evict_all(self, false);
    }
}

void stray_end(struct al_task *self)
{
    if (stray.any) {
        stop_all(self);
        evict_all(self, true);
    }
}
