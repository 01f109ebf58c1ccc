/* SPDX-License-Identifier: MIT */
/*
 * Mutexes with priority inheritance.
 *
 * Free and taken-with-nobody-waiting are one atomic word, `owner`; its bit 0
 * says that tasks wait, and sends the holder's unlock to the slow path, under
 * the kernel lock. A task pushes the mutex on its own chain of scopes between
 * the load-linked and the store-conditional that takes it: whoever fails takes
 * it off again by writing the chain's old head back.
 *
 * Inheritance: a waiter raises the holder, and whoever that one waits for, one
 * link a step. A release recomputes the holder's priority from the mutexes that
 * it still holds.
 *
 * Invariants under the lock: bit 0 of owner is set exactly if a task waits; a
 * task's prio is the largest of its base_prio and the prio of the first waiter
 * of each mutex in its chain.
 */
#include "mutex.h"

#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"
#include "wait.h"

#define WAITED_FOR ((uintptr_t)1)

struct al_mutex *mutex_of(struct al_scope *scope)
{
    return (struct al_mutex *)(void *)((char *)scope -
                                       offsetof(struct al_mutex, scope));
}

static struct al_task *owner_of(const struct al_mutex *mutex)
{
    uintptr_t owner = *(const volatile uintptr_t *)&mutex->owner;

    return (struct al_task *)(owner & ~WAITED_FOR);
}

static al_status taken(const struct al_mutex *mutex)
{
    return mutex->poisoned != 0 ? AL_E_POISONED : AL_OK;
}

/* Raise the holder, the holder of what that one waits for, and so on. */
static void inherit_held(struct al_mutex *mutex, uint8_t prio)
{
    while (mutex != NULL) {
        struct al_task *owner = owner_of(mutex);

        if (owner->prio >= prio) {
            return;
        }
        sched_set_prio_held(owner, prio);
        mutex = owner->wants;
    }
}

__attribute__((noinline)) static al_status lock_slow(
        struct al_mutex *mutex, uintptr_t entry_sp)
{
    struct al_task *self = al_core.current;

    CALLER_MUST(MUTEX, 2, owner_of(mutex) != self);
    softlock_take();
    if (mutex->owner == 0) {
        /* It was let go since the look. Only tasks write the owner, and this
         * one holds the lock: plain stores do. */
        mutex->scope.prev = self->scopes;
        mutex->scope.arg = (void *)entry_sp;
        self->scopes = &mutex->scope;
        mutex->owner = (uintptr_t)self;
        softlock_leave();
        return taken(mutex);
    }
    mutex->owner |= WAITED_FOR;
    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    self->wants = mutex;
    wait_insert_held(&mutex->waiters, self);
    inherit_held(mutex, self->prio);
    /* The releaser makes this task the owner before it wakes it. */
    (void)arch_switch(0, sched_top_held());
    mutex->scope.arg = (void *)entry_sp;
    return taken(mutex);
}

al_status al_mutex_lock(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;
    uintptr_t entry_sp = arch_entry_sp();
    struct al_scope *newest = self->scopes;

    CALLER_MUST(MUTEX, 1, !arch_in_handler());
    do {
        if (arch_load_linked(&mutex->owner) != 0) {
            return lock_slow(mutex, entry_sp);
        }
    } while (!arch_store_if(&mutex->owner, (uintptr_t)self));
    mutex->scope.prev = newest;
    mutex->scope.arg = (void *)entry_sp;
    AL_BARRIER();
    self->scopes = &mutex->scope;
    return taken(mutex);
}

al_status al_mutex_try_lock(struct al_mutex *mutex)
{
    if (*(volatile uintptr_t *)&mutex->owner != 0) {
        CALLER_MUST(MUTEX, 1, !arch_in_handler());
        return AL_E_BUSY;
    }
    return al_mutex_lock(mutex);
}

/* What `task` runs at, by what it holds. */
static uint8_t deserved_prio_held(const struct al_task *task)
{
    struct al_scope *s = task->scopes;
    uint8_t prio = task->base_prio;

    for (uint32_t i = 0; i < TASK_SCOPES_MAX && s != NULL; i++) {
        const struct al_task *waiter = NULL;

        if (!task_scope_is_sane(task, s)) {
            break;
        }
        if (s->fn == NULL) {
            if (owner_of(mutex_of(s)) != task) {
                break;
            }
            waiter = wait_first_held(&mutex_of(s)->waiters);
        }
        if (waiter != NULL && waiter->prio > prio) {
            prio = waiter->prio;
        }
        s = s->prev;
    }
    return prio;
}

/* Hand the mutex, out of its holder's chain already, to the first waiter. */
__attribute__((noinline)) static void release_slow(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;
    struct al_task *heir;

    softlock_take();
    heir = wait_first_held(&mutex->waiters);
    wait_remove_held(heir);
    heir->wants = NULL;
    mutex->scope.prev = heir->scopes;
    heir->scopes = &mutex->scope;
    mutex->owner = (uintptr_t)heir |
                   (wait_first_held(&mutex->waiters) != NULL ? WAITED_FOR : 0);
    sched_set_prio_held(self, deserved_prio_held(self));
    sched_wake_held(heir);
    (void)softlock_leave_and_switch(0);
}

static void release(struct al_mutex *mutex, struct al_task *self)
{
    do {
        if (arch_load_linked(&mutex->owner) != (uintptr_t)self) {
            release_slow(mutex);
            return;
        }
    } while (!arch_store_if(&mutex->owner, 0));
}

void al_mutex_unlock(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;

    CALLER_MUST(MUTEX, 1, !arch_in_handler());
    /* What stands in a task's chain is held by it. Out of the chain before the
     * release: after it the link is the next holder's. */
    if (self->scopes == &mutex->scope) {
        self->scopes = mutex->scope.prev;
    } else {
        CALLER_MUST(MUTEX, 3, al_scope_unlink(&mutex->scope));
    }
    release(mutex, self);
}

bool mutex_poison(struct al_scope *scope)
{
    struct al_mutex *mutex = mutex_of(scope);

    if (owner_of(mutex) != al_core.current) {
        return false;
    }
    mutex->poisoned = 1;
    return true;
}

bool mutex_abandon(struct al_scope *scope)
{
    struct al_mutex *mutex = mutex_of(scope);
    struct al_task *self = al_core.current;

    if (owner_of(mutex) != self) {
        return false;
    }
    release(mutex, self);
    return true;
}

void al_mutex_heal(struct al_mutex *mutex)
{
    CALLER_MUST(MUTEX, 3, owner_of(mutex) == al_core.current);
    mutex->poisoned = 0;
}

bool al_mutex_is_mine(const struct al_mutex *mutex)
{
    return owner_of(mutex) == al_core.current;
}

bool al_mutex_is_held(const struct al_mutex *mutex)
{
    return owner_of(mutex) != NULL;
}
