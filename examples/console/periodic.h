/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The 1 kHz task: the most urgent one, released by a timer interrupt. In each
 * period it checks that it started before the next release was due, that no
 * release was skipped, and that it ended before the next one.
 */

#include <alula/types.h>

struct periodic_stats {
    uint32_t periods;      /* that it ran in */
    uint32_t missed;       /* deadlines: periods late, or skipped */
    uint32_t jitter_insns; /* largest less smallest start latency */
};

/* Context: task. */
void periodic_read(struct periodic_stats *stats);

/* Come back right after a period, without sleeping. Context: task. */
void periodic_await(void);
