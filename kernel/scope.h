/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The chain of what a task must give back, as recovery sees it.
 */

#include <alula/scope.h>

/* Take a scope out of the current task's chain. Returns the link that led to
 * it; NULL when none did. */
struct al_scope **scope_unlink(struct al_scope *scope);

/*
 * Take the newest scope, which is sane (task.h), out of the task's chain; NULL
 * when it has been taken out before: a loop of links ends, the chain is dropped
 * then.
 */
struct al_scope *scope_pop(struct al_task *self);
