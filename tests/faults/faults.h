/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two halves of the campaign of random deaths: victims.c, tasks that work
 * with everything there is, and faults.c, what kills them, and the judge.
 */

#include <alula/alula.h>
#include <alula/kill.h>

#define VICTIMS 6
#define MUTEXES 4
#define TOKENS  8 /* of each victim */

/* Addresses that nothing answers at, and that no code lies at. */
#define NOWHERE 0x30000000u

/*
 * What a victim goes by: the pointers are its own state, which the campaign
 * damages at random instants; it makes them good again when it starts anew.
 */
struct victim {
    struct al_task *task;
    uint32_t *volatile data;
    struct al_sem *volatile gives;
    void (*volatile calls)(uint32_t);
    volatile uint32_t deeper;  /* calls of a recursion */
    volatile uint32_t bad_sp;  /* go on with this stack pointer */
    volatile bool bad_cleanup; /* the next cleanup dies */
    volatile bool parked;
    volatile uint32_t rounds;
    volatile uint32_t starts;
    uint32_t seed;
    bool held[MUTEXES];               /* by it: not to be locked again */
    volatile uint32_t tokens[TOKENS]; /* what it has taken; 0: nothing */
    struct al_lease lease; /* of lent, to a handler that may end it */
    char lent[8];
    volatile uint32_t stops; /* of the lease, by stop() */
    struct al_timer timer;
    struct al_spawn child;
    struct al_task_id child_id;
};

extern struct victim victims[VICTIMS];
extern volatile bool paused; /* victims go no further than their next round */

/* A random number below `bound`, of the sequence that `seed` is in. */
uint32_t random_below(uint32_t *seed, uint32_t bound);

/* What is wrong with what the victims work with, while they are parked; NULL:
 * nothing is left of anybody. */
const char *victims_check(void);

/* Before the first round. */
void victims_begin(uint32_t seed);
