/* SPDX-License-Identifier: MIT */
/*
 * Finds the clock by what it must hold: two counts that differ by one, an index
 * that says which equals the time, and a tree with a sleeper in it.
 */
#include "clock.h"

extern char __al_state_low[];
extern char __al_state_high[];

static bool is_clock(const struct clock_head *at)
{
    return at->count[at->index & 1] == al_now() &&
           at->count[~at->index & 1] + 1 == at->count[at->index & 1] &&
           at->root != NULL && (uint32_t)at->root->when == at->expiry;
}

struct clock_head *clock_find(void)
{
    struct clock_head *found = NULL;

    for (char *at = __al_state_low; at + sizeof(*found) <= __al_state_high;
            at += 8) {
        struct clock_head *candidate = (struct clock_head *)(void *)at;

        if (is_clock(candidate)) {
            if (found != NULL) {
                return NULL;
            }
            found = candidate;
        }
    }
    return found;
}

void clock_set(struct clock_head *clock, al_time now)
{
    clock->count[0] = now;
    clock->count[1] = now;
    clock->expiry = (uint32_t)now + 1; /* too early is allowed: it looks */
}
