/* SPDX-License-Identifier: MIT */
/*
 * Claim: ticks that nobody counted while interrupts were masked, while handlers
 * kept the tick waiting, or while the application had stopped the processor,
 * are made up for; sleepers due in between wake at once, in the order of their
 * deadlines.
 *   1. a task masks interrupts for some and for many periods, at every eighth
 *      of one: the time then is what the counter says, and keeps so
 *   2. a handler does the same
 *   3. three tasks sleep, with deadlines in the stop and behind it: the first
 *      two wake at once in the order of their deadlines, the last in its time
 *   4. al_time_skip() adds exactly what it is told, also with interrupts
 *      masked, and with a tick at every instruction of it, and wakes in the same
 *      order
 *   5. across 2^32 ticks and across every wrap of the counter
 * Fails if: a tick counts one whatever the counter says, or counts what is left
 * of a period twice.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O2
 * timeout: 120
 */
#include <alula/alula.h>

#include <board.h>
#include <chip.h>

#include "test.h"

#define PERIOD (BOARD_COUNTER_HZ / AL_TICK_HZ)

/* kernel/time.h */
void al_time_test_set(al_time now, uint32_t index, uint32_t counter);

static uint32_t counter(void)
{
    return CHIP_COUNTER;
}

static void mask(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
}

static void unmask(void)
{
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
}

static void spin(uint32_t counts)
{
    uint32_t from = counter();

    while (counter() - from < counts) {
    }
}

/* Until just behind a tick; returns where the counter stood. */
static uint32_t at_tick(void)
{
    al_time now = al_now();

    while (al_now() == now) {
    }
    return counter();
}

static volatile uint32_t handler_spins;

#if BOARD_INSN_NS == 16
#  define LINE 0u
AL_IRQ(WWDG_IRQHandler)
#else
#  define LINE 11u
AL_IRQ(SPI_Handler)
#endif
{
    spin(handler_spins);
}

static void in_task(uint32_t counts)
{
    mask();
    spin(counts);
    unmask();
}

static void in_handler(uint32_t counts)
{
    handler_spins = counts;
    *(volatile uint32_t *)(0xe000e200u) = 1u << LINE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* Whole periods and eighths of one. */
static unsigned wrong_after(void (*stop)(uint32_t counts), uint32_t periods)
{
    unsigned wrong = 0;

    for (uint32_t eighth = 0; eighth < 8; eighth += 1 + periods / 50) {
        uint32_t from = at_tick();
        al_time before = al_now();
        uint32_t passed;

        stop(periods * PERIOD + eighth * (PERIOD / 8));
        /* Twice: what is left of a period must not be lost. */
        stop(PERIOD / 2 * 3);
        passed = (counter() - from) / PERIOD;
        wrong += al_now() - before != passed;
    }
    return wrong;
}

static void masked(void)
{
    static const uint32_t periods[] = {0, 1, 2, 3, 10, 100};

    for (unsigned i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        unsigned n = (unsigned)periods[i];

        CHECK(wrong_after(in_task, n) == 0, "masked for %u periods", n);
        CHECK(wrong_after(in_handler, n) == 0, "in a handler for %u", n);
    }
}

static volatile unsigned round_number, woken;
static struct {
    al_time until;
    volatile unsigned place; /* in the order of waking, from 1 */
    volatile al_time at;
} sleepers[3];

/* By then masked() is over, which nobody may disturb. */
#define SLEEPERS_BEGIN 4000u

static void sleeper(unsigned n)
{
    unsigned last = 0;

    al_sleep_until(SLEEPERS_BEGIN);
    for (;;) {
        while (round_number == last) {
            al_sleep(1);
        }
        last = round_number;
        al_sleep_until(sleepers[n].until);
        sleepers[n].at = al_now();
        woken++;
        sleepers[n].place = woken;
    }
}

/* Of one priority, and the later deadlines with those that start first. */
#define SLEEPER(n)             \
  static void sleeper##n(void) \
  {                            \
    sleeper(n);                \
  }                            \
  AL_TASK(sleeper_##n, sleeper##n, 9, 1024)

SLEEPER(0);
SLEEPER(1);
SLEEPER(2);

/* `stop` lets `ticks` periods pass, more than 50 and fewer than 500. */
static void wakes(const char *how, void (*stop)(uint32_t), uint32_t ticks)
{
    al_time start;

    al_sleep(2);
    at_tick();
    start = al_now();
    sleepers[0].until = start + 550;
    sleepers[1].until = start + 40;
    sleepers[2].until = start + 20;
    woken = 0;
    round_number++;
    al_sleep_until(start + 10);
    stop(ticks);
    CHECK(woken == 2 && sleepers[2].place == 1 && sleepers[1].place == 2,
            "%s: the earlier deadline wakes first", how);
    CHECK(sleepers[2].at == sleepers[1].at && sleepers[1].at >= start + ticks &&
                    sleepers[1].at <= start + 11 + ticks,
            "%s: both wake at once", how);
    while (woken < 3) {
        al_sleep(1);
    }
    CHECK(sleepers[0].at == start + 550, "%s: the third wakes in its time",
            how);
}

static void stop_masked(uint32_t ticks)
{
    in_task(ticks * PERIOD);
}

static void stop_in_handler(uint32_t ticks)
{
    in_handler(ticks * PERIOD);
}

static void stop_skipping(uint32_t ticks)
{
    al_time_skip(ticks);
}

static void stop_skipping_masked(uint32_t ticks)
{
    mask();
    al_time_skip(ticks - 30);
    al_time_skip(30);
    spin(PERIOD / 2);
    unmask();
}

static void skips(void)
{
    static const uint32_t lengths[] = {
            0, 1, 2, 1000, 1u << 24, AL_TIME_SKIP_MAX};

    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        al_time before;

        at_tick();
        before = al_now();
        al_time_skip(lengths[i]);
        CHECK(al_now() == before + lengths[i], "%u ticks are skipped",
                (unsigned)lengths[i]);
        at_tick();
        CHECK(al_now() == before + lengths[i] + 1, "and the next tick is one");
    }
}

/* The counter's wrap, at places of a stop that are apart by a 16th period. */
static void wraps(void)
{
    unsigned wrong = 0;

    for (uint32_t part = 0; part < 64; part++) {
        al_time before;

        at_tick();
        before = al_now();
        mask();
        CHIP_COUNTER = 0u - part * (PERIOD / 16);
        al_time_test_set(before, 0xffffffffu - part % 3, CHIP_COUNTER);
        spin(PERIOD * 3 + PERIOD / 2);
        unmask();
        wrong += al_now() != before + 3;
        at_tick();
        wrong += al_now() != before + 4;
    }
    CHECK(wrong == 0, "the counter wraps: %u times wrong", wrong);
}

/* The tick comes at every instruction of a call that skips. */
static void skips_interrupted(void)
{
    unsigned wrong = 0;

    for (uint32_t left = 0; left < 250; left++) {
        uint32_t insn = (uint32_t)(BOARD_INSN_NS * (uint64_t)BOARD_COUNTER_HZ /
                                   1000000000u);
        uint32_t from = at_tick();
        al_time before = al_now();

        spin(PERIOD - left * insn);
        al_time_skip(5);
        while (counter() - from < PERIOD / 2 * 3) {
        }
        wrong += al_now() != before + 6;
    }
    CHECK(wrong == 0, "a tick within al_time_skip(): %u times wrong", wrong);
}

static void set(al_time now, uint32_t index)
{
    at_tick();
    al_time_test_set(now, index, counter());
}

static void judge_main(void)
{
    al_irq_enable(LINE, AL_PRIO_IRQ(3));
    masked();
    CHECK(al_now() < SLEEPERS_BEGIN, "nobody else ran meanwhile");
    al_sleep_until(SLEEPERS_BEGIN);
    wakes("masked", stop_masked, 100);
    wakes("in a handler", stop_in_handler, 400);
    wakes("skipped", stop_skipping, 50);
    wakes("skipped, masked", stop_skipping_masked, 300);
    skips();
    skips_interrupted();
    set(((al_time)1 << 32) - 100, 0xfffffff0u);
    wakes("across 2^32", stop_masked, 200);
    set(((al_time)3 << 31) - 100, 7);
    wakes("across 3 * 2^31", stop_skipping, 200);
    wraps();
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
