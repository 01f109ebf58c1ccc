/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command `sem`: a semaphore that one can hold in one's hands, and tasks
 * that wait for it. All of it: context task that runs commands.
 */

/* End the semaphore and all who wait for it. */
void semaphore_end(void);

/* `rest` is what was typed behind the command's name. */
void semaphore_command(const char *rest);
