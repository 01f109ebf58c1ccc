/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Kernel operations to be interrupted, each a round trip of one task with
 * helpers around it, and what a handler does in the middle. Everything starts
 * each round in the same state, so that a delay names an instruction.
 *
 *   hi1, hi2  20   wait for a semaphore each; a handler gives them
 *   hi3, hi4  20   wait for one semaphore, both
 *   sleeper   21   sleeps to the next tick, always
 *   second    22   sleeps to the next even tick, always
 *   mid       15   does what a scenario asks of a more urgent task
 *   op        10   the task whose operations are interrupted; the test's own
 *   peer      10   yields back
 *   lo         5   does what a scenario asks of a less urgent task
 */

#include "rig.h"

struct scenario {
    const char *name;
    void (*before)(void); /* not interrupted; may be NULL */
    void (*op)(void);     /* interrupted everywhere */
    void (*after)(void);  /* not interrupted; may be NULL */
    struct al_sem *sem;   /* the object involved, for act_object */
    void (*irq)(void);    /* instead: what act_object does; may be NULL */
};

extern const struct scenario scenarios[];
extern const unsigned scenario_count;

/* What handlers do; shared state in `inj`. */
extern struct inj {
    volatile uint32_t fired;          /* handlers that ran in this round */
    volatile uint32_t pc;             /* where the first of them hit */
    uint32_t psp_min;                 /* over all rounds */
    const char *volatile wrong;       /* what a handler saw; NULL: nothing */
    volatile uint32_t given1, given2; /* to hi1, hi2; rounds together */
    volatile uint32_t given3;         /* to hi3 and hi4 */
    volatile uint32_t runs1, runs2, runs3;
    volatile uint32_t slept; /* times that sleeper woke */
    volatile uint32_t guard; /* registers that changed, of all tasks */
    volatile uint32_t order; /* of hi's runs in this round, 4 bits each */
    volatile uint32_t fpu;   /* everybody has floating-point state */
    volatile uint32_t timed; /* act_give alone: measure to hi1's run */
    volatile uint32_t time_given;
    volatile uint32_t longest; /* instructions from that give to hi1 */
    uint32_t longest_pc;       /* where it came */
    const struct scenario *longest_in;
    int32_t balance; /* units that scenario's semaphore should have */
    const struct scenario *scenario;
} inj;

void act_none(unsigned n, const struct rig_hit *hit);
void act_give(unsigned n, const struct rig_hit *hit);
void act_give_two(unsigned n, const struct rig_hit *hit);
void act_give_third(unsigned n, const struct rig_hit *hit);
void act_raw_give(unsigned n, const struct rig_hit *hit);
void act_switch(unsigned n, const struct rig_hit *hit);
void act_tick(unsigned n, const struct rig_hit *hit);
void act_object(unsigned n, const struct rig_hit *hit);
void act_all(unsigned n, const struct rig_hit *hit);

/* Let the helpers reach their places; by the op task, once. */
void scenarios_start(void);

/*
 * One round of `s`: before, arm, op, disarm, look, after, look. Returns NULL,
 * or what is wrong, in words. `arm` starts the injection.
 */
const char *scenario_round(
        const struct scenario *s, uint32_t seed, void (*arm)(void));

/* Instructions that the last round's op took, with the overhead of measuring
 * it and of what was injected. */
extern uint32_t scenario_insns;
