/* SPDX-License-Identifier: MIT */
/*
 * What a landing pad is for, where it may be for catching: in C++. alula-as names
 * al_action_support in each object with such pads; an image without one links
 * entry.S's arch_action_cleans() instead.
 *
 * Never optimised in the link (cmake/kernel).
 */
#include "unwind.h"

#include "uleb128.h"

/* No code and no data: its name is what links this file. */
extern const char al_action_support[];
__attribute__((section(".alula.support"))) const char al_action_support[0];

bool arch_action_cleans(const uint8_t *at)
{
    for (;;) {
        const uint8_t *next = at;
        uint32_t filter = number(&next);
        uint32_t offset;
        uint32_t bits;

        if (filter == 0) {
            return true;
        }
        /* Signed, relative to itself; 0: the last one. */
        at = next;
        offset = number(&at);
        if (offset == 0) {
            return false;
        }
        bits = 32 - 7 * (uint32_t)(at - next);
        at = next + ((int32_t)(offset << bits) >> bits);
    }
}
