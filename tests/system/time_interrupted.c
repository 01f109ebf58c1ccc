/* SPDX-License-Identifier: MIT */
/*
 * Claim: a tick at any instruction neither tears the time nor makes a sleeper
 * late by a tick.
 *   1. the clock stands before 2^32; two ticks come within al_now(), at every
 *      instruction and at every distance: what it returns lies between the
 *      times before and after, also when the clock's index wraps
 *   2. one task goes to sleep for a tick, nobody else sleeps, and a tick comes
 *      at every instruction of that: when a less urgent task runs, no sleeper is
 *      late
 *   3. the same with a sleep of two and two ticks, the second at any distance
 * Fails if: al_now() does not look at the index again, or sleeping does not
 * look at the clock again after the expiry is set.
 * builds: gcc-O2 clang-O2
 * sources: ../interleave/rig.c ../interleave/clock.c
 * timeout: 300
 */
#include "../interleave/clock.h"
#include "../interleave/rig.h"

#include "test.h"

static struct {
    uint32_t first, second; /* steps */
    volatile unsigned fired;
    volatile unsigned places; /* distinct ones in a row */
    uint32_t pc;
    const char *volatile wrong;
    volatile unsigned waited; /* rounds in which lo had to tick */
    volatile unsigned ticks;  /* that a round shall have */
} run;

static void act_second(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    run.fired++;
    rig_pend_tick();
}

static void act_first(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    run.fired++;
    run.places += hit->pc != run.pc;
    run.pc = hit->pc;
    rig_pend_tick();
    if (run.ticks == 2) {
        rig_arm(1, run.second, act_second);
    }
}

static struct clock_head *the_clock;

static void torn(void)
{
    unsigned crossed = 0;
    unsigned torn_times = 0;

    run.ticks = 2;
    for (run.second = 0; run.second < 60; run.second++) {
        for (run.first = 0;; run.first++) {
            al_time before = ((al_time)1 << 32) - 2;
            al_time seen;
            al_time after;

            run.fired = 0;
            clock_set(the_clock, before);
            if ((run.second & 1) != 0) {
                the_clock->index |= 0xfffffffeu; /* wraps as well */
            }
            rig_arm(0, run.first, act_first);
            seen = al_now();
            rig_disarm(0);
            rig_disarm(1);
            after = al_now();
            torn_times += seen < before || seen > after;
            crossed += run.fired == 2;
            if (run.fired == 0) {
                break;
            }
        }
    }
    CHECK(torn_times == 0 && crossed > 500, "al_now(): torn %u times of %u",
            torn_times, crossed);
}

static struct al_sem lo_go = AL_SEM_INIT(0, 1);
static struct al_sem lo_done = AL_SEM_INIT(0, 1);
static volatile bool asleep;

/* Runs when op sleeps: it must be right that it does. */
static void lo_main(void)
{
    for (;;) {
        al_sem_take(&lo_go);
        if (asleep) {
            run.waited++;
        }
        while (asleep) {
            unsigned fired = run.fired;
            const char *wrong = rig_check();

            /* What an interrupt changed meanwhile is seen next time. */
            if (wrong != NULL && fired == run.fired) {
                run.wrong = wrong;
            }
            rig_pend_tick();
        }
        al_sem_give(&lo_done);
    }
}

AL_TASK(lo, lo_main, 5, 1024);

static unsigned sleeps(uint32_t ticks)
{
    unsigned rounds = 0;

    run.waited = 0;
    run.places = 0;
    run.wrong = NULL;
    for (run.first = 0;; run.first++) {
        al_time start = al_now();

        run.fired = 0;
        asleep = true;
        al_sem_give(&lo_go);
        rig_arm(0, run.first, act_first);
        al_sleep(ticks);
        asleep = false;
        rig_disarm(0);
        rig_disarm(1);
        rounds++;
        if (al_now() < start + ticks && run.wrong == NULL) {
            run.wrong = "woken too early";
        }
        al_sem_take(&lo_done);
        if (run.fired == 0 || run.wrong != NULL) {
            return rounds;
        }
    }
}

static unsigned sleeps_apart(uint32_t ticks)
{
    unsigned rounds = 0;

    for (run.second = 0; run.second < 400; run.second += 23) {
        rounds += sleeps(ticks);
        if (run.wrong != NULL) {
            break;
        }
    }
    return rounds;
}

/* Somebody must sleep for the clock to be found. */
static struct al_sem finder_go = AL_SEM_INIT(0, 1);

static void finder_main(void)
{
    al_sem_take(&finder_go);
    al_sleep(5);
}

AL_TASK(finder, finder_main, 12, 1024);

static void op_main(void)
{
    unsigned rounds;

    rig_start();
    rig_pend_tick();
    rig_pend_tick();
    al_sem_give(&finder_go);
    the_clock = clock_find();
    CHECK(the_clock != NULL, "the kernel's clock is found");
    if (the_clock == NULL) {
        test_done();
    }
    for (unsigned i = 0; i < 5; i++) {
        rig_pend_tick();
    }
    torn();
    run.ticks = 1;
    rounds = sleeps(1);
    CHECK(run.wrong == NULL, "one tick: %s",
            run.wrong != NULL ? run.wrong : "right");
    CHECK(run.waited > 0 && run.waited < rounds && run.places > 200,
            "one tick: %u rounds, %u of them waited, %u places", rounds,
            run.waited, run.places);
    run.ticks = 2;
    rounds = sleeps_apart(2);
    CHECK(run.wrong == NULL, "two ticks: %s",
            run.wrong != NULL ? run.wrong : "right");
    CHECK(run.waited > 0 && rounds > 2000, "two ticks: %u rounds", rounds);
    test_done();
}

AL_TASK(op, op_main, 10, 2048);

RIG_WATCH();
