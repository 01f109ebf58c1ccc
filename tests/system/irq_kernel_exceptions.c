/* SPDX-License-Identifier: MIT */
/*
 * Claim: a panic in a handler of the NMI, and any death before the first task,
 * is the kernel stop with the right record; a death in a tick's handler of the
 * application's ends that tick alone. (A fault or overflow in the NMI's handler
 * locks the processor up: nothing outranks it.)
 *   1. each case after a fresh start of the board: a panic in the NMI's handler;
 *      a fault, a panic and a stack overflow in board_start(), before any task:
 *      board_stop(), this test's, finds interrupts masked and the newest record:
 *      cause "kernel", a site of the port's, who was interrupted
 *   2. the same three in the tick's handler: one record of that death, which names
 *      the exception; the next tick is handled, and the missed one made up for
 *   3. the board restarts, the records are still there; after the last case
 *      everything is told
 * Fails if: the NMI's handler is recovered as those of interrupts are, or the
 * tick's is not.
 * boards: stm32f405 mps2-an386; builds: gcc-O2 gcc-O0 gcc-Os-small clang-O2 clang-Os
 * recovers: null panic overflow | boot |
 *     kernel stop with a record of cause kernel | -
 * recovers: panic | exception |
 *     in a handler of the NMI: kernel stop with a record of cause kernel | -
 * recovers: null panic overflow | tick |
 *     in a tick's handler of the application's: that handler ends, the tick is
 *     made up for | irq_panic_return unwind_frame unwind_scope
 */
#include <alula/alula.h>

#include <board.h>

#include "test.h"

#define MAGIC 0x65786370u
#define ICSR  (*(volatile uint32_t *)0xe000ed04u)

enum place {
    TICK,
    NMI,
    BOOT,
    PLACES
};

enum death {
    FAULT,
    PANIC,
    OVERFLOW,
    DEATHS
};

#define CASES ((uint32_t)PLACES * DEATHS)

/* Outlives the restarts. */
static struct {
    uint32_t magic;
    uint32_t at;    /* the case that runs */
    uint32_t right; /* bit n: case n ended as it should */
    uint32_t records;
    uint32_t cause[CASES];
    uint32_t site[CASES];
} log __attribute__((section(".noinit.test")));

static volatile uint32_t zero;
static volatile bool tick_died; /* in this life of the board */

__attribute__((noinline)) static uint32_t deep(uint32_t n)
{
    volatile uint32_t frame[8];

    frame[n % 8] = n;
    return n == 0 ? 0 : deep(n + 1) + frame[n % 8];
}

static void die(void)
{
    switch ((enum death)(log.at % DEATHS)) {
    case FAULT:
        zero = *(volatile uint32_t *)(uintptr_t)zero;
        break;
    case PANIC:
        al_panic("where nobody may");
    case OVERFLOW:
        zero = deep(1);
        break;
    case DEATHS:
        break;
    }
}

static bool is_at(enum place place)
{
    return log.magic == MAGIC && log.at < CASES && log.at / DEATHS == place;
}

AL_IRQ(SysTick_Handler)
{
    if (is_at(TICK) && !tick_died) {
        tick_died = true;
        die();
    }
    al_irq_tick();
}

AL_IRQ(NMI_Handler)
{
    die();
}

void board_start(void)
{
    if (is_at(BOOT)) {
        die();
    }
}

AL_NORETURN void board_stop(void)
{
    struct al_crash_record record = {.cause = 0};
    uint32_t primask;
    uint32_t at = log.at;

    __asm__ volatile("mrs %0, primask" : "=r"(primask));
    if (al_crash_read(al_crash_count(), &record) == AL_OK) {
        bool named = record.task[0] == (at / DEATHS == BOOT ? 'i' : 'j');

        log.cause[at] = record.cause;
        log.site[at] = record.detail[0] << 8 | record.detail[1];
        if (primask == 1 && named && record.cause == AL_CAUSE_KERNEL &&
                record.detail[0] == 8 && al_crash_count() == ++log.records) {
            log.right |= 1u << at;
        }
    }
    log.at++;
    al_reset();
}

static void tell(void)
{
    static const char *const places[] = {"tick", "NMI", "boot"};
    static const char *const deaths[] = {"fault", "panic", "overflow"};

    for (uint32_t n = 0; n < CASES; n++) {
        if (n / DEATHS == NMI && n % DEATHS != PANIC) {
            continue;
        }
        CHECK((log.right >> n & 1) != 0, "%s in %s: cause %u, site %x",
                deaths[n % DEATHS], places[n / DEATHS], (unsigned)log.cause[n],
                (unsigned)log.site[n]);
    }
    log.magic = 0;
    test_done();
}

static void look_at_tick(void)
{
    static const uint32_t causes[] = {
            AL_CAUSE_NULL, AL_CAUSE_PANIC, AL_CAUSE_OVERFLOW};
    struct al_crash_record record = {.cause = 0};

    if (al_crash_read(al_crash_count(), &record) == AL_OK) {
        log.cause[log.at] = record.cause;
        if (record.cause == causes[log.at % DEATHS] &&
                (record.psr & 0x1ff) == 15 &&
                al_crash_count() == ++log.records) {
            log.right |= 1u << log.at;
        }
    }
}

static void judge_main(void)
{
    if (log.magic != MAGIC || log.at > CASES) {
        log.magic = MAGIC;
        log.at = 0;
        log.right = 0;
        log.records = 0;
    }
    if (log.at == CASES) {
        tell();
    }
    if (is_at(NMI) && log.at % DEATHS != PANIC) {
        log.at++; /* a lockup */
        al_reset();
    }
    if (is_at(NMI)) {
        ICSR = 1u << 31;
    }
    al_sleep(3);
    if (is_at(TICK)) {
        look_at_tick();
    }
    /* The others came back, which is wrong. */
    log.at++;
    al_reset();
}

AL_TASK(judge, judge_main, 5, 2048);
