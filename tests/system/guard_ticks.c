/* SPDX-License-Identifier: MIT */
/*
 * Claim: a guard lets a task be until the very tick that was named, and kills it
 * at that tick, with its cause; the end of its block, or another death, ends it.
 *   1. a deadline: a block that ends one tick earlier lives; one that runs, waits,
 *      or is preempted at the tick dies
 *   2. a budget: as many ticks in the window live, one more dies; a new window
 *      begins anew; time in which another task runs does not count
 *   3. a watch that is fed at its last tick lives; a tick later it dies
 *   4. nested guards; guards of a task that dies of itself: nothing is left in
 *      the timer tree
 *   5. wrong uses end the caller
 * Fails if: a guard is a tick late or early, or outlives its block.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2
 * sources: ../interleave/rig.c
 * recovers: deadline budget watchdog | running waiting preempted |
 *     at the very tick that was named it is killed, with that cause |
 *     kill_busy_to_restart unwind_frame unwind_scope
 */
#include "../interleave/rig.h"

#include "test.h"

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem never = AL_SEM_INIT(0, 1);
static void (*volatile body)(void);
static volatile uint32_t turns;
static volatile bool spin;
static volatile bool done;
static volatile uint32_t first_arg;
static volatile uint32_t second_arg;

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

/* The victim does not run. */
static void skip_a_tick(void)
{
    rig_pend_tick();
}

static void nothing(void)
{
    turns++;
}

static __attribute__((noinline)) void turn(void)
{
    volatile char room[16];

    room[0] = 1;
    nothing();
    room[1] = room[0];
}

static void spin_on(void)
{
    while (spin) {
        turn();
    }
}

static void deadline_spins(void)
{
    AL_DEADLINE(first_arg);
    spin_on();
}

static void deadline_waits(void)
{
    AL_DEADLINE(first_arg);
    while (spin) {
        (void)al_sem_take_until(&never, AL_FOREVER);
    }
}

static void budget_spins(void)
{
    AL_BUDGET(first_arg, second_arg);
    spin_on();
}

static struct al_guard *volatile dog;

static void watch_spins(void)
{
    AL_WATCH(watch, first_arg);
    dog = &watch;
    while (spin) {
        turn();
        if (done) {
            done = false;
            al_watch_feed(&watch);
        }
    }
}

static void nested(void)
{
    AL_DEADLINE(100);
    AL_BUDGET(50, 100);
    {
        AL_DEADLINE(first_arg);
        AL_WATCH(inner, 50);
        spin_on();
    }
}

static void dies(void)
{
    AL_DEADLINE(5);
    AL_BUDGET(3, 100);
    AL_WATCH(inner, 4);
    spin_on();
    al_panic("guarded");
}

/* Makes no sense of its chain of scopes, then dies. */
static void damages(void)
{
    AL_DEADLINE(5);
    AL_BUDGET(3, 100);
    spin_on();
    al_task_self()->scopes = (struct al_scope *)4;
    al_panic("damaged");
}

static void victim_main(void)
{
    for (;;) {
        al_sem_take(&go);
        body();
        turns = 0;
    }
}

static const struct al_restart_policy always = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 4, 2048, &always);

static struct al_crash_record record;
static uint32_t generation;

static void begin(void (*what)(void), uint32_t first, uint32_t second)
{
    body = what;
    first_arg = first;
    second_arg = second;
    spin = true;
    done = false;
    generation = victim.generation;
    (void)al_sem_give(&go);
    run_a_tick();
}

static const char *kernel(void)
{
    const char *wrong = rig_check();

    return wrong != NULL ? wrong : "right";
}

/* The tick at which it died; 0: it lives, or died of something else. */
static uint32_t died_of(uint32_t cause)
{
    run_a_tick();
    if (victim.generation != generation + 1 ||
            al_crash_read(al_crash_count(), &record) != AL_OK ||
            record.cause != cause) {
        return 0;
    }
    return record.tick[0];
}

static void is_well(const char *name)
{
    spin = false;
    for (int i = 0; i < 120; i++) {
        run_a_tick();
    }
    CHECK(victim.generation <= generation + 1 &&
                    victim.state == AL_TASK_WAITING && victim.scopes == NULL,
            "%s: and is well: %s", name, kernel());
}

/* ---- deadlines ---- */

static void deadlines(void)
{
    uint32_t start;

    for (uint32_t n = 2; n < 5; n++) {
        start = (uint32_t)al_now();
        begin(deadline_spins, n, 0); /* one tick has passed */
        for (uint32_t i = 2; i < n; i++) {
            run_a_tick();
        }
        spin = false;
        run_a_tick();
        CHECK(victim.generation == generation, "deadline %u: in time",
                (unsigned)n);
        is_well("it ended");
        start = (uint32_t)al_now();
        begin(deadline_spins, n, 0);
        for (uint32_t i = 1; i < n; i++) {
            CHECK(victim.generation == generation, "deadline %u: tick %u",
                    (unsigned)n, (unsigned)i);
            run_a_tick();
        }
        CHECK(died_of(AL_CAUSE_DEADLINE) == start + n && record.detail[0] == n,
                "deadline %u: it died at its tick", (unsigned)n);
        is_well("it died");
    }
    start = (uint32_t)al_now();
    begin(deadline_waits, 3, 0);
    run_a_tick();
    run_a_tick();
    CHECK(died_of(AL_CAUSE_DEADLINE) == start + 3, "at its wait");
    is_well("it waited");
    start = (uint32_t)al_now();
    begin(deadline_spins, 3, 0);
    skip_a_tick();
    skip_a_tick();
    skip_a_tick();
    CHECK(died_of(AL_CAUSE_DEADLINE) == start + 4,
            "preempted, it dies as soon as it runs");
    is_well("preempted");
}

/* ---- budgets ---- */

static void budgets(void)
{
    uint32_t start = (uint32_t)al_now();

    begin(budget_spins, 3, 100); /* the first one */
    run_a_tick();
    run_a_tick();
    for (int i = 0; i < 50; i++) {
        skip_a_tick(); /* the test's own task runs */
    }
    CHECK(victim.generation == generation, "three ticks are in the budget");
    run_a_tick();
    CHECK(died_of(AL_CAUSE_BUDGET) == start + 54 && record.detail[0] == 3 &&
                    record.detail[1] == 100,
            "the fourth is not: tick %u", (unsigned)(record.tick[0] - start));
    is_well("budget");
    begin(budget_spins, 3, 10);
    run_a_tick();
    run_a_tick();
    for (int i = 0; i < 7; i++) {
        skip_a_tick();
    }
    run_a_tick();
    run_a_tick();
    run_a_tick();
    CHECK(victim.generation == generation, "a new window");
    run_a_tick();
    CHECK(died_of(AL_CAUSE_BUDGET) != 0, "ends as well");
    is_well("second window");
}

/* ---- watches ---- */

static void watches(void)
{
    uint32_t start;

    begin(watch_spins, 3, 0);
    for (int i = 0; i < 6; i++) {
        run_a_tick(); /* two have passed */
        done = true;  /* it feeds in the last one */
        run_a_tick();
    }
    CHECK(victim.generation == generation, "it is fed, and lives");
    start = (uint32_t)al_now();
    done = true;
    run_a_tick();
    run_a_tick();
    run_a_tick();
    CHECK(victim.generation == generation, "not yet");
    CHECK(died_of(AL_CAUSE_WATCHDOG) == start + 3 && record.detail[0] == 3,
            "it is not fed, and dies at tick %u",
            (unsigned)(record.tick[0] - start));
    is_well("watch");
}

/* ---- nested, deaths, wrong uses ---- */

static void others(void)
{
    uint32_t start = (uint32_t)al_now();

    begin(nested, 3, 0);
    run_a_tick();
    run_a_tick();
    CHECK(died_of(AL_CAUSE_DEADLINE) == start + 3, "the inner one first");
    is_well("nested");
    begin(dies, 0, 0);
    spin = false;
    CHECK(died_of(AL_CAUSE_PANIC) != 0, "it dies of itself");
    is_well("of itself");
    begin(damages, 0, 0);
    spin = false;
    CHECK(died_of(AL_CAUSE_PANIC) != 0, "its chain is damaged");
    is_well("damaged");
}

static struct al_guard elsewhere;

static void wrong_ticks(void)
{
    AL_DEADLINE(first_arg);
    spin_on();
}

static void wrong_window(void)
{
    AL_BUDGET(first_arg, second_arg);
    spin_on();
}

static void wrong_guard(void)
{
    elsewhere.kind = AL_GUARD_NONE;
    elsewhere.task = al_task_self();
    al_deadline_begin(&elsewhere, 5);
}

static void wrong_feed(void)
{
    al_watch_feed((struct al_guard *)(uintptr_t)0x30000000u);
}

static void wrong_end(void)
{
    al_guard_end((void *)(uintptr_t)3);
}

static void wrong_again(void)
{
    AL_WATCH(watch, 10);
    al_watch_begin(&watch, 10);
}

static void wrong_board(void)
{
    al_status status = al_board_watch(first_arg);

    (void)status;
}

static void misuse(const char *name, void (*what)(void), uint32_t first,
        uint32_t second, uint32_t number)
{
    begin(what, first, second);
    CHECK(died_of(AL_CAUSE_CALLER) != 0 && record.detail[0] == 17 &&
                    record.detail[1] == number,
            "%s: GUARD.%u, not %u", name, (unsigned)number,
            (unsigned)record.detail[1]);
    is_well(name);
}

static void test_main(void)
{
    rig_start();
    deadlines();
    budgets();
    watches();
    others();
    misuse("no ticks", wrong_ticks, 0, 0, 1);
    misuse("too many", wrong_ticks, 0x80000000u, 0, 1);
    misuse("more than the window", wrong_window, 6, 5, 1);
    misuse("in no frame", wrong_guard, 0, 0, 2);
    misuse("fed nowhere", wrong_feed, 0, 0, 2);
    misuse("ended nowhere", wrong_end, 0, 0, 2);
    misuse("begun twice", wrong_again, 0, 0, 2);
    misuse("board, too short", wrong_board, 3, 0, 1);
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
