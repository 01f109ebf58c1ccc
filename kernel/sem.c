/* SPDX-License-Identifier: MIT */
/*
 * Semaphores. `count` is written by everybody, by load-linked and
 * store-conditional, and is always exact: units given minus units asked for.
 * `waiting` and the queue belong to the kernel lock. Settling wakes waiters
 * until no more wait than units are lacking; it may come late, twice or from
 * anybody, and does the same.
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

__attribute__((noinline)) static void block_held(struct al_sem *sem)
{
    struct al_task *self = al_core.current;

    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    wait_insert_held(&sem->waiters, self);
    sem->waiting++;
    (void)arch_switch(0, sched_top_held());
}

void al_sem_take(struct al_sem *sem)
{
    CALLER_MUST(SEM, 1, !arch_in_handler());
    for (;;) {
        int32_t count = count_look(sem);

        if (count > 0) {
            if (count_store(sem, count - 1)) {
                return;
            }
            continue;
        }
        softlock_take();
        if (count_store(sem, count - 1)) {
            block_held(sem);
            return;
        }
        softlock_leave(); /* an interrupt came: what it gave may suffice */
    }
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

static void settle_held(struct al_sem *sem)
{
    while (sem->waiting > 0 &&
            sem->waiting > -*(volatile int32_t *)&sem->count) {
        struct al_task *waiter = wait_first_held(&sem->waiters);

        wait_remove_held(waiter);
        sem->waiting--;
        sched_wake_held(waiter);
    }
}

void sem_settle_held(struct al_post *post)
{
    settle_held(sem_of(post));
}

al_status al_sem_give(struct al_sem *sem)
{
    int32_t count;

    CALLER_MUST(SEM, 2, !arch_in_handler());
    do {
        count = count_look(sem);
        if (count >= sem->max) {
            return AL_E_FULL;
        }
    } while (!count_store(sem, count + 1));
    if (count < 0) {
        softlock_take();
        settle_held(sem);
        softlock_leave_and_switch();
    }
    return AL_OK;
}

al_status al_irq_sem_give(struct al_sem *sem)
{
    int32_t count;

    do {
        count = count_look(sem);
        if (count >= sem->max) {
            return AL_E_FULL;
        }
    } while (!count_store(sem, count + 1));
    if (count >= 0) {
        return AL_OK;
    }
    if (softlock_is_taken()) {
        softlock_irq_post(&sem->post);
        return AL_OK;
    }
    softlock_take();
    settle_held(sem);
    softlock_irq_leave();
    return AL_OK;
}

int32_t al_sem_count(const struct al_sem *sem)
{
    int32_t count = *(const volatile int32_t *)&sem->count;

    return count < 0 ? 0 : count;
}
