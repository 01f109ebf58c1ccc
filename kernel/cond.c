/* SPDX-License-Identifier: MIT */
/*
 * Condition variables. No interrupt touches one: everything is under the
 * kernel lock, and there is no post.
 *
 * Between the release of the mutex and the next time it runs, a task that waits
 * holds nothing: the mutex is out of its chain of scopes. It takes the mutex
 * again by itself, as the first thing that it does; whatever it is told, it is
 * told with the mutex in its chain, at the place where it was.
 *
 * A broadcast wakes one task per time that it holds the lock, so tasks that it
 * has woken may wait again before it has done. They would be woken again, and
 * in place of less urgent ones. So there are two queues: a broadcast lets new
 * waiters go to the other one, and empties the first. A broadcast that comes
 * meanwhile does the rest of that before it begins; the interrupted one then
 * finds another number in `broadcasts`, and that nothing is left for it.
 */
#include <alula/cond.h>

#include "arch.h"
#include "core/wait.h"
#include "mutex.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "time.h"

static bool is_cond(const struct al_cond *cond)
{
    return *(const volatile uint32_t *)&cond->tag == AL_TAG(AL_KIND_COND);
}

/* Where who waits now stands, and where those are that are being woken. */
static struct al_waitq *present_held(struct al_cond *cond)
{
    return &cond->waiters[cond->broadcasts & 1];
}

static struct al_waitq *leaving_held(struct al_cond *cond)
{
    return &cond->waiters[~cond->broadcasts & 1];
}

void al_cond_init(struct al_cond *cond)
{
    cond->waiters[0].head = NULL;
    cond->waiters[1].head = NULL;
    cond->broadcasts = 0;
    cond->tag = AL_TAG(AL_KIND_COND);
}

/* ---- waiting ---- */

static al_status more_urgent(al_status waited, al_status locked)
{
    return waited == AL_E_DESTROYED || locked == AL_OK ? waited : locked;
}

al_status al_cond_wait_until(
        struct al_cond *cond, struct al_mutex *mutex, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    struct al_scope **link;
    al_status waited;
    al_status locked;
    uintptr_t sp;

    CALLER_MUST(COND, 1, !arch_in_handler());
    CALLER_MUST(COND, 2, is_cond(cond));
    CALLER_MUST(COND, 3, mutex_is_held_once(mutex));
    if (past) {
        return AL_E_TIMEOUT;
    }
    sp = (uintptr_t)mutex->scope.arg;
    link = mutex_unlink(mutex);
    CALLER_MUST(COND, 3, link != NULL);
    softlock_take();
    mutex_release_held(mutex);
    if (is_cond(cond)) {
        time_wait_held(present_held(cond), AL_KIND_COND, deadline);
        waited = sched_give_way_held(AL_OK);
    } else {
        waited = softlock_leave_and_switch(AL_E_DESTROYED);
    }
    locked = mutex_retake(mutex, sp);
    if (locked == AL_E_DESTROYED) {
        return locked;
    }
    mutex_put_back(mutex, link);
    return more_urgent(waited, locked);
}

al_status al_cond_wait(struct al_cond *cond, struct al_mutex *mutex)
{
    return al_cond_wait_until(cond, mutex, AL_FOREVER);
}

/* Its deadline passed. */
bool cond_cancel_held(struct al_task *task)
{
    wait_remove_held(task);
    return true;
}

/* ---- waking ---- */

/* Wakes the first of a queue; false: there was none. */
static bool wake_first_held(struct al_waitq *queue, al_status status)
{
    struct al_task *waiter = wait_first_held(queue);

    if (waiter == NULL) {
        return false;
    }
    wait_remove_held(waiter);
    arch_set_result(waiter, status);
    sched_wake_held(waiter);
    return true;
}

/* Somebody waits, or no condition variable, or a handler. */
void al_cond_signal_slow(struct al_cond *cond);

__attribute__((noinline)) void al_cond_signal_slow(struct al_cond *cond)
{
    CALLER_MUST(COND, 1, !arch_in_handler());
    CALLER_MUST(COND, 2, is_cond(cond));
    softlock_take();
    (void)wake_first_held(present_held(cond), AL_OK);
    (void)softlock_leave_and_switch(AL_OK);
}

/* Does anybody wait, as far as can be seen without the lock? A task that comes
 * to wait later has not been overlooked. */
static bool is_idle(const struct al_cond *cond)
{
    return *(struct al_task *const volatile *)&cond->waiters[0].head == NULL &&
           *(struct al_task *const volatile *)&cond->waiters[1].head == NULL;
}

void al_cond_signal(struct al_cond *cond)
{
    if (!is_idle(cond) || !is_cond(cond) || arch_in_handler()) {
        al_cond_signal_slow(cond);
    }
}

void al_cond_broadcast(struct al_cond *cond)
{
    uint32_t mine = 0;
    bool more;

    CALLER_MUST(COND, 1, !arch_in_handler());
    CALLER_MUST(COND, 2, is_cond(cond));
    do { /* the rest of one that is under way, then the queues change places */
        softlock_take();
        more = wake_first_held(leaving_held(cond), AL_OK);
        if (!more) {
            cond->broadcasts++;
            mine = cond->broadcasts;
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (more);
    do {
        softlock_take();
        more = cond->broadcasts == mine &&
               wake_first_held(leaving_held(cond), AL_OK);
        (void)softlock_leave_and_switch(AL_OK);
    } while (more);
}

/* ---- ending ---- */

void al_cond_destroy(struct al_cond *cond)
{
    bool more;

    CALLER_MUST(COND, 1, !arch_in_handler());
    CALLER_MUST(COND, 2, is_cond(cond));
    cond->tag = 0; /* nobody new waits */
    do {
        softlock_take();
        more = wake_first_held(&cond->waiters[0], AL_E_DESTROYED) ||
               wake_first_held(&cond->waiters[1], AL_E_DESTROYED);
        (void)softlock_leave_and_switch(AL_OK);
    } while (more);
}
