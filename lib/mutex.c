/* SPDX-License-Identifier: MIT */
/*
 * The end of a scope that holds a mutex. A file of its own, so that an image
 * without mutexes links none of their code.
 */
#include <alula/mutex.h>

#include "scope_undo.h"

void __al_mutex_close(struct al_mutex **mutex)
{
    struct al_mutex *held = *mutex;

    __al_scope_undo_newer(&held->scope, mutex);
    /* A pad may come after recovery has released it. */
    if (al_mutex_is_mine(held)) {
        al_mutex_unlock(held);
    }
}
