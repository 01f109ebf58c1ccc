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
#include "scope_undo.h"

void __al_scope_undo_newer(struct al_scope *scope, const void *home)
{
    struct al_scope *newer = al_scope_newer(scope, home);

    while (newer != NULL) {
        newer->fn(newer->arg);
        newer = al_scope_newer(scope, home);
    }
}

void __al_scope_close(struct al_scope *scope)
{
    struct al_scope *newer;

    /* As above; without a call, for most images need only this one. */
    while ((newer = al_scope_newer(scope, scope)) != NULL) {
        newer->fn(newer->arg);
    }
    if (al_scope_unlink(scope)) {
        scope->fn(scope->arg);
    }
}
