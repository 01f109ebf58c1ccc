/* SPDX-License-Identifier: MIT */
/*
 * Mutexes with priority inheritance.
 *
 * Free and taken-with-nobody-waiting are one atomic word, `owner`; its bit 0
 * says that tasks wait, bit 1 that the last holder died with it. Either sends
 * to the slow path, under the kernel lock, and so does an interrupt between
 * load-linked and store-conditional. A task puts the mutex on its chain of
 * scopes after it has taken it, and takes it off before it lets it go: the link
 * is the holder's.
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
#define POISONED   ((uintptr_t)2)

struct al_mutex *mutex_of(struct al_scope *scope)
{
    return (struct al_mutex *)(void *)((char *)scope -
                                       offsetof(struct al_mutex, scope));
}

static struct al_task *owner_of(const struct al_mutex *mutex)
{
    uintptr_t owner = *(const volatile uintptr_t *)&mutex->owner;

    return (struct al_task *)(owner & ~(WAITED_FOR | POISONED));
}

static uintptr_t owner_look(struct al_mutex *mutex)
{
    return arch_load_linked_at(mutex, offsetof(struct al_mutex, owner));
}

static bool owner_store(struct al_mutex *mutex, uintptr_t owner)
{
    return arch_store_if_at(mutex, offsetof(struct al_mutex, owner), owner);
}

static al_status taken(const struct al_mutex *mutex)
{
    return (mutex->owner & POISONED) != 0 ? AL_E_POISONED : AL_OK;
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
    if (owner_of(mutex) == NULL) {
        /* Poisoned, or let go since the look. Only tasks write the owner, and
         * this one holds the lock: plain stores do. */
        mutex->scope.prev = self->scopes;
        mutex->scope.arg = (void *)entry_sp;
        self->scopes = &mutex->scope;
        mutex->owner |= (uintptr_t)self;
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

    if (arch_in_handler()) {
        return panic_misuse(PANIC_MUTEX_1);
    }
    if (__builtin_expect(owner_look(mutex) != 0, 0) ||
            __builtin_expect(!owner_store(mutex, (uintptr_t)self), 0)) {
        return lock_slow(mutex, arch_entry_sp());
    }
    mutex->scope.arg = (void *)arch_entry_sp();
    mutex->scope.prev = self->scopes;
    AL_BARRIER();
    self->scopes = &mutex->scope;
    return AL_OK;
}

al_status al_mutex_try_lock(struct al_mutex *mutex)
{
    if (owner_of(mutex) != NULL) {
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

/* Tasks wait, or the mutex is poisoned, or an interrupt came. It is out of its
 * holder's chain; the first waiter gets it. */
__attribute__((noinline)) static void release_slow(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;
    struct al_task *heir;
    uintptr_t owner;

    softlock_take();
    owner = mutex->owner & POISONED;
    heir = wait_first_held(&mutex->waiters);
    if (heir == NULL) {
        mutex->owner = owner;
        softlock_leave();
        return;
    }
    wait_remove_held(heir);
    heir->wants = NULL;
    mutex->scope.prev = heir->scopes;
    heir->scopes = &mutex->scope;
    owner |= (uintptr_t)heir;
    if (wait_first_held(&mutex->waiters) != NULL) {
        owner |= WAITED_FOR;
    }
    mutex->owner = owner;
    sched_set_prio_held(self, deserved_prio_held(self));
    sched_wake_held(heir);
    (void)softlock_leave_and_switch(0);
}

static void release(struct al_mutex *mutex, struct al_task *self)
{
    if (__builtin_expect(owner_look(mutex) != (uintptr_t)self, 0) ||
            __builtin_expect(!owner_store(mutex, 0), 0)) {
        release_slow(mutex);
    }
}

/* Not the newest of what the task holds. */
__attribute__((noinline)) static void unlock_inner(
        struct al_mutex *mutex, struct al_task *self)
{
    CALLER_MUST(MUTEX, 3, al_scope_unlink(&mutex->scope));
    release(mutex, self);
}

void al_mutex_unlock(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;

    if (arch_in_handler()) {
        (void)panic_misuse(PANIC_MUTEX_1);
        return;
    }
    /* What stands in a task's chain is held by it. Out of the chain before the
     * release: after it the link is the next holder's. */
    if (__builtin_expect(self->scopes != &mutex->scope, 0)) {
        unlock_inner(mutex, self);
        return;
    }
    self->scopes = mutex->scope.prev;
    release(mutex, self);
}

/* Sets or clears bits of the owner word, which the calling task owns. */
static void owner_change(struct al_mutex *mutex, uintptr_t clear, uintptr_t set)
{
    while (!owner_store(mutex, (owner_look(mutex) & ~clear) | set)) {
    }
}

bool mutex_poison(struct al_scope *scope)
{
    struct al_mutex *mutex = mutex_of(scope);

    if (owner_of(mutex) != al_core.current) {
        return false;
    }
    owner_change(mutex, 0, POISONED);
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

void mutex_disinherit(void)
{
    struct al_task *self = al_core.current;

    if (self->prio != self->base_prio) {
        softlock_take();
        sched_set_prio_held(self, self->base_prio);
        (void)softlock_leave_and_switch(0);
    }
}

void al_mutex_heal(struct al_mutex *mutex)
{
    CALLER_MUST(MUTEX, 3, owner_of(mutex) == al_core.current);
    owner_change(mutex, POISONED, 0);
}

bool al_mutex_is_mine(const struct al_mutex *mutex)
{
    return owner_of(mutex) == al_core.current;
}

bool al_mutex_is_held(const struct al_mutex *mutex)
{
    return owner_of(mutex) != NULL;
}
