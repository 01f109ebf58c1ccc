/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The command `kill NAME`: a task that ends another one, or itself.
 */

/* Context: task that runs commands; `rest` is what was typed behind the name. */
void kill_command(const char *rest);
