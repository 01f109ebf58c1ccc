/* SPDX-License-Identifier: MIT */
#pragma once

/* Running other programs. */

#include "text.h"

/* Run the real assembler with `args`, `text` on its standard input; its exit
 * status. It is never this program itself. */
int run_assembler(const char **args, int nargs, const struct buf *text);

/* Run a program found in PATH; its exit status, 127 when it does not start. */
int run_program(const char *const *argv);
