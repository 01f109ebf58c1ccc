/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A test that goes on over restarts of the board: which life it is, and which of
 * its claims have held, in memory that survives. For one file of a test, which
 * defines claims[], a name for each claim.
 */

#include "test.h"

#include <stdint.h>

#define STORY_MAGIC 0x57041e7u

static struct {
    uint32_t magic;
    uint32_t life; /* from 1 */
    uint32_t held; /* bit n: claim n held */
} story __attribute__((section(".noinit.test")));

static inline void holds(uint32_t claim, bool held)
{
    story.held |= (uint32_t)held << claim;
}

/* In each life first: which one is it? */
static inline uint32_t story_goes_on(void)
{
    if (story.magic != STORY_MAGIC) {
        story.magic = STORY_MAGIC;
        story.life = 0;
        story.held = 0;
    }
    story.life++;
    return story.life;
}

/* In the last life. */
static inline void story_tell(const char *const *claims, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        CHECK((story.held & 1u << i) != 0, "%s", claims[i]);
    }
    test_done();
}
