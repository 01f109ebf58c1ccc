/* SPDX-License-Identifier: MIT */
/*
 * Timers in a heap-ordered digital tree: no timer is due later than those below
 * it, and at depth d the branch is chosen by bit d+3 of the timer's own
 * address. Addresses differ, so no path is longer than their bits: a bound
 * without balancing, without memory beside the nodes, and on random addresses
 * as flat as a balanced tree.
 *
 * Invariants: sub[b]->when >= when; a node below sub[b] at depth d has bit d+3
 * of its address equal to b; up and sub agree.
 *
 * Not here: order among timers of one tick. They all are due; who runs first
 * is the scheduler's business.
 */
#include "core/timer.h"

/* A link of the tree, and the timer whose link it is: NULL, the root's. */
struct place {
    struct al_timer_node **slot;
    struct al_timer_node *up;
};

/* `timer`, or none, stands there from now on. */
static inline void put(struct place at, struct al_timer_node *timer)
{
    *at.slot = timer;
    if (timer != NULL) {
        timer->up = at.up;
    }
}

static inline struct place below(struct al_timer_node *up, unsigned side)
{
    return (struct place){&up->sub[side], up};
}

static inline unsigned branch(const struct al_timer_node *timer, unsigned depth)
{
    return (unsigned)((uintptr_t)timer >> (depth + 3)) & 1u;
}

void timer_insert_held(struct timer_tree *tree, struct al_timer_node *timer)
{
    struct place at = {&tree->root, NULL};
    struct al_timer_node *here = tree->root;
    unsigned depth = 0;

    while (here != NULL && timer->when >= here->when) {
        at = below(here, branch(timer, depth++));
        here = *at.slot;
    }
    /* The new one takes this place, the old one goes on down, where its address
     * leads: it is due before all that is there, and takes the next place. */
    while (here != NULL) {
        unsigned side = branch(here, depth++);
        struct al_timer_node *next = here->sub[side];

        put(at, timer);
        put(below(timer, side ^ 1), here->sub[side ^ 1]);
        at = below(timer, side);
        timer = here;
        here = next;
    }
    put(at, timer);
    timer->sub[0] = NULL;
    timer->sub[1] = NULL;
}

void timer_remove_held(struct timer_tree *tree, struct al_timer_node *timer)
{
    struct al_timer_node *heir = timer->sub[0];
    struct al_timer_node *other = timer->sub[1];
    struct al_timer_node *up = timer->up;
    struct place at = {&tree->root, up};

    if (up != NULL) {
        at.slot = &up->sub[up->sub[1] == timer];
    }
    /* The earliest below moves up into the hole, and so on: each stays on the
     * path that its address gives it. */
    while (heir != NULL || other != NULL) {
        struct al_timer_node *below0;
        struct al_timer_node *below1;
        unsigned side = 0;

        if (heir == NULL || (other != NULL && other->when < heir->when)) {
            struct al_timer_node *later = heir;

            heir = other;
            other = later;
            side = 1;
        }
        put(at, heir);
        below0 = heir->sub[0];
        below1 = heir->sub[1];
        put(below(heir, side ^ 1), other);
        at = below(heir, side);
        heir = below0;
        other = below1;
    }
    put(at, NULL);
    timer->up = NULL;
}
