/* SPDX-License-Identifier: MIT */
/*
 * What the end of a lock runs before it lets go (lib/mutex.c), as lib/scope.c
 * does. A file of its own, so that an image without mutexes does not have it.
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
