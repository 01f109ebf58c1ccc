/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Random numbers for tests that play against a model. SEED=n in the
 * environment repeats a run; the seed in use is printed.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t random_state;

static inline void random_start(void)
{
    const char *seed = getenv("SEED");

    random_state = seed != NULL ? strtoull(seed, NULL, 0) : 1;
    printf("# SEED=%llu\n", (unsigned long long)random_state);
    random_state = random_state * 2 + 1; /* never 0 */
}

/* 0 .. below-1 */
static inline uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 16) % below);
}
