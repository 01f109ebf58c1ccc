/* SPDX-License-Identifier: MIT */
/*
 * Mutexes with priority inheritance.
 *
 * Free and taken-with-nobody-waiting are one atomic word, `owner`. It is the
 * holder's address, with a bit that says that tasks wait, one that the last
 * holder died with it, and one that it was taken again; or AL_MUTEX_FREE. Each
 * bit sends to the slow path, under the kernel lock, and so do memory that is
 * no mutex, and an interrupt between load-linked and store-conditional. A task
 * puts the mutex on its chain of scopes after it has taken it, and takes it off
 * before it lets it go: the link is the holder's.
 *
 * What others inherit is kept by inherit.c: a mutex that is waited for stands
 * in its holder's list.
 *
 * Invariant under the lock: AL_MUTEX_WAITED is set exactly if a task waits.
 */
#include "mutex.h"

#include "arch.h"
#include "core/wait.h"
#include "inherit.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"
#include "time.h"

struct al_mutex *mutex_of(const struct al_scope *scope)
{
    return (struct al_mutex *)(void *)((char *)scope -
                                       offsetof(struct al_mutex, scope));
}

static bool is_mutex(const struct al_mutex *mutex)
{
    return *(const volatile uint32_t *)&mutex->tag == AL_TAG(AL_KIND_MUTEX);
}

static uintptr_t owner_look(struct al_mutex *mutex)
{
    return arch_load_linked_at(mutex, offsetof(struct al_mutex, owner));
}

static bool owner_store(struct al_mutex *mutex, uintptr_t owner)
{
    return arch_store_if_at(mutex, offsetof(struct al_mutex, owner), owner);
}

/* Sets and clears bits of the owner's word, which the calling task owns. */
static void owner_change(struct al_mutex *mutex, uintptr_t clear, uintptr_t set)
{
    while (!owner_store(mutex, (owner_look(mutex) & ~clear) | set)) {
    }
}

static al_status taken(const struct al_mutex *mutex)
{
    return (mutex->owner & AL_MUTEX_POISONED) != 0 ? AL_E_POISONED : AL_OK;
}

void al_mutex_init(struct al_mutex *mutex, bool recursive)
{
    mutex->scope.arg = NULL;
    mutex->scope.prev = NULL;
    mutex->scope.fn = NULL;
    mutex->scope.newer = NULL;
    mutex->owner = AL_MUTEX_FREE;
    mutex->waiters.head = NULL;
    mutex->next = NULL;
    mutex->peer = NULL;
    mutex->link = NULL;
    mutex->recursive = recursive;
    mutex->again = 0;
    mutex->tag = AL_TAG(AL_KIND_MUTEX);
}

/* Make `task`, which waits for it or takes it now, the holder. */
static void give_held(struct al_mutex *mutex, struct al_task *task)
{
    uintptr_t owner = (uintptr_t)task | (mutex->owner & AL_MUTEX_POISONED);

    mutex->scope.prev = task->scopes;
    task->scopes = &mutex->scope;
    if (wait_first_held(&mutex->waiters) != NULL) {
        owner |= AL_MUTEX_WAITED;
    }
    mutex->owner = owner;
}

static al_status lock_again(struct al_mutex *mutex)
{
    CALLER_MUST(MUTEX, 2, mutex->recursive != 0 && mutex->again < UINT16_MAX);
    mutex->again++;
    owner_change(mutex, 0, AL_MUTEX_FREE);
    return taken(mutex);
}

/* Takes it, or waits for it; the current task does not hold it. */
AL_INLINE al_status lock_others(
        struct al_mutex *mutex, uintptr_t entry_sp, bool past, al_time deadline)
{
    struct al_task *self = al_core.current;
    struct al_task *owner;
    al_status status;

    softlock_take();
    owner = inherit_owner(mutex);
    if (!is_mutex(mutex) || (past && owner != NULL)) {
        status = is_mutex(mutex) ? AL_E_TIMEOUT : AL_E_DESTROYED;
        softlock_leave();
        return status;
    }
    if (owner == NULL) {
        give_held(mutex, self);
        softlock_leave();
    } else {
        mutex->owner |= AL_MUTEX_WAITED;
        self->wants = mutex;
        time_wait_held(&mutex->waiters, AL_KIND_MUTEX, deadline);
        inherit_place_held(mutex, owner);
        inherit_update_held(owner);
        /* The releaser makes this task the owner before it wakes it. */
        status = sched_give_way_held(AL_OK);
        if (status != AL_OK) {
            return status;
        }
    }
    mutex->scope.arg = (void *)entry_sp;
    mutex_tell(mutex->scope.prev, &mutex->scope);
    return taken(mutex);
}

/* Not free, or no mutex, or an interrupt came. Checked at its own entry, so
 * that the fast path need not be. */
al_status al_mutex_lock_slow(
        struct al_mutex *mutex, uintptr_t entry_sp, al_time deadline);

__attribute__((noinline)) al_status al_mutex_lock_slow(
        struct al_mutex *mutex, uintptr_t entry_sp, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);

    CALLER_MUST(MUTEX, 4, is_mutex(mutex));
    if (inherit_owner(mutex) == al_core.current) {
        return lock_again(mutex);
    }
    return lock_others(mutex, entry_sp, past, deadline);
}

al_status mutex_retake(struct al_mutex *mutex, uintptr_t entry_sp)
{
    return lock_others(mutex, entry_sp, false, AL_FOREVER);
}

al_status al_mutex_lock(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;
    struct al_scope *older;

    if (arch_in_handler()) {
        return panic_misuse(PANIC_MUTEX_1);
    }
    if (__builtin_expect(owner_look(mutex) != AL_MUTEX_FREE, 0) ||
            __builtin_expect(!owner_store(mutex, (uintptr_t)self), 0)) {
        return al_mutex_lock_slow(mutex, arch_entry_sp(), AL_FOREVER);
    }
    older = self->scopes;
    mutex->scope.arg = (void *)arch_entry_sp();
    mutex->scope.prev = older;
    AL_BARRIER();
    self->scopes = &mutex->scope;
    mutex_tell(older, &mutex->scope);
    return AL_OK;
}

al_status al_mutex_lock_until(struct al_mutex *mutex, al_time deadline)
{
    if (arch_in_handler()) {
        return panic_misuse(PANIC_MUTEX_1);
    }
    return al_mutex_lock_slow(mutex, arch_entry_sp(), deadline);
}

al_status al_mutex_try_lock(struct al_mutex *mutex)
{
    al_status status;

    CALLER_MUST(MUTEX, 1, !arch_in_handler());
    if (inherit_owner(mutex) == al_core.current && mutex->recursive == 0) {
        return AL_E_BUSY;
    }
    status = al_mutex_lock_slow(mutex, arch_entry_sp(), AL_POLL);
    return status == AL_E_TIMEOUT ? AL_E_BUSY : status;
}

/* Its deadline passed: the wait ends without the mutex. */
bool mutex_cancel_held(struct al_task *task)
{
    struct al_mutex *mutex = task->wants;
    struct al_task *owner = inherit_owner(mutex);

    task->wants = NULL;
    wait_remove_held(task);
    if (wait_first_held(&mutex->waiters) == NULL) {
        mutex->owner &= ~(uintptr_t)AL_MUTEX_WAITED;
    }
    inherit_place_held(mutex, owner);
    inherit_update_held(owner);
    return true;
}

bool mutex_is_held_once(const struct al_mutex *mutex)
{
    return is_mutex(mutex) && inherit_owner(mutex) == al_core.current &&
           mutex->again == 0;
}

void mutex_release_held(struct al_mutex *mutex)
{
    struct al_task *heir = wait_first_held(&mutex->waiters);

    mutex->again = 0;
    mutex->scope.newer = NULL;
    if (heir == NULL) {
        mutex->owner = AL_MUTEX_FREE | (mutex->owner & AL_MUTEX_POISONED);
        return;
    }
    inherit_remove_held(mutex);
    wait_remove_held(heir);
    heir->wants = NULL;
    give_held(mutex, heir);
    if ((mutex->owner & AL_MUTEX_WAITED) != 0) {
        inherit_place_held(mutex, heir);
    }
    inherit_update_held(al_core.current);
    sched_wake_held(heir);
}

/* The mutex is out of its holder's chain: from there on nothing that may fail,
 * as a stack check does, comes before this. */
AL_INLINE void release(struct al_mutex *mutex)
{
    softlock_take();
    mutex_release_held(mutex);
    (void)softlock_leave_and_switch(AL_OK);
}

/* Tasks wait, or the mutex is poisoned, or an interrupt came; it is the newest
 * of what the task holds. */
void al_mutex_release_slow(struct al_mutex *mutex);

__attribute__((noinline)) void al_mutex_release_slow(struct al_mutex *mutex)
{
    al_core.current->scopes = mutex->scope.prev;
    release(mutex);
}

/* Not the newest of what the task holds, or not as simple. */
void al_mutex_unlock_slow(struct al_mutex *mutex);

__attribute__((noinline)) void al_mutex_unlock_slow(struct al_mutex *mutex)
{
    CALLER_MUST(MUTEX, 3, inherit_owner(mutex) == al_core.current);
    if (mutex->again != 0) {
        mutex->again--;
        if (mutex->again == 0) {
            owner_change(mutex, AL_MUTEX_FREE, 0);
        }
        return;
    }
    CALLER_MUST(MUTEX, 3, mutex_unlink(mutex) != NULL);
    release(mutex);
}

void al_mutex_unlock(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;

    if (arch_in_handler()) {
        (void)panic_misuse(PANIC_MUTEX_1);
        return;
    }
    if (__builtin_expect(owner_look(mutex) != (uintptr_t)self, 0) ||
            __builtin_expect(self->scopes != &mutex->scope, 0)) {
        al_mutex_unlock_slow(mutex);
        return;
    }
    /* Out of the chain before the release: after it the link is the next
     * holder's. */
    self->scopes = mutex->scope.prev;
    if (__builtin_expect(!owner_store(mutex, AL_MUTEX_FREE), 0)) {
        self->scopes = &mutex->scope;
        al_mutex_release_slow(mutex);
    }
}

bool mutex_poison(struct al_scope *scope)
{
    struct al_mutex *mutex = mutex_of(scope);

    if (inherit_owner(mutex) != al_core.current) {
        return false;
    }
    owner_change(mutex, 0, AL_MUTEX_POISONED);
    return true;
}

bool mutex_abandon(struct al_scope *scope)
{
    struct al_mutex *mutex = mutex_of(scope);

    if (inherit_owner(mutex) != al_core.current) {
        return false;
    }
    softlock_take();
    mutex_release_held(mutex);
    (void)softlock_leave_and_switch(AL_OK);
    return true;
}

bool task_is_mutex_scope(const struct al_scope *scope)
{
    return arch_is_ram((uintptr_t)scope, sizeof(*scope)) && scope->fn == NULL;
}

/* The first of what `self` holds and others wait for, if it makes sense. */
static struct al_mutex *lost_held(struct al_task *self)
{
    struct al_mutex *mutex = self->contended;

    if (mutex == NULL) {
        return NULL;
    }
    if ((uintptr_t)mutex % sizeof(uintptr_t) != 0 ||
            !arch_is_ram((uintptr_t)mutex, sizeof(*mutex)) ||
            !is_mutex(mutex) || mutex->link != &self->contended ||
            inherit_owner(mutex) != self) {
        self->contended = NULL;
        return NULL;
    }
    return mutex;
}

bool inherit_release_lost_held(struct al_task *self)
{
    struct al_mutex *mutex = lost_held(self);

    if (mutex == NULL) {
        return false;
    }
    mutex->owner |= AL_MUTEX_POISONED;
    mutex_release_held(mutex);
    return true;
}

void al_mutex_destroy(struct al_mutex *mutex)
{
    struct al_task *self = al_core.current;
    struct al_task *waiter;

    CALLER_MUST(MUTEX, 1, !arch_in_handler());
    CALLER_MUST(MUTEX, 4, is_mutex(mutex));
    if (inherit_owner(mutex) != self) {
        al_status status = al_mutex_lock_slow(mutex, arch_entry_sp(), AL_POLL);

        CALLER_MUST(MUTEX, 4, status == AL_OK || status == AL_E_POISONED);
    }
    CALLER_MUST(MUTEX, 3, mutex_unlink(mutex) != NULL);
    mutex->tag = 0; /* held, and from here on nobody new waits */
    do {
        softlock_take();
        waiter = wait_first_held(&mutex->waiters);
        if (waiter != NULL) {
            wait_remove_held(waiter);
            waiter->wants = NULL;
            inherit_place_held(mutex, self);
            inherit_update_held(self);
            arch_set_result(waiter, AL_E_DESTROYED);
            sched_wake_held(waiter);
        } else {
            mutex->owner = 0;
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (waiter != NULL);
}

void al_mutex_heal(struct al_mutex *mutex)
{
    CALLER_MUST(MUTEX, 1, !arch_in_handler());
    CALLER_MUST(MUTEX, 3, inherit_owner(mutex) == al_core.current);
    owner_change(mutex, AL_MUTEX_POISONED, 0);
}

bool al_mutex_is_mine(const struct al_mutex *mutex)
{
    return inherit_owner(mutex) == al_core.current;
}

bool al_mutex_is_held(const struct al_mutex *mutex)
{
    return inherit_owner(mutex) != NULL;
}
