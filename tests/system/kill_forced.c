/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is killed and enters no function is stopped where it is
 * AL_CFG_KILL_GRACE ticks later, no earlier and no later, and what it registered
 * is undone; a cleanup that does not return is abandoned after that time, in a
 * killed task and in one that dies of itself, and the next one goes on.
 *   1. endless loops: plain, with floating point, with scopes, a lock and a block
 *      of the heap, in a callback of qsort, around a leaf function, waiting for a
 *      lock by looking at it; the record names the tick and the place
 *   2. loops in cleanups: at the end of a block, in recovery of a panic, of a
 *      kill; cleanups that wait for ever; two such in a row
 *   3. a loop that ends before the time is not hurt in the middle of it
 * Fails if: the grace is counted wrong, or the next cleanup does not run.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 * sources: ../interleave/rig.c
 * recovers: killed | preempted |
 *     it enters no function: it is stopped where it is; its scopes are undone,
 *     landing pads are not run | ticks:AL_CFG_KILL_GRACE
 * recovers: killed panic | undoing |
 *     a cleanup that does not return is abandoned, the next one goes on |
 *     ticks:AL_CFG_KILL_GRACE
 */
#include <stdlib.h>

#include "../interleave/rig.h"

#include "test.h"

#define NOINLINE __attribute__((noinline))

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem never = AL_SEM_INIT(0, 1);
static struct al_mutex mutex = AL_MUTEX_INIT;
static void (*volatile body)(void);
static volatile uint32_t deferred;
static volatile uint32_t turns;
static volatile float real;
static volatile bool out;

static void note(void *digit)
{
    deferred = deferred * 10 + (uint32_t)(uintptr_t)digit;
}

/* ---- loops ---- */

static void plain(void)
{
    for (;;) {
        turns++;
    }
}

static void reals(void)
{
    float x = 1.5f;

    for (;;) {
        real = x;
        x = x * 1.5f;
    }
}

static void scoped(void)
{
    al_status status;

    AL_DEFER(note, (void *)1);
    AL_HEAP_SCOPED(block, 40);
    AL_LOCK_SCOPED(&mutex, status);
    (void)status;
    AL_DEFER(note, (void *)2);
    *(volatile char *)block = 1;
    plain();
}

static NOINLINE int compare(const void *a, const void *b)
{
    AL_DEFER(note, (void *)2);
    (void)a;
    (void)b;
    for (;;) {
        turns++;
    }
}

static void sorts(void)
{
    int numbers[4] = {3, 1, 4, 1};

    AL_DEFER(note, (void *)1);
    qsort(numbers, 4, sizeof(int), AL_CALLBACK(compare));
}

void leaf(void *arg);
__asm__(".pushsection .text.leaf,\"ax\",%progbits\n"
        ".global leaf, close_it\n"
        ".type leaf, %function\n"
        ".thumb_func\n"
        "leaf:\n"
        "@alula: unchecked 0\n"
        "bx lr\n"
        ".size leaf, . - leaf\n"
        ".type close_it, %function\n"
        ".thumb_func\n"
        "close_it:\n"
        "@alula: unchecked 0\n"
        "movs r1, #0\n"
        "str r1, [r0]\n"
        "bx lr\n"
        ".size close_it, . - close_it\n"
        ".popsection\n");

static void around_leaf(void)
{
    AL_DEFER(note, (void *)1);
    for (;;) {
        leaf(NULL);
        turns++;
    }
}

/* A scope that opens and closes, its function without a stack check. */
static volatile uint32_t opened;

void close_it(void *arg);

static void around_scope(void)
{
    AL_DEFER(note, (void *)1);
    for (;;) {
        AL_DEFER(close_it, (void *)(uintptr_t)&opened);
        opened = 1;
        turns++;
    }
}

/* Neither has a stack check as long as nobody waits. */
static void around_lock(void)
{
    AL_DEFER(note, (void *)1);
    for (;;) {
        al_status status = al_mutex_lock(&mutex);

        turns += status == AL_OK;
        al_mutex_unlock(&mutex);
    }
}

/* ---- cleanups that do not come back ---- */

static void loops(void *digit)
{
    note(digit);
    for (;;) {
        turns++;
    }
}

static void waits(void *digit)
{
    note(digit);
    al_sem_take(&never);
}

static void at_block_end(void)
{
    AL_DEFER(note, (void *)1);
    {
        AL_DEFER(loops, (void *)2);
    }
}

static void in_recovery(void)
{
    AL_DEFER(note, (void *)1);
    AL_DEFER(loops, (void *)2);
    AL_DEFER(note, (void *)3);
    al_panic("forced");
}

static void in_recovery_waits(void)
{
    AL_DEFER(note, (void *)1);
    AL_DEFER(waits, (void *)2);
    AL_DEFER(note, (void *)3);
    al_panic("forced");
}

static void in_recovery_twice(void)
{
    AL_DEFER(note, (void *)1);
    AL_DEFER(loops, (void *)2);
    AL_DEFER(waits, (void *)3);
    AL_DEFER(loops, (void *)4);
    al_panic("forced");
}

static void killed_in_a_loop(void)
{
    AL_DEFER(note, (void *)1);
    AL_DEFER(loops, (void *)2);
    AL_DEFER(note, (void *)3);
    plain();
}

static void for_a_while(void)
{
    AL_DEFER(note, (void *)1);
    while (!out) {
        turns++;
    }
    deferred = 7;
    leaf(NULL);
    deferred = deferred * 10 + 8;
}

/* ---- the victim ---- */

static void victim_main(void)
{
    for (;;) {
        al_sem_take(&go);
        body();
    }
}

static const struct al_restart_policy always = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 4, 1536, &always);

/* ---- the test ---- */

static void tick(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rig_pend_tick();
}

/* The victim runs for a while, each time another one, then comes a tick. */
static void run_a_tick(void)
{
    static uint32_t more;

    more = (more + 7) % 1000;
    rig_arm(0, 20000 + more, tick);
    al_sleep(1);
}

static void run_ticks(unsigned n)
{
    for (; n > 0; n--) {
        run_a_tick();
    }
}

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static struct al_crash_record record;

static bool record_is(uint32_t cause, uint32_t nested)
{
    return al_crash_read(al_crash_count(), &record) == AL_OK &&
           record.cause == cause && record.nested == nested;
}

static void begin(void (*what)(void))
{
    body = what;
    deferred = 0;
    (void)al_sem_give(&go);
    run_a_tick();
}

static const char *kernel(void)
{
    const char *wrong = rig_check();

    return wrong != NULL ? wrong : "right";
}

static void kill_loop(const char *name, void (*what)(void), uint32_t expected)
{
    struct al_task_id id = al_task_id_of(&victim);
    uint32_t generation = victim.generation;
    size_t used = heap_used();
    uint32_t killed;
    uint32_t late = 0;

    begin(what);
    CHECK(victim.generation == generation && deferred == 0, "%s: it loops",
            name);
    killed = (uint32_t)al_now();
    CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK, "%s: killed", name);
    run_ticks(AL_CFG_KILL_GRACE);
    CHECK(victim.generation == generation && deferred == 0,
            "%s: it has had its grace", name);
    run_a_tick();
    for (int i = 0;
            what == around_scope && i < 50 && victim.generation == generation;
            i++) {
        run_a_tick(); /* it was found where its scope is being closed */
        killed++;
        late = 1;
    }
    CHECK(victim.generation == generation + 1 && deferred == expected &&
                    !al_mutex_is_held(&mutex) && heap_used() == used &&
                    opened == 0,
            "%s: its scopes are undone: %u", name, (unsigned)deferred);
    CHECK(record_is(AL_CAUSE_KILLED, 0) &&
                    record.tick[0] >= killed + AL_CFG_KILL_GRACE - late &&
                    record.tick[0] <= killed + AL_CFG_KILL_GRACE &&
                    record.pc != 0,
            "%s: the record: cause %u at tick %u of %u", name,
            (unsigned)record.cause, (unsigned)record.tick[0], (unsigned)killed);
    run_ticks(4);
    CHECK(victim.generation == generation + 1, "%s: it is well: %s", name,
            kernel());
}

/* An interrupt may send it where a check is. */
static void kill_soon(const char *name, void (*what)(void), uint32_t expected)
{
    uint32_t generation = victim.generation;

    begin(what);
    CHECK(al_task_kill(al_task_id_of(&victim), AL_KILL_RESTART) == AL_OK,
            "%s: killed", name);
    for (int i = 0; i < 50 && victim.generation == generation; i++) {
        run_a_tick();
    }
    CHECK(victim.generation == generation + 1 && deferred == expected &&
                    !al_mutex_is_held(&mutex),
            "%s: its scopes are undone: %u, %s", name, (unsigned)deferred,
            kernel());
}

/* Dies of itself; each of `loops` cleanups takes the grace, and a tick at which
 * it is first seen. */
static void die(const char *name, void (*what)(void), uint32_t expected,
        uint32_t nested)
{
    uint32_t generation = victim.generation;
    unsigned ticks = 1;

    begin(what);
    while (victim.generation == generation && ticks < 50) {
        run_a_tick();
        ticks++;
    }
    CHECK(victim.generation == generation + 1 && deferred == expected,
            "%s: cleanups %u", name, (unsigned)deferred);
    CHECK(record_is(AL_CAUSE_PANIC, nested), "%s: nested %u", name,
            (unsigned)record.nested);
    CHECK(ticks <= nested * (AL_CFG_KILL_GRACE + 1) + 1 &&
                    ticks >= nested * AL_CFG_KILL_GRACE,
            "%s: %u ticks", name, ticks);
    run_ticks(4);
    CHECK(victim.generation == generation + 1, "%s: it is well: %s", name,
            kernel());
}

static void kill_cleanup(const char *name, void (*what)(void),
        uint32_t expected, uint32_t nested, uint32_t kill_after)
{
    uint32_t generation = victim.generation;

    begin(what);
    run_ticks(kill_after);
    CHECK(al_task_kill(al_task_id_of(&victim), AL_KILL_RESTART) == AL_OK,
            "%s: killed", name);
    /* One without a frame has more time. */
    for (int i = 0; victim.generation == generation && i < 50; i++) {
        run_a_tick();
    }
    CHECK(victim.generation == generation + 1 && deferred == expected,
            "%s: cleanups %u", name, (unsigned)deferred);
    CHECK(record_is(AL_CAUSE_KILLED, nested), "%s: nested %u", name,
            (unsigned)record.nested);
    run_ticks(4);
    CHECK(victim.generation == generation + 1, "%s: it is well: %s", name,
            kernel());
}

static void early(void)
{
    uint32_t generation = victim.generation;

    out = false;
    begin(for_a_while);
    CHECK(al_task_kill(al_task_id_of(&victim), AL_KILL_RESTART) == AL_OK,
            "killed in a loop that ends");
    run_a_tick();
    out = true;
    run_a_tick();
    CHECK(victim.generation == generation + 1 && deferred == 781,
            "it has gone on to its next check: %u", (unsigned)deferred);
}

static void test_main(void)
{
    rig_start();
    kill_loop("plain", plain, 0);
    kill_loop("reals", reals, 0);
    kill_loop("scoped", scoped, 21);
    kill_loop("sort", sorts, 21);
    kill_loop("leaf", around_leaf, 1);
    for (int i = 0; i < 20; i++) {
        kill_loop("scope in a loop", around_scope, 1);
    }
    for (int i = 0; i < 150; i++) {
        kill_soon("lock in a loop", around_lock, 1);
    }
    die("panic, a cleanup loops", in_recovery, 321, 1);
    die("panic, a cleanup waits", in_recovery_waits, 321, 1);
    die("panic, three", in_recovery_twice, 4321, 3);
    kill_cleanup("killed, a cleanup loops", killed_in_a_loop, 321, 1, 0);
    kill_cleanup("end of a block", at_block_end, 21, 0, 0);
    early();
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
