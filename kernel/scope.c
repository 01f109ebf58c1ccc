/* SPDX-License-Identifier: MIT */
/*
 * The chain of scopes beyond its newest member. It is the task's own: no lock.
 */
#include "scope.h"

#include "arch.h"
#include "mutex.h"
#include "task.h"

/* The scope opened right after `scope`, that is, the link that leads to it;
 * NULL when it is in no chain, or the chain makes no sense. */
static struct al_scope *follower_of(
        const struct al_task *self, const struct al_scope *scope)
{
    struct al_scope *newer = self->scopes;

    for (uint32_t i = 0; i < TASK_SCOPES_MAX && newer != NULL; i++) {
        if (!task_scope_is_sane(self, newer)) {
            return NULL;
        }
        if (newer->prev == scope) {
            return newer;
        }
        newer = newer->prev;
    }
    return NULL;
}

bool scope_unlink(struct al_scope *scope, struct al_scope **newer)
{
    struct al_task *self = al_core.current;

    *newer = NULL;
    if (self->scopes == scope) {
        self->scopes = scope->prev;
        return true;
    }
    *newer = follower_of(self, scope);
    if (*newer == NULL) {
        return false;
    }
    (*newer)->prev = scope->prev;
    return true;
}

void scope_put_back(struct al_scope *scope, struct al_scope *newer)
{
    if (newer != NULL) {
        al_core.current->scopes = scope->prev;
        scope->prev = newer->prev;
        newer->prev = scope;
    }
}

bool al_scope_unlink(struct al_scope *scope)
{
    struct al_scope *newer;

    return scope_unlink(scope, &newer);
}

struct al_scope *scope_pop(struct al_task *self)
{
    struct al_scope *scope = self->scopes;

    self->scopes = NULL;
    if (scope->prev == scope) {
        return NULL;
    }
    self->scopes = scope->prev;
    if (scope->fn != NULL) {
        scope->prev = scope;
    }
    return scope;
}

struct al_scope *al_scope_newer(struct al_scope *scope, const void *home)
{
    struct al_task *self = al_core.current;

    /* Only a pad's own scopes: not those that a cleanup has opened since. */
    if (self->state != AL_TASK_RECOVERING ||
            (uintptr_t)home < arch_death_bound(&self->death)) {
        return NULL;
    }
    while (self->scopes != scope && follower_of(self, scope) != NULL) {
        struct al_scope *newer = scope_pop(self);

        if (newer == NULL || newer->fn != NULL) {
            return newer;
        }
        if (!mutex_abandon(newer)) {
            self->scopes = NULL;
        }
    }
    return NULL;
}
