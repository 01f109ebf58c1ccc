/* SPDX-License-Identifier: MIT */
/*
 * The slow end of a scope: it is not its task's newest. Either a lock that was
 * taken inside its block is still held, and the scope is taken out of the
 * middle of the chain; or recovery has undone it before this landing pad ran,
 * it is in no chain, and nothing is left to do. The chain is the task's own:
 * no lock.
 */
#include <alula/scope.h>

bool al_scope_unlink(struct al_scope *scope)
{
    struct al_scope *newer = al_task_self()->scopes;

    while (newer != NULL && newer->prev != scope) {
        newer = newer->prev;
    }
    if (newer == NULL) {
        return false;
    }
    newer->prev = scope->prev;
    return true;
}
