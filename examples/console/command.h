/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The task that runs commands, one at a time. It may die of one: then it starts
 * again and is ready for the next, and the reader never noticed but by the
 * crash record.
 */

/* Wait until the command before has ended, by coming back or by dying. */
void command_await(void);

/**
 * Have `line` run. The reader only, after command_await().
 *
 * @param[in] line  kept as it is until the next command_await() returns
 */
void command_submit(const char *line);

/* End, and give back, what commands have made. The command task only. */
void command_end_objects(void);
