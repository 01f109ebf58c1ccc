/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How often this console's tasks may die: as often as somebody types it.
 */

#include <alula/task.h>

extern const struct al_restart_policy as_often_as_it_takes;
