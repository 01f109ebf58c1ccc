/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the console counts over a reset of the board, in memory that no start-up
 * clears. It is believed only with the right checksum: at power-up that memory
 * holds anything.
 */

#include <alula/types.h>

struct kept {
    uint32_t resets;      /* that `reset` brought about */
    uint32_t first_crash; /* newest record before the first command */
    uint32_t periods;     /* of the 1 kHz task */
    uint32_t missed;      /* its deadlines */
    uint32_t leaked;      /* bytes of the heap */
    uint32_t held;        /* mutexes */
    uint32_t wrong;       /* commands that did not end as they should */
};

/* What was kept; false, and all zeros: nothing was. Context: any. */
bool kept_read(struct kept *kept);

/* Keep it. Context: one task. */
void kept_write(const struct kept *kept);
