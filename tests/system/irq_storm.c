/* SPDX-License-Identifier: MIT */
/*
 * Claim: a line whose handler dies again and again is disabled, and no other; a
 * raw handler that dies ends, as others do.
 *   1. AL_CFG_IRQ_DEATHS deaths within a second, of one line, of three lines in
 *      turns: each line is enabled up to its last death, disabled after it;
 *      a record of cause "storm" names it, al_irq_storm_hook() is told once; the
 *      other lines go on
 *   2. a line that is enabled again has as many deaths as at first
 *   3. deaths that lie further apart disable nothing
 *   4. a raw handler that faults, panics, or fails an assertion leaves all
 *      registers of the interrupted code, and counts as any other
 * Fails if: deaths are not forgotten after a second, or the line that is disabled
 * is another.
 * builds: gcc-Os-small gcc-O2 gcc-O0 clang-O2 clang-O0
 * sources: ../interleave/rig.c
 * options: AL_CFG_IRQ_DEATHS=3
 * recovers: storm | handler |
 *     the line is disabled after AL_CFG_IRQ_DEATHS deaths within a second, and
 *     the application is told | irq_panic_return unwind_frame unwind_scope
 */
#include "../interleave/rig.h"

#include "test.h"

#define DEATHS  3u
#define SECOND  AL_TICK_HZ
#define REG(at) (*(volatile uint32_t *)(uintptr_t)(at))
#define ISER(n) REG(0xe000e100u + (n) / 32 * 4)
#define ISPR(n) REG(0xe000e200u + (n) / 32 * 4)
#define BIT(n)  (1u << (n) % 32)

static volatile uint32_t storms;  /* hooks called */
static volatile uint32_t stormed; /* line of the last one */
static volatile uint32_t came;

void al_irq_storm_hook(uint32_t line)
{
    storms++;
    stormed = line;
}

static void dies(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    came++;
    al_panic("again");
}

static void lives(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    came++;
}

/* Does level n's handler run? */
static bool runs(unsigned n, rig_action action)
{
    uint32_t before = came;

    rig_pend(n, action);
    return came == before + 1;
}

static bool is_storm_of(uint32_t line)
{
    struct al_crash_record record;

    return al_crash_read(al_crash_count(), &record) == AL_OK &&
           record.cause == AL_CAUSE_STORM && record.detail[0] == line &&
           (record.psr & 0x1ff) == line + 16;
}

static void die_until_disabled(unsigned n, const char *when)
{
    uint32_t before = storms;

    for (unsigned i = 1; i <= DEATHS; i++) {
        CHECK(runs(n, dies) && storms == before + (i == DEATHS),
                "%s, level %u: death %u", when, n, i);
    }
    CHECK(is_storm_of(stormed) && (ISER(stormed) & BIT(stormed)) == 0,
            "%s, level %u: line %u is disabled", when, n, (unsigned)stormed);
    CHECK(!runs(n, lives), "%s, level %u: it runs no more", when, n);
}

static void forget(void)
{
    al_time_skip(SECOND + 1);
}

/* ---- a raw one ---- */

static volatile unsigned raw_death;
static volatile uint32_t zero;
static volatile uint32_t raws, raw_ends;

#if BOARD_INSN_NS == 16
#  define RAW_HANDLER ADC_IRQHandler
#  define RAW_LINE    18u
#else
#  define RAW_HANDLER UARTRX4_Handler
#  define RAW_LINE    20u
#endif
#define RAW_OF(vector) AL_IRQ_RAW(vector)

RAW_OF(RAW_HANDLER)
{
    uint32_t a = zero + 1;
    uint32_t b = zero + 2;
    uint32_t c = zero + 3;
    uint32_t d = zero + 4;
    volatile uint32_t frame[8];

    frame[zero] = d;
    raws++;
    switch (raw_death) {
    case 0:
        a = *(volatile uint32_t *)(uintptr_t)zero;
        break;
    case 1:
        al_panic("raw");
    case 2:
        AL_ASSERT(zero != 0);
        break;
    }
    zero = (a + b + c + d + frame[zero]) & 0;
    raw_ends++;
}

static void pend_raw(void)
{
    ISPR(RAW_LINE) = BIT(RAW_LINE);
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void raw(void)
{
    struct al_crash_record record;
    uint32_t differs;
    uint32_t before;

    al_irq_enable(RAW_LINE, AL_PRIO_IRQ(1));
    for (raw_death = 0; raw_death <= 3; raw_death++) {
        forget();
        before = al_crash_count();
        raws = 0;
        raw_ends = 0;
        differs = rig_guard(pend_raw, raw_death + 5, 1);
        CHECK(differs == 0 && raws == 1 && raw_ends == (raw_death == 3),
                "raw, death %u: it ends, registers %x", raw_death,
                (unsigned)differs);
        CHECK(al_crash_count() == before + (raw_death != 3) &&
                        (raw_death == 3 ||
                                (al_crash_read(before + 1, &record) == AL_OK &&
                                        (record.psr & 0x1ff) == RAW_LINE + 16)),
                "raw, death %u: the record", raw_death);
    }
    raw_death = 1;
    forget();
    before = storms;
    for (unsigned i = 0; i < DEATHS + 2; i++) {
        pend_raw();
    }
    CHECK(raws == DEATHS + 1 && storms == before + 1 && stormed == RAW_LINE,
            "a raw storm ends");
}

extern char __al_irq_stack_top[];

/* Is the interrupt stack empty? */
static bool is_stack_back(void)
{
    uint32_t msp;

    __asm__ volatile("mrs %0, msp" : "=r"(msp));
    return msp == (uint32_t)__al_irq_stack_top;
}

static void victim_main(void)
{
    uint32_t lines[RIG_TIMERS];
    uint32_t before;

    rig_start();
    for (unsigned n = 0; n < RIG_TIMERS; n++) {
        die_until_disabled(n, "at first");
        lines[n] = stormed;
        al_irq_enable(lines[n], AL_PRIO_IRQ(2 + 3 * n));
        CHECK(runs(n, lives), "level %u: enabled again, it runs", n);
        die_until_disabled(n, "enabled again");
        al_irq_enable(lines[n], AL_PRIO_IRQ(2 + 3 * n));
    }
    before = storms;
    for (unsigned i = 0; i < DEATHS; i++) {
        for (unsigned n = 0; n < RIG_TIMERS; n++) {
            CHECK(runs(n, dies), "in turns, level %u: death %u", n, i);
        }
    }
    CHECK(storms == before + RIG_TIMERS, "in turns: each line is disabled");
    for (unsigned n = 0; n < RIG_TIMERS; n++) {
        al_irq_enable(lines[n], AL_PRIO_IRQ(2 + 3 * n));
    }
    before = storms;
    for (unsigned i = 0; i < 4 * DEATHS; i++) {
        al_time_skip(SECOND / (DEATHS - 1));
        CHECK(runs(0, dies), "far apart: death %u", i);
    }
    CHECK(storms == before, "far apart: nothing is disabled");
    raw();
    CHECK(is_stack_back(), "the interrupt stack is empty");
    CHECK(rig_check() == NULL, "the kernel is whole");
    test_done();
}

AL_TASK(victim, victim_main, 5, 2048);
