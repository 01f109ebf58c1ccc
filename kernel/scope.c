/* SPDX-License-Identifier: MIT */
/*
 * The slow end of a scope: it is not its task's newest. Either a lock that was
 * taken inside its block is still held, and the scope is taken out of the
 * middle of the chain; or recovery has undone it before this landing pad ran,
 * it is in no chain, and nothing is left to do. The chain is the task's own:
 * no lock.
 */
#include <alula/scope.h>

#include "task.h"

bool al_scope_unlink(struct al_scope *scope)
{
    struct al_task *self = al_task_self();
    struct al_scope *newer = self->scopes;

    for (uint32_t i = 0; i < TASK_SCOPES_MAX && newer != NULL; i++) {
        if (!task_scope_is_sane(self, newer)) {
            return false;
        }
        if (newer->prev == scope) {
            newer->prev = scope->prev;
            return true;
        }
        newer = newer->prev;
    }
    return false;
}
