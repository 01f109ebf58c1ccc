/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Waits for, and timers among, what lies in a task's stack; see stray.c.
 */

#include <alula/task.h>

/* The second control block of a task that restarts concurrently, lock held; an
 * image without concurrent.c has none. */
struct al_task *task_second(struct al_task *named);

/*
 * Timers outside static memory that run, lock held: how many; and one step of
 * as many: the first is stopped, if it lies in these bytes, or becomes the last.
 * An image without swtimer.c has none.
 */
uint32_t timer_strays_held(void);
void timer_stray_step_held(uintptr_t low, size_t bytes);
