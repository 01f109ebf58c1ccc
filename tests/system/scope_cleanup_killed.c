/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is killed in a cleanup at the end of a block dies after
 * it: no cleanup is cut short, whatever it calls, as long as it comes back in
 * time. One that does not is abandoned, alone.
 *   1. a timer interrupts the victim after 0, 1, 2, ... instructions, until its
 *      blocks have ended before; its handler lets a more urgent task kill it
 *   2. cleanups: four calls deep, with large frames; with scopes, locks and
 *      heap blocks of their own; with floating-point registers that are kept
 *      over calls; the C library's qsort with a callback; the end of a block
 *      whose scope is not the newest
 *   3. after each: every cleanup that was opened has begun once and ended once,
 *      in order; its values are right; locks, heap and the kernel are whole; one
 *      record, of the right cause, none abandoned
 *   4. a cleanup that loops for ever is abandoned after the grace: killed in it
 *      at the end of its block, or run by recovery; the next ones run
 * Fails if: a kill cuts a cleanup short, or has one run twice; if the look for a
 * cleanup changes floating-point registers.
 * boards: stm32f405 mps2-an386; timeout: 300
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * recovers: killed | cleanup |
 *     it is let finish, and its task dies after it | kill_busy_to_restart
 *     unwind_frame unwind_scope
 */
#include <stdlib.h>

#include "../interleave/rig.h"

#include "test.h"

#define NOINLINE __attribute__((noinline))

static struct al_sem killer_go = AL_SEM_INIT(0, 1);
static struct al_sem victim_go = AL_SEM_INIT(0, 1);
static struct al_mutex m1 = AL_MUTEX_INIT;
static struct al_mutex m2 = AL_MUTEX_INIT;

static void (*volatile sample)(void);
static volatile uint32_t delay;
static volatile bool fired;
static volatile bool sample_done;
static struct al_task_id victim_id;

/* --- what ran --- */

#define PARTS 6

static struct {
    volatile uint32_t opened[PARTS];
    volatile uint32_t begun[PARTS];
    volatile uint32_t ended[PARTS];
    volatile bool wrong;
} ran;

static volatile uint32_t sink;

static NOINLINE uint32_t deepest(uint32_t n)
{
    volatile uint32_t local[24];

    local[n & 7] = n;
    return local[n & 7] + 1;
}

static NOINLINE uint32_t deeper(uint32_t n)
{
    volatile uint32_t local[4];

    local[n & 3] = deepest(n);
    return local[n & 3] + 1;
}

static NOINLINE uint32_t deep(uint32_t n)
{
    return deeper(n) + deeper(n + 1);
}

static void begins(uint32_t part)
{
    /* What was opened later is done with. */
    for (uint32_t i = part + 1; i < PARTS; i++) {
        ran.wrong = ran.wrong || ran.ended[i] != ran.begun[i];
    }
    ran.begun[part]++;
}

static void c_deep(void *arg)
{
    uint32_t part = (uint32_t)(uintptr_t)arg;

    begins(part);
    sink = deep(part);
    ran.wrong = ran.wrong || sink != 2 * part + 5;
    ran.ended[part]++;
}

static void c_scopes(void *arg)
{
    uint32_t part = (uint32_t)(uintptr_t)arg;
    al_status status;

    begins(part);
    {
        AL_LOCK_SCOPED(&m2, status);
        AL_HEAP_SCOPED(block, 40);
        AL_DEFER(c_deep, (void *)5);
        ran.opened[5]++;
        ran.wrong = ran.wrong || status != AL_OK || block == NULL;
        sink = deep(part);
    }
    ran.ended[part]++;
}

static volatile float real = 3.0f;

/* Through pointers: compilers look into functions for registers to spare. */
static uint32_t (*volatile go_deep)(uint32_t) = deep;

static float half(float x)
{
    sink = go_deep(1);
    return x * 0.5f;
}

static float (*volatile halve)(float) = half;

/* Values that compilers keep in s16 and on. */
static void c_reals(void *arg)
{
    uint32_t part = (uint32_t)(uintptr_t)arg;
    float a = real * 10;
    float b = real * 100;
    float c = real * 1000;
    float sum;

    begins(part);
    sum = halve(a) + halve(b) + halve(c);
    ran.wrong = ran.wrong || a + b + c != 3330.0f || sum != 1665.0f;
    ran.ended[part]++;
}

static int by_value(const void *a, const void *b)
{
    sink = deep(1);
    return *(const char *)a - *(const char *)b;
}

static void c_sorts(void *arg)
{
    char letters[] = "cab";
    uint32_t part = (uint32_t)(uintptr_t)arg;

    begins(part);
    qsort(letters, 3, 1, by_value);
    ran.wrong = ran.wrong || letters[0] != 'a' || letters[2] != 'c';
    ran.ended[part]++;
}

static void c_loops(void *arg)
{
    begins((uint32_t)(uintptr_t)arg);
    for (;;) {
        __asm__ volatile("");
    }
}

/* --- samples --- */

/* The count stands before the scope: a death in between is not counted. */
#define OPENS(part, fn)                    \
  AL_DEFER(fn, (void *)(uintptr_t)(part)); \
  ran.opened[part]++

static void sample_deep(void)
{
    OPENS(1, c_deep);
    {
        OPENS(2, c_deep);
        OPENS(3, c_deep);
    }
    sink = deep(1);
}

static void sample_scopes(void)
{
    OPENS(1, c_scopes);
}

static NOINLINE float keeps(float a, float b)
{
    {
        OPENS(2, c_reals);
    }
    return a * b;
}

static void sample_reals(void)
{
    float a = real;
    float b;

    OPENS(1, c_reals);
    b = keeps(a, a + 1);
    ran.wrong = ran.wrong || b != 12.0f || a != 3.0f;
}

static void sample_sorts(void)
{
    OPENS(1, c_sorts);
}

static void sample_locked(void)
{
    al_status status;

    {
        OPENS(1, c_deep);
        status = al_mutex_lock(&m1);
    }
    (void)status;
    al_mutex_unlock(&m1);
}

static void sample_loops(void)
{
    OPENS(1, c_deep);
    OPENS(2, c_loops);
    OPENS(3, c_deep);
}

static void sample_panics(void)
{
    OPENS(1, c_deep);
    OPENS(2, c_loops);
    OPENS(3, c_deep);
    al_panic("test");
}

static const struct {
    const char *name;
    void (*sample)(void);
} samples[] = {
        {"deep", sample_deep},
        {"scopes", sample_scopes},
        {"reals", sample_reals},
        {"sorts", sample_sorts},
        {"locked", sample_locked},
};

/* --- tasks --- */

static void killer_main(void)
{
    for (;;) {
        al_sem_take(&killer_go);
        if (al_task_kill(victim_id, AL_KILL_RESTART) != AL_OK) {
            ran.wrong = true;
        }
    }
}

AL_TASK(killer, killer_main, 20, 1024);

static void fire(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired = true;
    (void)al_irq_sem_give(&killer_go);
}

static volatile uint32_t ticks_left;

/* Ticks while the victim loops: nobody else would make them. */
static void tick_on(unsigned n, const struct rig_hit *hit)
{
    (void)hit;
    rig_pend_tick();
    if (--ticks_left != 0) {
        rig_arm(n, 3000, tick_on);
    }
}

static void victim_main(void)
{
    for (;;) {
        al_sem_take(&victim_go);
        rig_arm(0, delay, fire);
        sample();
        rig_disarm(0);
        sample_done = true;
    }
}

static const struct al_restart_policy always = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 8, 3072, &always);

/* --- a round --- */

static struct al_crash_record record;
static uint32_t deaths;
static size_t heap;

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static void heal(struct al_mutex *mutex)
{
    if (al_mutex_try_lock(mutex) == AL_E_POISONED) {
        al_mutex_heal(mutex);
    }
    al_mutex_unlock(mutex);
}

static void run_round(void)
{
    uint32_t before = al_crash_count();

    for (uint32_t i = 0; i < PARTS; i++) {
        ran.opened[i] = 0;
        ran.begun[i] = 0;
        ran.ended[i] = 0;
    }
    ran.wrong = false;
    fired = false;
    sample_done = false;
    record = (struct al_crash_record){0};
    (void)al_sem_give(&victim_go);
    /* It is more urgent; each step of what has to be stopped takes a tick. */
    for (uint32_t i = 0; i < 4 * AL_CFG_KILL_GRACE; i++) {
        rig_pend_tick();
    }
    deaths = al_crash_count() - before;
    if (deaths == 1 && al_crash_read(before + 1, &record) != AL_OK) {
        ran.wrong = true;
    }
}

static const char *round_wrong(void)
{
    for (uint32_t i = 0; i < PARTS; i++) {
        /* Killed between the scope and the count: it ran all the same. */
        if (ran.begun[i] < ran.opened[i] ||
                ran.begun[i] > ran.opened[i] + deaths) {
            return "a cleanup did not run once";
        }
        if (ran.ended[i] != ran.begun[i]) {
            return "a cleanup was cut short";
        }
    }
    if (ran.wrong) {
        return "out of order, or a value";
    }
    if (deaths != (fired ? 1 : 0)) {
        return "it did not die once";
    }
    if (deaths == 1 &&
            (record.cause != AL_CAUSE_KILLED || record.nested != 0)) {
        return "the record";
    }
    if (al_mutex_is_held(&m1) || al_mutex_is_held(&m2) || heap_used() != heap) {
        return "a lock, or a block";
    }
    return rig_check();
}

static void sweep(const char *name)
{
    const char *wrong = NULL;

    for (delay = 0; wrong == NULL; delay++) {
        run_round();
        wrong = round_wrong();
        heal(&m1);
        heal(&m2);
        if (!fired) {
            break;
        }
    }
    if (wrong != NULL) {
        test_note("%s: delay %u, cause %u, nested %u, pc %x", name,
                (unsigned)delay - 1, (unsigned)record.cause,
                (unsigned)record.nested, (unsigned)record.pc);
    }
    CHECK(wrong == NULL, "%s: killed at each instruction: %s", name,
            wrong != NULL ? wrong : "right");
    CHECK(delay > 100 || wrong != NULL, "%s: %u places", name, (unsigned)delay);
}

/* --- a cleanup that never comes back --- */

/* `nested`: how many died while recovery ran them. */
static void abandoned(
        const char *name, void (*what)(void), uint32_t cause, uint32_t nested)
{
    sample = what;
    ticks_left = 8 * AL_CFG_KILL_GRACE;
    rig_arm(1, 20000, tick_on);
    run_round();
    CHECK(deaths == 1 && record.cause == cause && record.nested == nested,
            "%s: cause %d, %d abandoned", name, (int)record.cause,
            (int)record.nested);
    CHECK(ran.begun[1] == 1 && ran.ended[1] == 1 && ran.begun[2] == 1 &&
                    ran.begun[3] == 1 && ran.ended[3] == 1,
            "%s: the others ran once", name);
}

static void test_main(void)
{
    rig_start();
    victim_id = al_task_id_of(&victim);
    heap = heap_used();
    for (uint32_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        sample = samples[i].sample;
        sweep(samples[i].name);
    }
    delay = 2000;
    abandoned("a loop, killed", sample_loops, AL_CAUSE_KILLED, 0);
    delay = 100000;
    abandoned("a loop, in recovery", sample_panics, AL_CAUSE_PANIC, 1);
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
