/* SPDX-License-Identifier: MIT */
/*
 * Claim: without recovery a death is the kernel stop, told as what it was.
 *   1. each case after a fresh start of the board: a task with a scope open
 *      dies of an overflow, a null pointer, a panic, a failed assertion, a
 *      wrong call, a stack pointer out of its stack
 *   2. board_stop(), this test's, finds interrupts masked and the newest
 *      record: the cause of that death, its task and its place; no cleanup ran
 *   3. the board restarts, the records are still there; after the last case
 *      everything is told
 * Fails if: the record says "kernel", or anything goes on after a death.
 * boards: stm32f405 mps2-an386; builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O2
 * options: AL_CFG_RECOVERY=0
 * recovers: overflow null panic assert caller stack | running |
 *     in an image without recovery: the kernel stop, with the record of that
 *     death | -
 */
#include <alula/crash.h>
#include <alula/mutex.h>
#include <alula/panic.h>

#include "test.h"

#define MAGIC    0x656e6f6eu
#define NOINLINE __attribute__((noinline))

/* Outlives the restarts. */
static struct {
    uint32_t magic;
    uint32_t at;     /* the case that runs */
    uint32_t undone; /* cleanups that ran; none should */
    struct {
        uint32_t cause;
        uint32_t primask;
        uint32_t deaths;
        uint32_t pc;
        uint32_t first_pc;
        char task;
    } seen[8];
} log __attribute__((section(".noinit.test")));

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile uint32_t zero;

static NOINLINE uint32_t deep(uint32_t n)
{
    volatile uint32_t frame[8] = {n};

    return frame[n & 7] + (n == 0 ? 0 : deep(n + 1)) + frame[0];
}

static void overflow(void)
{
    zero = deep(1);
}

static void null(void)
{
    zero = *(volatile uint32_t *)(uintptr_t)zero;
}

static void panic(void)
{
    al_panic("test");
}

static void assertion(void)
{
    AL_ASSERT(zero != 0);
}

static void wrong_call(void)
{
    al_mutex_unlock(&mutex);
}

__attribute__((naked)) static void lost_stack(void)
{
    __asm__ volatile("@alula: unchecked 0\n\t"
                     "mov r0, #0x30000000\n\t"
                     "mov sp, r0\n\t"
                     "push {r0}\n\t"
                     "bx lr");
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t cause;
} cases[] = {
        {"overflow", overflow, AL_CAUSE_OVERFLOW},
        {"null", null, AL_CAUSE_NULL},
        {"panic", panic, AL_CAUSE_PANIC},
        {"assertion", assertion, AL_CAUSE_ASSERT},
        {"wrong call", wrong_call, AL_CAUSE_CALLER},
        {"lost stack", lost_stack, AL_CAUSE_STACK},
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

void board_start(void);
AL_NORETURN void board_stop(void);

void board_start(void)
{
}

AL_NORETURN void board_stop(void)
{
    struct al_crash_record record = {.cause = 0};

    __asm__ volatile("mrs %0, primask" : "=r"(log.seen[log.at].primask));
    if (al_crash_read(al_crash_count(), &record) == AL_OK) {
        log.seen[log.at].cause = record.cause;
        log.seen[log.at].deaths = al_crash_count();
        log.seen[log.at].pc = record.pc;
        log.seen[log.at].first_pc = record.pcs[0];
        log.seen[log.at].task = record.task[0];
    }
    log.at++;
    al_reset();
}

static void undo(void *arg)
{
    (void)arg;
    log.undone++;
}

static void tell(void)
{
    for (unsigned n = 0; n < CASES; n++) {
        CHECK(log.seen[n].cause == cases[n].cause, "%s: cause %u",
                cases[n].name, (unsigned)log.seen[n].cause);
        CHECK(log.seen[n].primask == 1 && log.seen[n].deaths == n + 1 &&
                        log.seen[n].task == 'v' &&
                        log.seen[n].pc == log.seen[n].first_pc,
                "%s: masked %u, death %u, task %c", cases[n].name,
                (unsigned)log.seen[n].primask, (unsigned)log.seen[n].deaths,
                log.seen[n].task);
    }
    CHECK(log.undone == 0, "%u cleanups ran", (unsigned)log.undone);
    log.magic = 0;
    test_done();
}

static void victim_main(void)
{
    if (log.magic != MAGIC || log.at > CASES) {
        log.magic = MAGIC;
        log.at = 0;
        log.undone = 0;
    }
    if (log.at == CASES) {
        tell();
    }
    AL_DEFER(undo, NULL);
    cases[log.at].run();
    /* Came back: that is wrong. */
    log.seen[log.at].cause = 99;
    log.at++;
    al_reset();
}

AL_TASK(victim, victim_main, 5, 2048);
