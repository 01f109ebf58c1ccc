/* SPDX-License-Identifier: MIT */
/*
 * Claim: with AL_CFG_IRQ_LINES=0, in an image in which nobody has a deadline
 * and no event, channel or mutex is used by the test, what the tick owes while
 * the kernel lock is taken is done all the same.
 *   1. six sleepers, above and below two tasks that give to each other all the
 *      time: nobody sleeps longer than it asked for while those above let it run
 *   2. each unit that was given is taken, none twice
 * Fails if: a post of the clock's is lost, or left behind for ever.
 * boards: stm32f405; builds: gcc-Os-small gcc-O2 clang-O2 clang-Os
 * options: AL_CFG_IRQ_LINES=0
 */
#include <alula/alula.h>

#include "test.h"

#define TICKS 300u

static struct al_sem ping = AL_SEM_INIT(0, 4);
static struct al_sem pong = AL_SEM_INIT(0, 4);
static volatile uint32_t pings, pongs;
static volatile uint32_t slept[7];
static volatile uint32_t late[7];

/* Sleeps `ticks` again and again, and counts when it comes back late. */
static void sleep_on(unsigned who, uint32_t ticks)
{
    for (;;) {
        al_time began = al_now();

        al_sleep(ticks);
        slept[who]++;
        late[who] += al_now() - began > ticks + 1;
    }
}

#define SLEEPER(who, prio, ticks)       \
  static void sleeper##who##_main(void) \
  {                                     \
    sleep_on(who, ticks);               \
  }                                     \
  AL_TASK(sleeper##who, sleeper##who##_main, prio, 768)

SLEEPER(0, 9, 1);
SLEEPER(1, 9, 1);
SLEEPER(2, 8, 2);
SLEEPER(3, 7, 3);
SLEEPER(4, 6, 1);
SLEEPER(5, 2, 1);
SLEEPER(6, 2, 2);

static void pinger_main(void)
{
    for (;;) {
        al_sem_give(&ping);
        al_sem_take(&pong);
        pings++;
        if (pings % 512 == 0) {
            al_sleep(1); /* those below have their turn */
        }
    }
}

static void ponger_main(void)
{
    for (;;) {
        al_sem_take(&ping);
        pongs++;
        al_sem_give(&pong);
    }
}

AL_TASK(pinger, pinger_main, 4, 768);
AL_TASK(ponger, ponger_main, 5, 768);

static void judge_main(void)
{
    al_sleep(TICKS);
    for (unsigned i = 0; i < 5; i++) {
        CHECK(late[i] == 0, "sleeper %u is late %u times", i,
                (unsigned)late[i]);
    }
    CHECK(slept[0] >= TICKS - 5 && slept[1] >= TICKS - 5 &&
                    slept[2] >= TICKS / 2 - 5 && slept[3] >= TICKS / 3 - 5 &&
                    slept[4] >= TICKS - 5,
            "sleepers above: %u %u %u %u %u", (unsigned)slept[0],
            (unsigned)slept[1], (unsigned)slept[2], (unsigned)slept[3],
            (unsigned)slept[4]);
    CHECK(slept[5] > 0 && slept[6] > 0, "sleepers below: %u %u",
            (unsigned)slept[5], (unsigned)slept[6]);
    CHECK(pings > 1000 && pongs - pings <= 1, "%u pings, %u pongs",
            (unsigned)pings, (unsigned)pongs);
    test_done();
}

AL_TASK(judge, judge_main, 10, 2048);
