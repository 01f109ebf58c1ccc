/* SPDX-License-Identifier: MIT */
#pragma once

#include <alula/mutex.h>

/*
 * Poison the mutex whose scope this is: the current task died with it. Returns
 * false, and does nothing, when this is no mutex of that task.
 */
bool mutex_poison(struct al_scope *scope);

/*
 * Release the mutex whose scope this is, on behalf of the current task; the
 * scope is out of the task's chain already. Returns the same.
 */
bool mutex_abandon(struct al_scope *scope);

/*
 * The current task gives back all that it inherited: it holds nothing, and
 * locks that went with a damaged chain would have it inherit for ever.
 */
void mutex_disinherit(void);

/* The mutex that a scope without a function is part of. */
struct al_mutex *mutex_of(struct al_scope *scope);
