/* SPDX-License-Identifier: MIT */
/*
 * Claim: the board's watchdog is fed while idle is reached, or all watches are
 * fed; it restarts the board when neither holds, or the tick is dead, and its
 * warning leaves a record of who ran.
 *   1. life 1: idle is reached: nothing happens for many times its time; idle is
 *      not, but the one watch is fed: nothing either; then the most urgent task
 *      spins: the watched one is killed, cannot come to its death, and the board
 *      restarts
 *   2. life 2: two records, the board's names the spinning task; the tick is
 *      stopped: the board restarts though tasks run
 *   3. life 3: the record is there; two watches, one is fed: the other one's task
 *      is restarted, not the board
 * Fails if: it is fed from anywhere else than the round, or a broken watch
 * counts as fed.
 * boards: mps2-an386 mps2-an385; builds: gcc-O2 gcc-Os clang-O2
 * recovers: watchdog | running exception |
 *     tasks that break their promises die first; where that does not help, or
 *     the tick is dead, the board restarts with a record of who ran | -
 */
#include <alula/alula.h>

#include "test.h"

#define STORY_MAGIC 0x57041e6u
#define BOARD_TICKS 40u
#define SYST_CSR    (*(volatile uint32_t *)0xe000e010u)

static struct {
    uint32_t magic;
    uint32_t life;
    uint32_t held; /* claims that held, a bit each */
} story __attribute__((section(".noinit.test")));

static const char *const claims[] = {
        "life 1: the watchdog runs",
        "life 1: idle feeds it",
        "life 1: a watch feeds it",
        "life 2: the board restarted, with one record of its own",
        "life 2: it names who ran",
        "life 3: a dead tick restarts the board",
        "life 3: a task that is not fed is restarted, the board is not",
};

static struct al_sem spin_low = AL_SEM_INIT(0, 1);
static struct al_sem spin_high = AL_SEM_INIT(0, 1);
static struct al_sem watched_go = AL_SEM_INIT(0, 1);
static struct al_sem hungry_go = AL_SEM_INIT(0, 1);
static volatile bool stop;

static void holds(uint32_t claim, bool held)
{
    story.held |= (uint32_t)held << claim;
}

static void spinner_low_main(void)
{
    al_sem_take(&spin_low);
    while (!stop) {
    }
    for (;;) {
        al_sleep(1000);
    }
}

AL_TASK(low, spinner_low_main, 1, 1024);

static void spinner_main(void)
{
    al_sem_take(&spin_high);
    for (;;) {
    }
}

AL_TASK(spinner, spinner_main, 9, 1024);

static void watched_main(void)
{
    for (;;) {
        al_sem_take(&watched_go);
        AL_WATCH(watch, 15);
        while (!stop) {
            al_sleep(5);
            al_watch_feed(&watch);
        }
    }
}

AL_TASK(watched, watched_main, 6, 1024);

static void hungry_main(void)
{
    al_sem_take(&hungry_go);
    AL_WATCH(watch, 15);
    for (;;) {
        al_sleep(1000);
    }
}

AL_TASK(hungry, hungry_main, 6, 1024);

static bool is(uint32_t sequence, const char *task, uint32_t cause)
{
    struct al_crash_record record;

    return al_crash_read(sequence, &record) == AL_OK && record.cause == cause &&
           __builtin_strcmp(record.task, task) == 0;
}

static void tell(void)
{
    struct al_crash_record record;

    for (uint32_t i = 1; i <= al_crash_count(); i++) {
        if (al_crash_read(i, &record) == AL_OK) {
            test_note("record %u: %s, cause %u at tick %u", (unsigned)i,
                    record.task, (unsigned)record.cause,
                    (unsigned)record.tick[0]);
        }
    }
    for (uint32_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        CHECK((story.held & 1u << i) != 0, "%s", claims[i]);
    }
    test_done();
}

static void first_life(void)
{
    holds(0, al_board_watch(BOARD_TICKS) == AL_OK &&
                     al_board_watch(BOARD_TICKS) == AL_OK);
    al_sleep(10 * BOARD_TICKS);
    holds(1, true);
    (void)al_sem_give(&watched_go);
    (void)al_sem_give(&spin_low);
    al_sleep(10 * BOARD_TICKS);
    holds(2, al_crash_count() == 0);
    (void)al_sem_give(&spin_high);
}

static void third_life(void)
{
    al_status status = al_board_watch(BOARD_TICKS);

    (void)status;
    (void)al_sem_give(&watched_go);
    (void)al_sem_give(&hungry_go);
    (void)al_sem_give(&spin_low);
    al_sleep(10 * BOARD_TICKS);
    holds(6, al_crash_count() == 3 && is(3, "hungry", AL_CAUSE_WATCHDOG) &&
                     hungry.restarts == 1);
    tell();
}

static void judge_main(void)
{
    al_status status;

    if (story.magic != STORY_MAGIC) {
        story.magic = STORY_MAGIC;
        story.life = 0;
        story.held = 0;
    }
    story.life++;
    test_note("life %d", (int)story.life);
    switch (story.life) {
    case 1:
        first_life();
        break;
    case 2:
        holds(3, al_crash_count() == 1);
        holds(4, is(1, "spinner", AL_CAUSE_WATCHDOG));
        status = al_board_watch(BOARD_TICKS);
        (void)status;
        (void)al_sem_give(
                &spin_low); /* the emulator sleeps through a warning */
        SYST_CSR = 0;
        al_sleep(1000);
        break;
    case 3:
        holds(5, al_crash_count() == 2 && is(2, "low", AL_CAUSE_WATCHDOG));
        third_life();
        break;
    default:
        tell();
    }
}

AL_TASK(judge, judge_main, 7, 2048);
