/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is killed at any instruction, by a more urgent task, loses
 * nothing that was registered, and dies once.
 *   1. a timer interrupts a sample after 0, 1, 2, ... instructions, until it has
 *      ended before; its handler lets a more urgent task run, which kills
 *   2. samples: nested scopes and calls, locks, a lock that another task waits
 *      for, a block of the heap, a channel, a sleep, floating point, the C
 *      library's qsort with a callback that opens scopes
 *   3. after each: every scope that was opened was undone, once, in order; locks
 *      are free; the heap is as it was; the task has restarted once, with one
 *      record of the right cause; the kernel is whole, in this tick and later
 *   4. again, a task made at run time that dies of itself, starts again, and
 *      returns: it is killed at each instruction from its first life's on, through
 *      its recovery, its restart and its end, by one task and by two at once, with
 *      AL_KILL_END: it has ended, and its memory is back
 * Fails if: a task dies with a scope taken off its chain but not undone, or in
 * the middle of the kernel.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * timeout: 300
 * recovers: killed | preempted library lock recovery |
 *     at its next function entry, wherever it was; calls of the kernel,
 *     recovery, restart and end are let finish | kill_busy_to_restart
 *     unwind_frame unwind_scope
 */
#include <stdlib.h>

#include "../interleave/rig.h"

#include "test.h"

#define NOINLINE __attribute__((noinline))

static struct al_sem killer_go = AL_SEM_INIT(0, 1);
static struct al_sem victim_go = AL_SEM_INIT(0, 1);
static struct al_sem waiter_go = AL_SEM_INIT(0, 1);
static struct al_mutex m1 = AL_MUTEX_INIT;
static struct al_mutex m2 = AL_MUTEX_INIT;
static struct al_mutex m3 = AL_MUTEX_INIT;
AL_CHAN(chan, uint32_t, 2);

static void (*volatile sample)(void);
static volatile uint32_t delay;
static volatile bool fired;
static volatile uint32_t fired_pc;
static volatile bool sample_done;
static volatile bool waiter_waits;
static volatile al_status waiter_status;
static volatile int how;
static struct al_task_id victim_id;
static volatile bool killed_ok;

/* ---- scopes that know whether they were undone ---- */

#define SCOPES 8

static struct {
    volatile uint32_t open[SCOPES]; /* 1: in effect */
    volatile uint32_t runs[SCOPES];
    volatile uint32_t wrong;
} scopes;

/* The argument is a number; what was opened later is undone by now. */
static void undo(void *number)
{
    uint32_t n = (uint32_t)(uintptr_t)number;

    for (uint32_t i = n + 1; i < SCOPES; i++) {
        if (scopes.open[i] != 0) {
            scopes.wrong = 1;
        }
    }
    scopes.open[n] = 0;
    scopes.runs[n]++;
}

/* The same, two calls deep. */
static NOINLINE void undo_deep(void *number)
{
    volatile char room[24];

    room[0] = 1;
    undo(number);
    room[1] = room[0];
}

#define SCOPE(n, fn)         \
  AL_DEFER(fn, (void *)(n)); \
  scopes.open[n] = 1

/* ---- samples ---- */

static NOINLINE void innermost(void)
{
    SCOPE(3, undo_deep);
    scopes.open[3]++;
}

static NOINLINE void in_between(void)
{
    SCOPE(2, undo);
    innermost();
    innermost();
}

static void sample_scopes(void)
{
    SCOPE(1, undo_deep);
    {
        SCOPE(2, undo);
    }
    in_between();
}

static void sample_locks(void)
{
    al_status status;

    AL_LOCK_SCOPED(&m1, status);
    (void)status;
    SCOPE(1, undo);
    status = al_mutex_lock(&m2);
    scopes.open[1]++;
    al_mutex_unlock(&m2);
}

/* The oldest first: after it comes a block, after the next a mutex. */
static void sample_unlocks(void)
{
    al_status status = al_mutex_lock(&m1);

    SCOPE(1, undo);
    status = al_mutex_lock(&m2);
    status = al_mutex_lock(&m3);
    (void)status;
    al_mutex_unlock(&m1);
    al_mutex_unlock(&m2);
    scopes.open[1]++;
    al_mutex_unlock(&m3);
}

static void sample_contended(void)
{
    al_status status = al_mutex_lock(&m1);

    (void)status;
    (void)al_sem_give(&waiter_go);
    al_mutex_unlock(&m1);
}

static void sample_heap(void)
{
    AL_HEAP_SCOPED(one, 24);
    SCOPE(1, undo);
    AL_HEAP_SCOPED(two, 100);
    *(volatile char *)one = 1;
    *(volatile char *)two = 1;
}

static void sample_chan(void)
{
    uint32_t item;
    al_status status = (al_status)al_chan_send(&chan, 5);

    SCOPE(1, undo);
    status = (al_status)al_chan_recv(&chan, &item);
    (void)status;
}

static void sample_sleep(void)
{
    SCOPE(1, undo);
    al_sleep(1);
    scopes.open[1]++;
}

static volatile float real = 3.0f;

static NOINLINE float of_reals(float a, float b)
{
    SCOPE(2, undo_deep);
    return a * b + real;
}

static void sample_reals(void)
{
    float a = real;

    SCOPE(1, undo);
    real = of_reals(a, a + 1) - of_reals(a, a - 1);
    al_yield();
    real = a;
}

static NOINLINE int compare(const void *a, const void *b)
{
    SCOPE(2, undo);
    return *(const int *)a - *(const int *)b;
}

static void sample_sort(void)
{
    int numbers[4] = {3, 1, 4, 1};

    SCOPE(1, undo);
    qsort(numbers, 4, sizeof(int), AL_CALLBACK(compare));
}

static const struct {
    const char *name;
    void (*sample)(void);
} samples[] = {
        {"scopes", sample_scopes},
        {"locks", sample_locks},
        {"unlocks", sample_unlocks},
        {"contended lock", sample_contended},
        {"heap", sample_heap},
        {"channel", sample_chan},
        {"sleep", sample_sleep},
        {"reals", sample_reals},
        {"sort", sample_sort},
};

/* ---- tasks ---- */

static void killer_main(void)
{
    for (;;) {
        al_sem_take(&killer_go);
        killed_ok = al_task_kill(victim_id, (enum al_kill)how) == AL_OK;
    }
}

AL_TASK(killer, killer_main, 20, 1024);

static volatile bool two_killers;
static struct al_sem second_go = AL_SEM_INIT(0, 1);

static void second_main(void)
{
    for (;;) {
        al_sem_take(&second_go);
        (void)al_task_kill(victim_id, AL_KILL_RESTART);
    }
}

AL_TASK(second, second_main, 21, 1024);

static void waiter_main(void)
{
    for (;;) {
        al_sem_take(&waiter_go);
        waiter_waits = true;
        waiter_status = al_mutex_lock(&m1);
        al_mutex_heal(&m1);
        al_mutex_unlock(&m1);
        waiter_waits = false;
    }
}

AL_TASK(waiter, waiter_main, 12, 1024);

static void fire(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    fired = true;
    fired_pc = hit->pc;
    (void)al_irq_sem_give(&killer_go);
    if (two_killers) {
        (void)al_irq_sem_give(&second_go);
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

AL_TASK_POLICY(victim, victim_main, 8, 2048, &always);

/* ---- a round ---- */

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static void heal(struct al_mutex *mutex)
{
    al_status status = al_mutex_try_lock(mutex);

    if (status == AL_E_POISONED) {
        al_mutex_heal(mutex);
    }
    if (status != AL_E_BUSY) {
        al_mutex_unlock(mutex);
    }
}

static const char *scopes_wrong(void)
{
    uint32_t limit = sample == sample_sort || sample == sample_scopes ||
                                     sample == sample_reals
                             ? 32
                             : 1;

    if (scopes.wrong != 0) {
        return "undone out of order";
    }
    for (unsigned i = 0; i < SCOPES; i++) {
        if (scopes.open[i] != 0) {
            return "a scope was not undone";
        }
        if (scopes.runs[i] > limit) {
            return "a scope was undone twice";
        }
    }
    return NULL;
}

static bool chan_is_well(void)
{
    uint32_t item = 0;
    al_status status = AL_OK;

    while (al_chan_items(&chan.al.chan) != 0) {
        status = (al_status)al_chan_recv(&chan, &item);
    }
    return status == AL_OK && al_chan_send_until(&chan, 9, AL_POLL) == AL_OK &&
           al_chan_recv_until(&chan, &item, AL_POLL) == AL_OK && item == 9;
}

static uint32_t deaths_before;
static uint32_t generation_before;
static size_t heap_before;

static const char *death_wrong(void)
{
    struct al_crash_record record;

    if (al_crash_count() != deaths_before + 1 ||
            victim.generation != generation_before + 1) {
        return "it did not die once";
    }
    if (al_crash_read(deaths_before + 1, &record) != AL_OK ||
            record.cause != AL_CAUSE_KILLED ||
            record.nested > (sample == sample_heap)) {
        /* The pad of a scope of the heap that was not opened yet dies. */
        test_note("cause %u at %x, lr %x, nested %u", (unsigned)record.cause,
                (unsigned)record.pc, (unsigned)record.lr,
                (unsigned)record.nested);
        return "the record is wrong";
    }
    return NULL;
}

static const char *round_wrong(void)
{
    const char *wrong = scopes_wrong();

    if (wrong == NULL && fired) {
        wrong = death_wrong();
    }
    if (wrong == NULL && (al_mutex_is_held(&m1) || al_mutex_is_held(&m2) ||
                                 al_mutex_is_held(&m3) || waiter_waits)) {
        wrong = "a lock is held";
    }
    if (wrong == NULL && heap_used() != heap_before) {
        wrong = "the heap has lost a block";
    }
    if (wrong == NULL && !chan_is_well()) {
        wrong = "the channel is stuck";
    }
    return wrong != NULL ? wrong : rig_check();
}

static const char *one_round(void)
{
    const char *wrong;

    for (unsigned i = 0; i < SCOPES; i++) {
        scopes.open[i] = 0;
        scopes.runs[i] = 0;
    }
    scopes.wrong = 0;
    fired = false;
    sample_done = false;
    deaths_before = al_crash_count();
    generation_before = victim.generation;
    (void)al_sem_give(&victim_go);
    for (unsigned i = 0; i < 4; i++) {
        rig_pend_tick(); /* for who sleeps, and for who is stopped by force */
    }
    if (!fired && !sample_done) {
        return "neither done nor killed";
    }
    wrong = round_wrong();
    heal(&m1);
    heal(&m2);
    heal(&m3);
    return wrong;
}

static void sweep(const char *name)
{
    const char *wrong = NULL;
    uint32_t places = 0;
    uint32_t late = 0;
    uint32_t pc = 0;

    heap_before = heap_used();
    for (delay = 0; wrong == NULL; delay++) {
        wrong = one_round();
        if (!fired) {
            break;
        }
        places += fired_pc != pc;
        late += fired_pc != pc && sample_done;
        pc = fired_pc;
    }
    if (wrong != NULL) {
        test_note("%s: delay %u, pc %x", name, (unsigned)delay - 1,
                (unsigned)fired_pc);
    }
    CHECK(wrong == NULL, "%s: killed at each instruction: %s", name,
            wrong != NULL ? wrong : "right");
    CHECK(places > 20, "%s: %u places", name, (unsigned)places);
    /* It dies at its next function; the last one of the scopes is near its end,
     * that of others is a long call of the kernel, or qsort. */
    CHECK(sample != sample_scopes || late < 100,
            "%s: %u came to the end of the sample", name, (unsigned)late);
    if (wrong != NULL) {
        test_done();
    }
}

/* ---- one that dies of itself ---- */

static volatile uint32_t lives;
static volatile bool over;

static NOINLINE void mortal_body(void)
{
    SCOPE(1, undo);
    innermost();
    if (lives < 2) {
        SCOPE(2, undo_deep);
        al_panic("of itself");
    }
}

static void mortal(void *args)
{
    (void)args;
    lives++;
    if (lives == 1) {
        rig_arm(0, delay, fire);
    }
    mortal_body();
    over = true;
}

static const char *mortal_round(void)
{
    struct al_task_params params = {
            "mortal", mortal, NULL, 0, NULL, 1536, 8, false, &always};
    const char *wrong;

    for (unsigned i = 0; i < SCOPES; i++) {
        scopes.open[i] = 0;
        scopes.runs[i] = 0;
    }
    scopes.wrong = 0;
    fired = false;
    over = false;
    lives = 0;
    if (al_task_spawn(&params, &victim_id) != AL_OK) {
        return "no memory";
    }
    rig_disarm(0);
    if (al_task_join(victim_id, AL_POLL) != AL_OK) {
        return "it has not ended";
    }
    for (unsigned i = 0; i < 3; i++) {
        rig_pend_tick();
    }
    wrong = scopes_wrong();
    if (wrong == NULL && heap_used() != heap_before) {
        wrong = "its memory is not back";
    }
    return wrong != NULL ? wrong : rig_check();
}

static void sweep_mortal(const char *name)
{
    const char *wrong = NULL;
    uint32_t places = 0;

    how = AL_KILL_END;
    sample = sample_scopes; /* as often may the scopes run */
    delay = 1000000;
    (void)mortal_round(); /* its control block stays on the heap */
    heap_before = heap_used();
    for (delay = 0; wrong == NULL; delay++) {
        wrong = mortal_round();
        if (!fired) {
            break;
        }
        places++;
    }
    if (wrong != NULL) {
        test_note("%s: delay %u, pc %x, lives %u", name, (unsigned)delay - 1,
                (unsigned)fired_pc, (unsigned)lives);
    }
    CHECK(wrong == NULL, "%s: ended at each instruction: %s", name,
            wrong != NULL ? wrong : "right");
    CHECK(places > 1500 && over, "%s: %u places", name, (unsigned)places);
}

static void test_main(void)
{
    rig_start();
    victim_id = al_task_id_of(&victim);
    for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        sample = samples[i].sample;
        sweep(samples[i].name);
    }
    sweep_mortal("mortal");
    two_killers = true;
    sweep_mortal("mortal, two killers");
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
