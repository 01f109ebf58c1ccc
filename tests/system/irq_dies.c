/* SPDX-License-Identifier: MIT */
/*
 * Claim: a death in a handler ends that handler and nothing else.
 *   1. each cause, in a handler of each level, directly and three calls deep,
 *      with callee-saved registers in use, floating-point ones among them: the
 *      interrupted task finds all its registers as they were; the scopes that
 *      the handler had opened are undone, newest first, once; the next interrupt
 *      of that line is handled
 *   2. one crash record each: cause, the exception's number in psr, frames
 *   3. nested three deep, each subset of the three dies: those that do not, end
 *      as they should
 *   4. a cleanup that dies is given up alone
 *   5. masks that a dead handler has set are cleared
 *   6. a death with the interrupted task's kernel lock held; the task's
 *      operation is completed
 * Fails if: the frame of another handler is left by, callee-saved registers are
 * not those of the interrupted code, or a scope of the task is undone.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * options: AL_CFG_IRQ_DEATHS=200
 * recovers: overflow vla null bus undef panic assert caller | handler nested |
 *     that handler ends, what it opened is undone; what it interrupted goes on
 *     | irq_panic_return unwind_frame unwind_scope
 * recovers: overflow null panic | lock |
 *     in a handler, while the task under it has the kernel's lock: the same,
 *     the task completes its operation | irq_panic_return unwind_frame
 *     unwind_scope
 */
#include "../interleave/rig.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

static volatile uint32_t zero;
static struct al_sem sem = AL_SEM_INIT(0, 5); /* nobody waits for it */
static struct al_mutex mutex = AL_MUTEX_INIT;

static char log[64];
static unsigned logged;

static void note(void *what)
{
    if (logged < sizeof(log) - 1) {
        log[logged++] = (char)(uintptr_t)what;
        log[logged] = '\0';
    }
}

#define NOTE(c) ((void *)(uintptr_t)(c))

__attribute__((noinline)) static uint32_t deep(uint32_t n)
{
    volatile uint32_t frame[8] = {n};

    return frame[n & 7] + (n == 0 ? 0 : deep(n + 1)) + frame[0];
}

static void overflow(void)
{
    zero = deep(1);
}

static void large(void)
{
    volatile char frame[4096];

    frame[0] = 1;
    zero = (uint32_t)frame[zero];
}

static void variable(void)
{
    volatile char frame[5000 + zero];

    frame[0] = 1;
    zero = (uint32_t)frame[zero];
}

static void null(void)
{
    zero = *(volatile uint32_t *)(uintptr_t)zero;
}

static void bus(void)
{
    zero = REG(0x30000000u + zero);
}

static void undefined(void)
{
    __asm__ volatile("udf #7");
}

static void panic(void)
{
    al_panic("in a handler");
}

static void assertion(void)
{
    AL_ASSERT(zero != 0);
}

static void misuse(void)
{
    al_sem_take(&sem);
}

static void library(void)
{
    (void)memcpy((void *)(uintptr_t)(0x30000000u + zero), log, 32);
}

static int compare(const void *a, const void *b)
{
    al_panic("in a callback");
    return a < b;
}

static void callback(void)
{
    int numbers[4] = {4, 3, 2, 1};

    qsort(numbers, 4, sizeof(numbers[0]), AL_CALLBACK(compare));
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t cause;
    uint32_t other; /* what a processor may call it as well */
} deaths[] = {
        {"overflow", overflow, AL_CAUSE_OVERFLOW, 0},
        {"large frame", large, AL_CAUSE_OVERFLOW, 0},
        {"variable frame", variable, AL_CAUSE_VLA, 0},
        {"null", null, AL_CAUSE_NULL, AL_CAUSE_BUS},
        {"bus", bus, AL_CAUSE_BUS, 0},
        {"undefined", undefined, AL_CAUSE_UNDEF, 0},
        {"panic", panic, AL_CAUSE_PANIC, 0},
        {"assertion", assertion, AL_CAUSE_ASSERT, 0},
        {"misuse", misuse, AL_CAUSE_CALLER, 0},
        {"library", library, AL_CAUSE_BUS, 0},
        {"callback", callback, AL_CAUSE_PANIC, 0},
};
#define DEATHS (sizeof(deaths) / sizeof(deaths[0]))

static unsigned which; /* of deaths[] */
static bool calls;     /* three deep */

/* Keeps as many registers as there are over the call. */
__attribute__((noinline)) static uint32_t busy(uint32_t a)
{
    uint32_t b = a * 3;
    uint32_t c = b * 5;
    uint32_t d = c * 7;
    uint32_t e = d * 11;
    float f = (float)a;
    AL_DEFER(note, NOTE('c'));

    deaths[which].run();
    return a + b + c + d + e + (uint32_t)(f * 1.5f);
}

__attribute__((noinline)) static uint32_t between(uint32_t a)
{
    AL_DEFER(note, NOTE('b'));

    return busy(a + 1) * a;
}

static volatile uint32_t came; /* handlers that began */
static volatile uint32_t went; /* and ended by themselves */

static void dies(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    came++;
    AL_DEFER(note, NOTE('a'));
    if (calls) {
        zero = between(came);
        zero = 0;
    } else {
        deaths[which].run();
    }
    went++;
}

static void lives(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    came++;
    AL_DEFER(note, NOTE('l'));
    went++;
}

static unsigned level;
static rig_action action;

static void pend(void)
{
    rig_pend(level, action);
}

static struct al_crash_record record;

static void check_record(const char *name)
{
    bool read = al_crash_read(al_crash_count(), &record) == AL_OK;

    CHECK(read && (record.cause == deaths[which].cause ||
                          record.cause == deaths[which].other),
            "%s, level %u, calls %u: cause is %s", name, level, calls,
            al_cause_name(record.cause));
    CHECK((record.psr & 0x1ff) >= 16, "%s, level %u, calls %u: in a handler",
            name, level, calls);
    CHECK(record.scopes_undone == (calls ? 3 : 1),
            "%s, level %u, calls %u: scopes undone", name, level, calls);
}

static void one(const char *name, uint32_t seed)
{
    uint32_t count = al_crash_count();
    const char *wrong;
    uint32_t differs;

    came = 0;
    went = 0;
    logged = 0;
    action = dies;
    differs = rig_guard(pend, seed, 1);
    CHECK(differs == 0, "%s, level %u, calls %u: registers differ: %x", name,
            level, calls, (unsigned)differs);
    CHECK(came == 1 && went == 0 && al_crash_count() == count + 1,
            "%s, level %u, calls %u: it dies", name, level, calls);
    CHECK(strcmp(log, calls ? "cba" : "a") == 0,
            "%s, level %u, calls %u: cleanups are %s", name, level, calls, log);
    check_record(name);
    action = lives;
    logged = 0;
    differs = rig_guard(pend, seed, 0);
    CHECK(differs == 0 && came == 2 && went == 1 && strcmp(log, "l") == 0,
            "%s, level %u, calls %u: the next one lives", name, level, calls);
    wrong = rig_check();
    CHECK(wrong == NULL, "%s, level %u, calls %u: %s", name, level, calls,
            wrong == NULL ? "the kernel is whole" : wrong);
}

/* ---- nested ---- */

static unsigned dying; /* bit n: level n dies */

static void nested(unsigned n, const struct rig_hit *hit)
{
    (void)hit;
    came++;
    AL_DEFER(note, NOTE('0' + n));
    if (n + 1 < RIG_TIMERS) {
        rig_pend(n + 1, nested);
    }
    if ((dying >> n & 1) != 0) {
        zero = between(n);
    }
    went++;
    note(NOTE('A' + n));
}

static void nest(unsigned subset)
{
    uint32_t count = al_crash_count();
    uint32_t differs;
    unsigned deads = 0;
    char expected[32];
    unsigned n = 0;

    dying = subset;
    came = 0;
    went = 0;
    logged = 0;
    level = 0;
    action = nested;
    for (unsigned l = RIG_TIMERS; l-- > 0;) {
        if ((subset >> l & 1) != 0) {
            deads++;
            expected[n++] = 'c';
            expected[n++] = 'b';
        } else {
            expected[n++] = (char)('A' + l);
        }
        expected[n++] = (char)('0' + l);
    }
    expected[n] = '\0';
    differs = rig_guard(pend, subset + 77, 1);
    CHECK(differs == 0, "nested, %u of death %s: registers differ: %x", subset,
            deaths[which].name, (unsigned)differs);
    CHECK(came == RIG_TIMERS && went == RIG_TIMERS - deads &&
                    al_crash_count() == count + deads,
            "nested, %u of death %s: who dies", subset, deaths[which].name);
    CHECK(strcmp(log, expected) == 0, "nested, %u of death %s: %s, not %s",
            subset, deaths[which].name, log, expected);
}

/* ---- over what an ended handler has left on the stack ---- */

__attribute__((noinline)) static void over_old_frames(void)
{
    volatile uint32_t old[64]; /* not written */

    zero = (uint32_t)(uintptr_t)old & 0;
    deaths[which].run();
    zero = old[zero] & 0;
}

static void dies_after(unsigned n, const struct rig_hit *hit)
{
    (void)hit;
    rig_pend(n + 1, lives);
    over_old_frames();
}

static void old_frames(void)
{
    uint32_t differs;

    level = 0;
    action = dies_after;
    differs = rig_guard(pend, which, 1);
    CHECK(differs == 0, "over old frames, death %s: registers differ: %x",
            deaths[which].name, (unsigned)differs);
}

/* ---- cleanups that die ---- */

static void dying_cleanup(void *what)
{
    note(what);
    deaths[which].run();
    note(NOTE('!'));
}

static void with_bad_cleanups(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    AL_DEFER(note, NOTE('1'));
    AL_DEFER(dying_cleanup, NOTE('2'));
    AL_DEFER(note, NOTE('3'));
    AL_DEFER(dying_cleanup, NOTE('4'));
    deaths[which].run();
}

static void bad_cleanups(void)
{
    uint32_t differs;

    logged = 0;
    action = with_bad_cleanups;
    differs = rig_guard(pend, which, 1);
    CHECK(differs == 0 && strcmp(log, "4321") == 0,
            "cleanups that die of %s: %s, registers %x", deaths[which].name,
            log, (unsigned)differs);
}

/* ---- with interrupts masked ---- */

static void dies_masked(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    __asm__ volatile("msr basepri, %0\n\tcpsid i" ::"r"(0x20) : "memory");
    deaths[which].run();
}

static void masked(void)
{
    uint32_t masks;
    uint32_t differs;

    action = dies_masked;
    differs = rig_guard(pend, which, 1);
    __asm__ volatile("mrs %0, basepri" : "=r"(masks));
    CHECK(differs == 0 && masks == 0, "masked, death %s: basepri",
            deaths[which].name);
    __asm__ volatile("mrs %0, primask\n\tcpsie i" : "=r"(masks)::"memory");
    CHECK(masks == 0, "masked, death %s: primask", deaths[which].name);
}

/* ---- in the task's lock, at each instruction ---- */

static unsigned met_locked;

static void dies_anywhere(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    met_locked += hit->locked;
    (void)al_irq_sem_give(&sem);
    AL_DEFER(note, NOTE('a'));
    deaths[which].run();
}

static void interrupted(void)
{
    unsigned given = 0;
    unsigned unlocked = 0;

    which = 3;
    for (uint32_t steps = 1; steps < 700; steps++) {
        al_status locked;
        rig_arm(steps % RIG_TIMERS, steps, dies_anywhere);
        AL_LOCK_SCOPED(&mutex, locked);
        unlocked += locked != AL_OK;
        (void)al_sem_give(&sem);
        al_sem_take(&sem);
        al_heap_free(al_heap_alloc(24));
        al_yield();
        rig_disarm(steps % RIG_TIMERS);
        while (al_sem_try_take(&sem) == AL_OK) {
            given++;
        }
    }
    CHECK(unlocked == 0, "the mutex was locked each time");
    CHECK(given > 100, "a handler gives and dies: %u units arrive", given);
    CHECK(met_locked > 10, "met the lock %u times", met_locked);
    CHECK(rig_check() == NULL,
            "after interrupts everywhere the kernel is whole");
}

static void victim_main(void)
{
    rig_start();
    for (which = 0; which < DEATHS; which++) {
        for (level = 0; level < RIG_TIMERS; level++) {
            calls = false;
            one(deaths[which].name, which * 8 + level);
            calls = true;
            one(deaths[which].name, which * 8 + level + 4);
        }
    }
    for (which = 0; which < DEATHS; which++) {
        for (unsigned subset = 0; subset < 1u << RIG_TIMERS; subset++) {
            nest(subset);
        }
        bad_cleanups();
        masked();
        old_frames();
    }
    interrupted();
    test_done();
}

AL_TASK(victim, victim_main, 5, 4096);
