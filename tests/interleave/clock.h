/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The kernel's clock, found by its contents, to be set to any time: a test
 * need not wait 49 days for 2^32 ticks.
 */

#include <alula/alula.h>

/* The head of `clock` in kernel/time.c. */
struct clock_head {
    al_time count[2];
    volatile uint32_t index;
    volatile uint32_t expiry;
    struct al_timer_node *root;
};

/* The one place in the kernel's state that looks like its clock; NULL if there
 * is none or more than one. Call it while a task sleeps. */
struct clock_head *clock_find(void);

/* Set the time; nobody may sleep, and no tick may come in between. */
void clock_set(struct clock_head *clock, al_time now);
