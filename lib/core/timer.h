/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The tree of timers, earliest at the root; the kernel lock is held in all of
 * these. Pure: who waits for a timer, and what the time is, is not known here.
 */

#include <alula/task.h>

struct timer_tree {
    struct al_timer_node *root; /* due first; NULL: no timer */
};

/*
 * Enter `timer`, due at timer->when. At most TIMER_STEPS steps, whatever the
 * number of timers.
 */
void timer_insert_held(struct timer_tree *tree, struct al_timer_node *timer);

/* Take out `timer`, which is in the tree. At most TIMER_STEPS steps. */
void timer_remove_held(struct timer_tree *tree, struct al_timer_node *timer);

/* Bits of a timer's address that tell it from others: 8-aligned, in RAM. */
#define TIMER_STEPS (8 * sizeof(uintptr_t) - 3)
