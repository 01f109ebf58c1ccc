/* SPDX-License-Identifier: MIT */
/*
 * A mutex among what else its task must give back: out of the chain of scopes,
 * in whatever order mutexes are unlocked, and back to its place.
 *
 * The chain leads from the newest to the oldest. A mutex beside that has
 * `newer`: of the last mutex that was taken right after it, by whoever held
 * both. That one is next to it if it still leads here and the task holds it;
 * else what is next is a record of a block, or nothing, and is looked for from
 * the newest on: blocks write nothing into what is older. Mutexes that went with
 * a damaged chain pass for held, as does what lay below them there: all ways out
 * of that, which are a release under the lock and init, forget `newer`. What is
 * no mutex may have any word there.
 */
#include "arch.h"
#include "inherit.h"
#include "mutex.h"
#include "sched.h"
#include "scope.h"

static bool is_next(const struct al_scope *next, const struct al_mutex *mutex)
{
    return (uintptr_t)next % sizeof(uintptr_t) == 0 &&
           arch_is_ram((uintptr_t)next, sizeof(struct al_mutex)) &&
           next->prev == &mutex->scope &&
           mutex_of(next)->tag == AL_TAG(AL_KIND_MUTEX) &&
           inherit_owner(mutex_of(next)) == al_core.current;
}

/* The hint is handed on first: from the unlinking on the mutex is in no chain,
 * and nothing may fail until it is released. */
struct al_scope **mutex_unlink(struct al_mutex *mutex)
{
    struct al_scope *next = mutex->scope.newer;

    if (al_core.current->scopes == &mutex->scope || !is_next(next, mutex)) {
        return scope_unlink(&mutex->scope);
    }
    mutex_tell(mutex->scope.prev, next);
    next->prev = mutex->scope.prev;
    return &next->prev;
}

void mutex_put_back(struct al_mutex *mutex, struct al_scope **link)
{
    struct al_scope *scope = &mutex->scope;

    al_core.current->scopes = scope->prev;
    scope->prev = *link;
    *link = scope;
    mutex_tell(scope->prev, scope);
    if (link != &al_core.current->scopes) {
        mutex_tell(scope,
                (struct al_scope *)(void *)((char *)link -
                                            offsetof(struct al_scope, prev)));
    }
}
