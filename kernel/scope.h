/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The chain of what a task must give back, as recovery sees it.
 */

#include <alula/scope.h>

/*
 * Take the newest scope out of the task's chain; NULL when it makes no sense:
 * the chain is dropped then. A record that was taken out once is recognised,
 * so a loop of links ends.
 */
struct al_scope *scope_pop(struct al_task *self);
