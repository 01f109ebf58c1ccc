/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands that end more than a task: `reset` the board's present life,
 * `stop` everything, as no error of a task should.
 */

#include <alula/types.h>

/* All of it: context task that runs commands. */
AL_NORETURN void ends_reset(void);
AL_NORETURN void ends_stop(void);
