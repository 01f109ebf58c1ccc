/* SPDX-License-Identifier: MIT */
#pragma once

/* From a file of assembly to the same with checks. */

#include "options.h"

/* Append the filtered text of `input` ("-": standard input) to `out`. False,
 * with the reasons written to `messages`, when something cannot be checked. */
bool filter_file(const struct options *o, const char *input, FILE *messages,
        struct buf *out);
