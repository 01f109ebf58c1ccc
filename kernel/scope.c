/* SPDX-License-Identifier: MIT */
/*
 * The chain of scopes beyond its newest member. It is the task's own: no lock.
 */
#include "scope.h"

#include "arch.h"
#include "mutex.h"
#include "sched.h"
#include "task.h"

/* The link that leads to `scope`; NULL when it is in no chain, or the chain makes
 * no sense. */
static struct al_scope **link_to(
        struct al_task *self, const struct al_scope *scope)
{
    struct al_scope **link = &self->scopes;

    for (uint32_t i = 0; *link != scope; i++) {
        if (i == TASK_SCOPES_MAX || *link == NULL ||
                !task_scope_is_sane(self, *link)) {
            return NULL;
        }
        link = &(*link)->prev;
    }
    return link;
}

struct al_scope **scope_unlink(struct al_scope *scope)
{
    struct al_task *self = al_core.current;
    struct al_scope **link = &self->scopes;

    if (SCHED_SMALL || *link != scope) {
        link = link_to(self, scope);
    }
    if (link != NULL) {
        *link = scope->prev;
    }
    return link;
}

bool al_scope_unlink(struct al_scope *scope)
{
    return scope_unlink(scope) != NULL;
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
    for (;;) {
        struct al_scope **link = link_to(self, scope);
        struct al_scope *newer;

        if (link == NULL || link == &self->scopes) {
            return NULL;
        }
        newer = scope_pop(self);
        if (newer == NULL || newer->fn != NULL) {
            return newer;
        }
        if (!mutex_abandon(newer)) {
            self->scopes = NULL;
        }
    }
}

struct al_scope *al_scope_next(struct al_scope *scope)
{
    struct al_scope *next = al_scope_newer(scope, scope);

    return next == NULL && al_scope_unlink(scope) ? scope : next;
}
