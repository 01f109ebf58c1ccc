/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command `chan`: a channel of numbers that one can hold in one's hands,
 * and tasks that wait for what comes out. All of it: context task that runs
 * commands.
 */

/* End the channel and all who wait for it. */
void channel_end(void);

/* `rest` is what was typed behind the command's name. */
void channel_command(const char *rest);
