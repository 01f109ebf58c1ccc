/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command `timers`: software timers whose callbacks count, and die when
 * told to. All of it: context task that runs commands.
 */

/* Stop them all. */
void timers_end(void);

/* `rest` is what was typed behind the command's name. */
void timers_command(const char *rest);
