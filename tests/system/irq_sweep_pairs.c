/* SPDX-License-Identifier: MIT */
/*
 * Claim: what irq_sweep.c claims of one interrupt holds of two and three, up to
 * 400 instructions apart, nested in each other, in the switch exception and in
 * the tick.
 *   1. for each operation: a first interrupt at every STEP1st instruction whose
 *      handler arms a second, more urgent one, STEP2 instructions further each
 *      time; both give, tick, ask for a switch and use the operation's object
 *   2. three levels at random distances, ROUNDS for each operation; SEED names
 *      the sequence
 *   3. after each: everything that irq_sweep.c looks at but the order
 * Fails if: an inbox's link is read after its post may be pushed again, or the
 * result of a store-conditional is not looked at.
 * A longer form: flags -DLONG, every pair.
 * sources: ../interleave/rig.c ../interleave/scenarios.c
 * timeout: 300
 */
#include "../interleave/scenarios.h"

#include "test.h"

#ifdef LONG
#  define STEP1  1u
#  define STEP2  1u
#  define ROUNDS 100000u
#else
#  define STEP1  7u
#  define STEP2  5u
#  define ROUNDS 300u
#endif
#define APART 530u /* steps: at least 400 instructions */

#ifndef SEED
#  define SEED 1u
#endif

static struct {
    uint32_t first, second, third; /* steps */
    rig_action second_action;
    uint32_t seconds, thirds; /* that came while the operation ran */
    uint32_t nested;          /* that hit a handler */
    uint32_t random;
} pair;

static uint32_t random_below(uint32_t below)
{
    pair.random = pair.random * 1664525u + 1013904223u;
    return (pair.random >> 8) % below;
}

static void act_third(unsigned n, const struct rig_hit *hit)
{
    pair.thirds++;
    pair.nested += hit->nested;
    act_all(n, hit);
}

static void act_second(unsigned n, const struct rig_hit *hit)
{
    pair.seconds++;
    pair.nested += hit->nested;
    if (pair.third != 0) {
        rig_arm(2, pair.third, act_third);
    }
    pair.second_action(n, hit);
}

static void act_first(unsigned n, const struct rig_hit *hit)
{
    rig_arm(1, pair.second, act_second);
    act_all(n, hit);
}

/* What the first gave, once more: it may be about to be delivered. */
static void act_again(unsigned n, const struct rig_hit *hit)
{
    act_give_third(n, hit);
    rig_pend_tick();
}

static void act_first_give(unsigned n, const struct rig_hit *hit)
{
    act_give_third(n, hit);
    act_give(n, hit);
    rig_pend_tick();
    rig_arm(1, pair.second, act_second);
}

static rig_action first_action;

static void arm(void)
{
    rig_arm(0, pair.first, first_action);
}

static const char *one(const struct scenario *s)
{
    const char *wrong = scenario_round(s, pair.first, arm);

    if (wrong != NULL) {
        test_note("%s, fpu %u: %u then %u then %u: %s", s->name,
                (unsigned)inj.fpu, (unsigned)pair.first, (unsigned)pair.second,
                (unsigned)pair.third, wrong);
    }
    return wrong;
}

static const char *pairs(const struct scenario *s)
{
    static const rig_action seconds[] = {act_none, act_again, act_all};
    uint32_t turn = 0;

    pair.third = 0;
    for (pair.first = 0;; pair.first += STEP1) {
        for (pair.second = turn % STEP2; pair.second < APART;
                pair.second += STEP2) {
            const char *wrong;

            turn++;
            pair.second_action = seconds[turn % 3];
            first_action = turn % 2 == 0 ? act_first : act_first_give;
            wrong = one(s);
            if (wrong != NULL) {
                return wrong;
            }
            if (inj.fired == 0) {
                return NULL;
            }
        }
    }
}

static const char *triples(const struct scenario *s)
{
    pair.second_action = act_all;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const char *wrong;

        pair.first = random_below(400);
        pair.second = random_below(i % 2 == 0 ? 60 : APART);
        pair.third = 1 + random_below(i % 4 < 2 ? 60 : APART);
        first_action = i % 3 == 0 ? act_first_give : act_first;
        wrong = one(s);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

static void op_main(void)
{
    scenarios_start();
    pair.random = SEED;
    test_note("SEED=%u", (unsigned)SEED);
    for (inj.fpu = 0; inj.fpu < 2; inj.fpu++) {
        for (unsigned i = 0; i < scenario_count; i++) {
            const struct scenario *s = &scenarios[i];
            const char *wrong = pairs(s);

            CHECK(wrong == NULL, "%s, fpu %u, pairs: %s", s->name,
                    (unsigned)inj.fpu, wrong != NULL ? wrong : "right");
            if (wrong != NULL) {
                test_done(); /* the helpers are not in their places */
            }
            wrong = triples(s);
            CHECK(wrong == NULL, "%s, fpu %u, three: %s", s->name,
                    (unsigned)inj.fpu, wrong != NULL ? wrong : "right");
            if (wrong != NULL) {
                test_done();
            }
        }
    }
    test_note("%u second, %u third, %u in a handler", (unsigned)pair.seconds,
            (unsigned)pair.thirds, (unsigned)pair.nested);
    CHECK(pair.seconds > 10000 && pair.thirds > 2000 && pair.nested > 3000,
            "enough of them came");
    test_done();
}

AL_TASK(op, op_main, 10, 2048);

RIG_WATCH();
