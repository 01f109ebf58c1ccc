/* SPDX-License-Identifier: MIT */
/*
 * Semaphores. `count` is written by everybody, by load-linked and
 * store-conditional, and is always exact: units given minus units asked for.
 * `waiting` and the queue belong to the kernel lock.
 *
 * Whoever gives and finds the count below 0 owes a wake: as many are owed as
 * more tasks wait than units are lacking. A handler that finds the lock free
 * wakes one, and is certain to find one, for nobody else can have paid its debt
 * since: handlers that come in between pay their own. A task may be overtaken
 * by the switch exception, which pays all that is owed when the semaphore was
 * posted; so it looks first.
 *
 * A task that gives while tasks wait counts under the lock, so that it cannot
 * be preempted between the count and the wake: what others give after it would
 * find a count that owes nobody anything.
 *
 * The fast paths have no stack check and call nothing that has none: whatever
 * is not simple goes on in a function of the interface's kind. All zeros is a
 * count of 0 with a bound of 0, which is not simple whatever is asked.
 */
#include <alula/sem.h>

#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "sem.h"
#include "softlock.h"
#include "time.h"

static struct al_sem *sem_of(struct al_post *post)
{
    return (struct al_sem *)(void *)((char *)post -
                                     offsetof(struct al_sem, post));
}

static bool is_sem(const struct al_sem *sem)
{
    return *(const volatile uint32_t *)&sem->post.tag == AL_TAG(AL_KIND_SEM);
}

/* Adds to the count, whoever else does. */
static void count_add(struct al_sem *sem, int32_t units)
{
    while (!sem_count_store(sem, sem_count_look(sem) + units)) {
    }
}

void al_sem_init(struct al_sem *sem, int32_t initial, int32_t max)
{
    CALLER_MUST(SEM, 4, max >= 1 && initial >= 0 && initial <= max);
    sem->count = initial;
    sem->max = max;
    sem->waiters.head = NULL;
    sem->waiting = 0;
    sem->post.next = NULL;
    sem->post.pending = 0;
    sem->post.tag = AL_TAG(AL_KIND_SEM);
}

/* ---- taking ---- */

/* The case of an image in which nobody has a deadline (semuntil.c). */
__attribute__((weak)) void sem_wait_held(struct al_sem *sem, al_time deadline)
{
    (void)deadline;
    time_wait_ever_held(&sem->waiters, AL_KIND_SEM);
}

/* There was no unit at the look. */
__attribute__((noinline)) al_status al_sem_take_slow(
        struct al_sem *sem, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    al_status status;
    int32_t count;

    CALLER_MUST(SEM, 1, !arch_in_handler());
    CALLER_MUST(SEM, 3, is_sem(sem));
    softlock_take();
    do {
        count = sem_count_look(sem);
        status = !is_sem(sem)         ? AL_E_DESTROYED
                 : past && count <= 0 ? AL_E_TIMEOUT
                                      : AL_OK;
    } while (status == AL_OK && !sem_count_store(sem, count - 1));
    if (status != AL_OK || count > 0) {
        softlock_leave();
        return status;
    }
    /* A unit is asked for; whoever gives one from here on owes a wake. */
    sem->waiting++;
    if (SCHED_SMALL) {
        sem_wait_held(sem, deadline);
    } else {
        time_wait_held(&sem->waiters, AL_KIND_SEM, deadline);
    }
    return sched_give_way_held(AL_OK);
}

/* For ever; the semaphore goes on. */
void al_sem_take_block(struct al_sem *sem);

__attribute__((noinline)) void al_sem_take_block(struct al_sem *sem)
{
    al_status status = al_sem_take_slow(sem, AL_FOREVER);

    CALLER_MUST(SEM, 3, status == AL_OK);
}

void al_sem_take(struct al_sem *sem)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (count <= 0) {
            al_sem_take_block(sem);
            return;
        }
    } while (!sem_count_store(sem, count - 1));
}

al_status al_sem_try_take(struct al_sem *sem)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (count <= 0) {
            return AL_E_EMPTY;
        }
    } while (!sem_count_store(sem, count - 1));
    return AL_OK;
}

/* ---- waking ---- */

/* Is a wake owed? Where no handler gives, only to a unit that just came. */
static bool is_unsettled_held(const struct al_sem *sem)
{
    return wait_first_held(&sem->waiters) != NULL &&
           (!SOFTLOCK_HANDLERS ||
                   sem->waiting + *(const volatile int32_t *)&sem->count > 0);
}

static inline void wake_first_held(struct al_sem *sem)
{
    struct al_task *waiter = wait_first_held(&sem->waiters);

    sem->waiting--;
    wait_remove_held(waiter);
    sched_wake_held(waiter);
}

void sem_settle_held(struct al_post *post)
{
    struct al_sem *sem = sem_of(post);

    while (is_unsettled_held(sem)) {
        wake_first_held(sem);
        if (!softlock_inbox_is_empty()) {
            softlock_irq_post(post); /* others first, then the rest */
            return;
        }
    }
}

/* Its deadline passed. What was given before that is delivered first. */
bool sem_cancel_held(struct al_task *task)
{
    struct al_sem *sem =
            (struct al_sem *)(void *)((char *)task->waitq -
                                      offsetof(struct al_sem, waiters));

    while (SOFTLOCK_HANDLERS && is_unsettled_held(sem)) {
        wake_first_held(sem);
    }
    if (task->waitq == NULL) {
        return false;
    }
    sem->waiting--;
    wait_remove_held(task);
    count_add(sem, 1);
    return true;
}

/* ---- giving ---- */

/* False: it is full. */
static inline bool count_one(struct al_sem *sem)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (count >= sem->max) {
            return false;
        }
    } while (!sem_count_store(sem, count + 1));
    return true;
}

/* False: it is full. */
static inline bool give_held(struct al_sem *sem)
{
    if (!count_one(sem)) {
        return false;
    }
    if (is_unsettled_held(sem)) {
        wake_first_held(sem);
    }
    return true;
}

/* For software timers, which have looked that it is a semaphore. */
bool sem_give_held(struct al_sem *sem)
{
    return give_held(sem);
}

/* Tasks wait, or it is full, or no semaphore, at the look. */
al_status al_sem_give_slow(struct al_sem *sem);

__attribute__((noinline)) al_status al_sem_give_slow(struct al_sem *sem)
{
    CALLER_MUST(SEM, 2, !arch_in_handler());
    CALLER_MUST(SEM, 3, is_sem(sem));
    softlock_take();
    if (!give_held(sem)) {
        softlock_leave();
        return AL_E_FULL;
    }
    return softlock_leave_and_switch(AL_OK);
}

al_status al_sem_give(struct al_sem *sem)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (__builtin_expect((uint32_t)count >= (uint32_t)sem->max, 0)) {
            return al_sem_give_slow(sem);
        }
    } while (__builtin_expect(!sem_count_store(sem, count + 1), 0));
    return AL_OK;
}

/*
 * A handler found that tasks wait, or it full, or no semaphore. It counts the
 * unit here, behind the stack check: one that overflowed between the count and
 * the wake would leave a task asleep that nobody owes anything.
 */
al_status al_irq_sem_give_slow(struct al_sem *sem);

__attribute__((noinline)) al_status al_irq_sem_give_slow(struct al_sem *sem)
{
    int32_t count;

    if (!is_sem(sem)) {
        return AL_E_DESTROYED;
    }
    do {
        count = sem_count_look(sem);
        if (__builtin_expect(count >= 0, 0)) {
            /* Others have woken all since the look, or it is full. */
            return count_one(sem) ? AL_OK : AL_E_FULL;
        }
    } while (!sem_count_store(sem, count + 1));
    if (softlock_is_taken()) {
        softlock_irq_post(&sem->post);
        return AL_OK;
    }
    softlock_irq_take();
    wake_first_held(sem);
    softlock_irq_leave();
    return AL_OK;
}

al_status al_irq_sem_give(struct al_sem *sem)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (__builtin_expect((uint32_t)count >= (uint32_t)sem->max, 0)) {
            return al_irq_sem_give_slow(sem);
        }
    } while (__builtin_expect(!sem_count_store(sem, count + 1), 0));
    return AL_OK;
}

int32_t al_sem_count(const struct al_sem *sem)
{
    int32_t count = *(const volatile int32_t *)&sem->count;

    return count < 0 ? 0 : count;
}

/* ---- ending ---- */

void al_sem_destroy(struct al_sem *sem)
{
    struct al_task *waiter;

    CALLER_MUST(SEM, 1, !arch_in_handler());
    CALLER_MUST(SEM, 3, is_sem(sem));
    sem->post.tag = 0; /* nobody new waits, and no post does anything */
    AL_BARRIER();
    sem->max = 0;
    do {
        softlock_take();
        waiter = wait_first_held(&sem->waiters);
        if (waiter != NULL) {
            sem->waiting--;
            wait_remove_held(waiter);
            count_add(sem, 1);
            arch_set_result(waiter, AL_E_DESTROYED);
            sched_wake_held(waiter);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (waiter != NULL);
    sem->count = 0;
    softlock_forget(&sem->post);
}
