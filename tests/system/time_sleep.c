/* SPDX-License-Identifier: MIT */
/*
 * Claim: a sleeper wakes at its tick, not before and not after, whatever the
 * clock stands at.
 *   1. al_sleep(0) and a moment that is past or present come back at once,
 *      without giving way to an equal
 *   2. 1, 2, 3, 10, 1000 and 70000 ticks; al_sleep_until()
 *   3. six tasks with equal and different moments: each at its own tick, the
 *      most urgent first
 *   4. 1 to 3 with the clock shortly before 2^31, 2^32 - 1, 2^32, 2^33 + 2^31,
 *      3 * 2^30, and sleeps of 2^30 and 2^31 ticks and more across them: the
 *      clock is set forward while they sleep
 *   5. the tick's period is what AL_TICK_HZ says, by SysTick's registers
 * Fails if: times are compared in 32 bits, a far sleeper is forgotten at the
 * look after 2^30 ticks, or a sleep ends a tick early.
 * builds: gcc-O2 clang-O2
 * sources: ../interleave/rig.c ../interleave/clock.c
 */
#include "../interleave/clock.h"
#include "../interleave/rig.h"

#include <chip.h>

#include "test.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define SLEEPERS 6

static struct sleeper {
    struct al_sem go;
    volatile al_time until;
    volatile al_time woke;
    volatile unsigned place; /* in the order of waking */
} sleepers[SLEEPERS] = {
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
};
static volatile unsigned woken;

static void sleeper(unsigned n)
{
    for (;;) {
        al_sem_take(&sleepers[n].go);
        al_sleep_until(sleepers[n].until);
        sleepers[n].woke = al_now();
        sleepers[n].place = woken;
        woken++;
    }
}

#define SLEEPER(n, prio)        \
  static void s##n##_main(void) \
  {                             \
    sleeper(n);                 \
  }                             \
  AL_TASK(s##n, s##n##_main, prio, 1024)

SLEEPER(0, 10);
SLEEPER(1, 11);
SLEEPER(2, 12);
SLEEPER(3, 13);
SLEEPER(4, 14);
SLEEPER(5, 15);

static volatile unsigned equal_ran;
static struct al_sem equal_go = AL_SEM_INIT(0, 1);

static void equal_main(void)
{
    for (;;) {
        al_sem_take(&equal_go);
        equal_ran++;
    }
}

AL_TASK(equal, equal_main, 5, 1024);

static void ticks(unsigned n)
{
    for (; n > 0; n--) {
        rig_pend_tick();
    }
}

static void none(const char *when)
{
    unsigned before = equal_ran;
    al_time now = al_now();

    al_sem_give(&equal_go);
    al_sleep(0);
    al_sleep_until(now);
    al_sleep_until(now - 1);
    al_sleep_until(0);
    CHECK(equal_ran == before && al_now() == now, "%s: no sleep, no giving way",
            when);
    al_yield();
    CHECK(equal_ran == before + 1, "%s: yield gives way", when);
}

/* Ticks come one by one: who is awake after each must be who is due. */
static void six(const char *when)
{
    static const unsigned after[SLEEPERS] = {3, 1, 3, 2, 7, 1};
    al_time start = al_now();
    bool right = true;

    woken = 0;
    for (unsigned n = 0; n < SLEEPERS; n++) {
        sleepers[n].until = start + after[n];
        sleepers[n].woke = 0;
        al_sem_give(&sleepers[n].go);
    }
    CHECK(woken == 0, "%s: all sleep", when);
    for (unsigned tick = 1; tick <= 8; tick++) {
        unsigned due = 0;

        ticks(1);
        for (unsigned n = 0; n < SLEEPERS; n++) {
            due += after[n] <= tick;
        }
        right = right && woken == due && al_now() == start + tick;
    }
    CHECK(right, "%s: each at its own tick", when);
    for (unsigned n = 0; n < SLEEPERS; n++) {
        right = right && sleepers[n].woke == start + after[n];
    }
    /* 5 and 1 at the first, 3, then 2 and 0, then 4. */
    CHECK(right && sleepers[5].place == 0 && sleepers[1].place == 1 &&
                    sleepers[3].place == 2 && sleepers[2].place == 3 &&
                    sleepers[0].place == 4 && sleepers[4].place == 5,
            "%s: the most urgent first", when);
}

static struct clock_head *the_clock;

/* Two tasks sleep for so long that the clock must be set; a tick before the
 * time they sleep, at it they do not. */
static void far_ahead(const char *when, al_time far)
{
    al_time start = al_now();
    uint32_t expiry;

    woken = 0;
    sleepers[0].until = start + far;
    sleepers[1].until = start + far + 1;
    al_sem_give(&sleepers[0].go);
    al_sem_give(&sleepers[1].go);
    /* Every look that the tick makes by itself, while the clock is moved. */
    for (unsigned looks = 0; looks < 12; looks++) {
        expiry = the_clock->expiry;
        if (al_now() + (uint32_t)(expiry - (uint32_t)al_now()) >= start + far) {
            break;
        }
        clock_set(the_clock,
                al_now() + (uint32_t)(expiry - (uint32_t)al_now()) - 1);
        the_clock->expiry = expiry;
        ticks(1);
        if (the_clock->expiry == expiry) {
            CHECK(false, "%s: the tick looks again", when);
        }
    }
    expiry = the_clock->expiry;
    CHECK(expiry == (uint32_t)(start + far) && woken == 0,
            "%s: the expiry is the sleeper's", when);
    clock_set(the_clock, start + far - 2);
    the_clock->expiry = expiry;
    ticks(1);
    CHECK(woken == 0, "%s: not a tick early", when);
    ticks(1);
    CHECK(woken == 1 && sleepers[0].woke == start + far, "%s: at its tick",
            when);
    ticks(1);
    CHECK(woken == 2 && sleepers[1].woke == start + far + 1,
            "%s: the next at the next", when);
}

static const struct {
    const char *name;
    al_time at;
} starts[] = {
        {"soon after boot", 100},
        {"2^31", ((al_time)1 << 31) - 4},
        {"2^32", ((al_time)1 << 32) - 4},
        {"2^32 - 1", ((al_time)1 << 32) - 9},
        {"3 * 2^30", 3 * ((al_time)1 << 30) - 4},
        {"2^33 + 2^31", ((al_time)1 << 33) + ((al_time)1 << 31) - 4},
        {"2^40", ((al_time)1 << 40) - 4},
};

static void periods(void)
{
    uint32_t reload = REG(0xe000e014) + 1;
    static const uint32_t lengths[] = {1, 2, 3, 10, 1000, 70000};

    CHECK((REG(0xe000e010) & 7) == 7 && reload == CHIP_SYSTICK_HZ / AL_TICK_HZ,
            "%u counts a tick", (unsigned)reload);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        al_time start = al_now();

        al_sleep(lengths[i]);
        CHECK(al_now() == start + lengths[i], "sleep for %u",
                (unsigned)lengths[i]);
        al_sleep_until(al_now() + lengths[i]);
        CHECK(al_now() == start + 2 * lengths[i], "sleep until %u more",
                (unsigned)lengths[i]);
    }
}

static void judge_main(void)
{
    const char *wrong;

    al_sleep(2);
    periods();
    sleepers[0].until = al_now() + 3;
    al_sem_give(&sleepers[0].go);
    al_yield();
    rig_start();
    sleepers[1].until = al_now() + 5;
    al_sem_give(&sleepers[1].go);
    the_clock = clock_find();
    CHECK(the_clock != NULL, "the kernel's clock is found");
    ticks(8);
    CHECK(woken == 2, "nobody sleeps");
    for (unsigned i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        const char *when = starts[i].name;

        clock_set(the_clock, starts[i].at);
        none(when);
        six(when);
        clock_set(the_clock, starts[i].at);
        far_ahead(when, (al_time)1 << 30);
        clock_set(the_clock, starts[i].at);
        far_ahead(when, (al_time)1 << 31);
        clock_set(the_clock, starts[i].at);
        far_ahead(when, ((al_time)1 << 32) + 5);
    }
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
