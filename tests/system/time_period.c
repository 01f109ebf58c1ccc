/* SPDX-License-Identifier: MIT */
/*
 * Claim: periodic releases come at their ticks without drift; those that passed
 * while the task was at work are counted, and the series keeps its phase.
 *   1. periods of 1, 3 and 1000 ticks: each release at its tick, whatever of the
 *      period the work took; a wait at the very tick of the release is in time
 *   2. overruns by a tick, by a period less one, by one, and by some: at once,
 *      AL_E_OVERRUN, as many missed as passed, the next release the first ahead
 *   3. overruns of 2^32 ticks and more, with short and long periods; the number
 *      wraps
 *   4. across 2^32 ticks
 *   5. 0 ticks, and a period that was never started: TIME.1
 *   6. the idle hook is called when nobody else runs, as the idle task
 * Fails if: the next release is counted from the present, or a late one is
 * thought to be ahead.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../interleave/clock.c ../support/recover.c ../support/hands.c
 */
#include "../interleave/clock.h"
#include "../support/hands.h"
#include "../support/recover.h"

HAND(a, 8);
HAND(b, 9);

static struct al_period period;
static struct clock_head *the_clock;
static volatile al_time woke;

static al_status wait_release(struct hand *self)
{
    al_status status = al_period_wait(self->object);

    woke = al_now();
    return status;
}

/* a waits for its release; true when it came at once. */
static bool wait_next(void)
{
    return hand_do(&a_hand, wait_release, &period, 0);
}

/* In time: waits, and comes back with AL_OK at `when` and not before. */
static bool comes_at(al_time when)
{
    if (when > al_now() && wait_next()) {
        return false;
    }
    if (when == al_now()) {
        return wait_next() && a_hand.status == AL_OK;
    }
    while (al_now() < when) {
        if (a_hand.done) {
            return false;
        }
        ticks(1);
    }
    return a_hand.done && a_hand.status == AL_OK && woke == when;
}

static void in_time(uint32_t length)
{
    al_time start = al_now();
    bool right = true;

    al_period_start(&period, length);
    for (unsigned i = 1; i <= 6; i++) {
        ticks(i % 3 == 2 ? length - 1 : i % 3 == 1 ? length / 2 : length);
        if (al_now() > start + (al_time)i * length) {
            break;
        }
        right = right && comes_at(start + (al_time)i * length);
    }
    CHECK(right && period.missed == 0, "%u ticks: each release at its tick: %s",
            (unsigned)length, kernel());
}

static bool overruns(uint32_t missed, al_time next)
{
    uint32_t before = period.missed;

    return wait_next() && a_hand.status == AL_E_OVERRUN && woke == al_now() &&
           period.missed - before == missed && period.release == next;
}

static void late(uint32_t length, uint32_t late_by)
{
    al_time first;

    al_period_start(&period, length);
    first = al_now() + length;
    ticks(length + late_by);
    CHECK(overruns(late_by / length + 1,
                  first + (al_time)(late_by / length + 1) * length),
            "%u ticks, %u late: %u missed", (unsigned)length, (unsigned)late_by,
            (unsigned)period.missed);
    CHECK(comes_at(period.release) && period.missed == late_by / length + 1,
            "%u ticks, %u late: then in time: %s", (unsigned)length,
            (unsigned)late_by, kernel());
}

/* The clock is set; nobody sleeps. */
static void very_late(uint32_t length, al_time late_by)
{
    al_time first;
    uint32_t passed = 1;

    clock_set(the_clock, 1000);
    al_period_start(&period, length);
    period.missed = 5;
    first = period.release;
    clock_set(the_clock, first + late_by);
    /* In 64 bits, which the kernel does without a library's help. */
    passed = (uint32_t)(late_by / length + 1);
    CHECK(overruns(passed, first + (late_by / length + 1) * length),
            "%u ticks, 2^32 * %u + %u late: %u missed", (unsigned)length,
            (unsigned)(late_by >> 32), (unsigned)late_by,
            (unsigned)period.missed - 5);
    CHECK(period.release > al_now() && period.release <= al_now() + length,
            "%u ticks: the next one is the first ahead", (unsigned)length);
}

static void across_wrap(void)
{
    al_time start = ((al_time)1 << 32) - 10;
    bool right = true;

    clock_set(the_clock, start);
    al_period_start(&period, 4);
    for (unsigned i = 1; i < 6; i++) {
        right = right && comes_at(start + 4 * i);
    }
    CHECK(right && period.missed == 0, "across 2^32: %s", kernel());
    clock_set(the_clock, start);
    al_period_start(&period, 4);
    ticks(13);
    CHECK(overruns(3, start + 16) && comes_at(start + 16),
            "late across 2^32: %s", kernel());
}

static void start_0(void)
{
    al_period_start(&period, 0);
}

static void wait_zeros(void)
{
    struct al_period none = {0, 0, 0};

    (void)al_period_wait(&none);
}

static void panics(const char *name, void (*use)(void))
{
    CHECK(rig_run(use) == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                    rig_record.detail[0] == 9 && rig_record.detail[1] == 1,
            "%s: TIME.1: %s", name, kernel());
}

static volatile unsigned hooked;
static const struct al_task *volatile hooked_in;

void al_idle_hook(void)
{
    hooked++;
    hooked_in = al_core.current;
}

static void idles(void)
{
    unsigned before;

    al_sleep(1);
    before = hooked;
    al_sleep(5);
    CHECK(hooked > before && hooked_in != NULL && hooked_in->prio == 0,
            "the idle hook was called");
    before = hooked;
    for (al_time until = al_in(3); al_now() < until;) {
    }
    CHECK(hooked == before, "and not while this task ran");
}

static void judge_main(void)
{
    static const uint32_t lates[] = {1, 2, 3, 4, 5, 7, 8, 11, 40};

    idles();
    rig_start();
    (void)hand_do(&b_hand, hand_sleep, NULL, al_in(3));
    the_clock = clock_find();
    CHECK(the_clock != NULL, "the kernel's clock is found");
    if (the_clock == NULL) {
        test_done();
    }
    ticks(3);
    in_time(1);
    in_time(3);
    in_time(1000);
    for (unsigned i = 0; i < sizeof(lates) / sizeof(lates[0]); i++) {
        late(4, lates[i]);
    }
    late(1, 1);
    late(1, 17);
    very_late(1, ((al_time)1 << 32) - 1);
    very_late(1, (al_time)1 << 32);
    very_late(1, ((al_time)1 << 32) + 77);
    very_late(1000, ((al_time)1 << 32) - 2);
    very_late(1000, ((al_time)1 << 32) + 5);
    very_late(1000, ((al_time)1000 << 32) + 12345);
    very_late(1u << 31, ((al_time)1 << 31) - 1);
    very_late(1u << 31, ((al_time)9 << 31) + 1);
    very_late(7, ((al_time)13 << 32) + 3);
    across_wrap();
    panics("0 ticks", start_0);
    panics("never started", wait_zeros);
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
