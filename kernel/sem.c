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
 * The step below 0 is taken by a store-conditional after the lock is taken:
 * that it succeeds proves that no interrupt came between the look at the count
 * and the lock, so no unit can have been given unseen.
 */
#include <alula/sem.h>

#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "wait.h"

static struct al_sem *sem_of(struct al_post *post)
{
    return (struct al_sem *)(void *)((char *)post -
                                     offsetof(struct al_sem, post));
}

static int32_t count_look(struct al_sem *sem)
{
    return (int32_t)arch_load_linked(&sem->count);
}

static bool count_store(struct al_sem *sem, int32_t count)
{
    return arch_store_if(&sem->count, (uint32_t)count);
}

/*
 * Interrupts came between the look at the count and the lock, which is held:
 * let them finish, and look again. True: a unit was there, and the lock is
 * free; false: a unit is asked for, under the lock.
 */
__attribute__((noinline)) static bool take_again_held(struct al_sem *sem)
{
    int32_t count;

    do {
        softlock_leave();
        softlock_take();
        count = count_look(sem);
    } while (!count_store(sem, count - 1));
    if (count > 0) {
        softlock_leave();
        return true;
    }
    return false;
}

/* `count` was looked at last, and there was no unit. */
__attribute__((noinline)) static void take_slow(
        struct al_sem *sem, int32_t count)
{
    struct al_task *self = al_core.current;

    softlock_take();
    if (__builtin_expect(!count_store(sem, count - 1), 0) &&
            take_again_held(sem)) {
        return;
    }
    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    wait_insert_held(&sem->waiters, self);
    sem->waiting++;
    (void)arch_switch(0, sched_top_held());
}

void al_sem_take(struct al_sem *sem)
{
    int32_t count;

    if (arch_in_handler()) {
        (void)panic_misuse(PANIC_SEM_1);
        return;
    }
    do {
        count = count_look(sem);
        if (count <= 0) {
            take_slow(sem, count);
            return;
        }
    } while (!count_store(sem, count - 1));
}

al_status al_sem_try_take(struct al_sem *sem)
{
    int32_t count;

    do {
        count = count_look(sem);
        if (count <= 0) {
            return AL_E_EMPTY;
        }
    } while (!count_store(sem, count - 1));
    return AL_OK;
}

/* Is a wake owed? */
static bool is_unsettled_held(const struct al_sem *sem)
{
    return wait_first_held(&sem->waiters) != NULL &&
           sem->waiting + *(const volatile int32_t *)&sem->count > 0;
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
    while (is_unsettled_held(sem_of(post))) {
        wake_first_held(sem_of(post));
    }
}

/* The count was below 0: pay. */
__attribute__((noinline)) static al_status give_slow(struct al_sem *sem)
{
    softlock_take();
    if (is_unsettled_held(sem)) {
        wake_first_held(sem);
    }
    return (al_status)softlock_leave_and_switch(AL_OK);
}

al_status al_sem_give(struct al_sem *sem)
{
    int32_t count;

    if (arch_in_handler()) {
        return panic_misuse(PANIC_SEM_2);
    }
    do {
        count = count_look(sem);
        if (__builtin_expect(count >= sem->max, 0)) {
            return AL_E_FULL;
        }
    } while (__builtin_expect(!count_store(sem, count + 1), 0));
    return count < 0 ? give_slow(sem) : AL_OK;
}

/* The same in a handler. */
__attribute__((noinline)) static al_status irq_give_slow(struct al_sem *sem)
{
    if (softlock_is_taken()) {
        softlock_irq_post(&sem->post);
        return AL_OK;
    }
    softlock_take();
    wake_first_held(sem);
    softlock_irq_leave();
    return AL_OK;
}

al_status al_irq_sem_give(struct al_sem *sem)
{
    int32_t count;

    do {
        count = count_look(sem);
        if (__builtin_expect(count >= sem->max, 0)) {
            return AL_E_FULL;
        }
    } while (__builtin_expect(!count_store(sem, count + 1), 0));
    return count < 0 ? irq_give_slow(sem) : AL_OK;
}

int32_t al_sem_count(const struct al_sem *sem)
{
    int32_t count = *(const volatile int32_t *)&sem->count;

    return count < 0 ? 0 : count;
}
