/* SPDX-License-Identifier: MIT */
#pragma once

#include <alula/mutex.h>

/*
 * Release the mutex whose scope this is, on behalf of the current task, which
 * dies: poison it first. The scope is out of the task's chain already.
 *
 * Returns false, and does nothing, when this is no mutex of that task.
 */
bool mutex_abandon(struct al_scope *scope);

/* The mutex that a scope without a function is part of. */
struct al_mutex *mutex_of(struct al_scope *scope);
