/* SPDX-License-Identifier: MIT */
/*
 * The slow end of a scope, where it is not its task's newest. It calls the
 * application's cleanups and runs on the application's stack: checked code, not
 * a part of the kernel, hence names without the kernel's prefix.
 *
 * A landing pad may come to a scope too early: a compiler that believes that an
 * instruction cannot fail files it under the pad of its neighbours, which
 * knows nothing of scopes opened since. What is newer is undone first.
 */
#include <alula/scope.h>

void __al_scope_close(struct al_scope *scope)
{
    struct al_scope *next;

    while ((next = al_scope_next(scope)) != scope && next != NULL) {
        next->fn(next->arg);
    }
    if (next != NULL) {
        scope->fn(scope->arg); /* by a jump: it has the stack of its caller */
    }
}
