/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the console tells about the system. All of it: context task; waits for
 * the port.
 */

#include <alula/types.h>

/* Greet, and note the heap and the crash count as they are before the first
 * command; after `reset`, go on from what was counted before it. Once. */
void report_begin(void);

/* Print a line for each death that has none yet. */
void report_new_crashes(void);

void report_ps(void);
void report_top(void);
void report_crashes(void);
void report_locks(void);
void report_heap(void);
void report_stats(void);
void report_uptime(void);

/* A command did not end as it should: say so, and count it against the tour. */
void report_wrong(const char *what);

/* Keep over a reset what was counted so far. */
void report_reset(void);

/* Print the tour's last line; true when nothing was late, leaked, left or
 * wrong. */
bool report_tour(void);
