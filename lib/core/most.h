/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A bound of the priorities in a set: nothing in it is more urgent. It costs no
 * more than a word and a count, and so is not always the least one: when the
 * last of the most urgent leaves, the bound goes down by one and is a bound
 * only, until something more urgent enters.
 */

#include <alula/types.h>

struct most {
    uint32_t prio;
    uint32_t many; /* how many are as urgent; 0: perhaps none */
};

/* `empty`: this is the first in the set. */
static inline void most_enter(struct most *most, uint32_t prio, bool empty)
{
    if (prio > most->prio || empty) {
        most->prio = prio;
        most->many = 1;
    } else if (prio == most->prio && most->many != 0) {
        most->many++;
    }
}

static inline void most_leave(struct most *most, uint32_t prio)
{
    if (prio == most->prio && most->many != 0) {
        most->many--;
        most->prio -= most->many == 0;
    }
}
