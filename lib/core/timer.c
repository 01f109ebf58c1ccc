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

static bool due_before(
        const struct al_timer_node *a, const struct al_timer_node *b)
{
    return a->when < b->when;
}

static unsigned branch(const struct al_timer_node *timer, unsigned depth)
{
    return (unsigned)((uintptr_t)timer >> (depth + 3)) & 1u;
}

static void adopt(struct al_timer_node *timer)
{
    for (unsigned b = 0; b < 2; b++) {
        if (timer->sub[b] != NULL) {
            timer->sub[b]->up = timer;
        }
    }
}

void timer_insert_held(struct timer_tree *tree, struct al_timer_node *timer)
{
    struct al_timer_node **slot = &tree->root;
    struct al_timer_node *up = NULL;
    unsigned depth = 0;

    timer->sub[0] = NULL;
    timer->sub[1] = NULL;
    while (*slot != NULL) {
        struct al_timer_node *here = *slot;

        if (due_before(timer, here)) {
            /* The new one takes this place, the old one goes on down: it may
             * stand anywhere below, for its address brought it here. */
            timer->sub[0] = here->sub[0];
            timer->sub[1] = here->sub[1];
            timer->up = up;
            adopt(timer);
            *slot = timer;
            here->sub[0] = NULL;
            here->sub[1] = NULL;
            timer = here;
            here = *slot;
        }
        up = here;
        slot = &here->sub[branch(timer, depth)];
        depth++;
    }
    timer->up = up;
    *slot = timer;
}

/* The one of the two below that is due first; NULL when there is none. */
static struct al_timer_node *earlier_sub(const struct al_timer_node *timer)
{
    struct al_timer_node *a = timer->sub[0];
    struct al_timer_node *b = timer->sub[1];

    if (a == NULL || (b != NULL && due_before(b, a))) {
        return b;
    }
    return a;
}

static struct al_timer_node **slot_of(
        struct timer_tree *tree, const struct al_timer_node *timer)
{
    if (timer->up == NULL) {
        return &tree->root;
    }
    return &timer->up->sub[timer->up->sub[1] == timer];
}

void timer_remove_held(struct timer_tree *tree, struct al_timer_node *timer)
{
    struct al_timer_node *heir = earlier_sub(timer);

    /* The earliest below moves up into the hole, and so on: each stays on the
     * path that its address gives it. */
    while (heir != NULL) {
        unsigned side = timer->sub[1] == heir;
        struct al_timer_node below = *heir;

        *slot_of(tree, timer) = heir;
        heir->up = timer->up;
        heir->sub[side] = timer;
        heir->sub[!side] = timer->sub[!side];
        timer->sub[0] = below.sub[0];
        timer->sub[1] = below.sub[1];
        adopt(heir);
        adopt(timer);
        heir = earlier_sub(timer);
    }
    *slot_of(tree, timer) = NULL;
    timer->up = NULL;
}
