/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is to restart concurrently begins anew before its dead
 * instance is cleaned up, of whatever it died, and the dead one is cleaned up
 * whole.
 *
 *  1. for each way to die, in a block with a mutex between two deferred
 *     functions and a scoped block of the heap: the new instance has begun, with
 *     fresh arguments, when nothing is undone yet; a task in between runs first;
 *     then the scopes are undone newest first, the mutex is free and poisoned,
 *     the heap is as it was
 *  2. the record: at once with cause and generation, in the end with backtrace,
 *     and what was left behind
 *  3. a second death before that: in place, cleaned up before it restarts; and
 *     the first one is cleaned up after it
 *  4. a more urgent task, or the new instance, that waits for the dead one's
 *     mutex: lends its priority until the mutex is free, and no longer
 *  5. a cleanup that dies, or that waits; a cleanup that overflows at the end of
 *     its block: it comes to its end, the hand-over before it
 *  6. a budget that is used up: cleaned up first, then held back
 *  7. a state is not the dead one's any more
 *  8. what is not concurrent in the same image restarts as ever
 *  9. it is the first of its equals, as after any restart
 *
 * Fails if: the new instance waits for the cleanup, or the cleanup is lost, or
 * runs at the task's priority.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O2 clang-Os
 * sources: ../support/recover.c ../support/causes.c
 * recovers: overflow vla null access bus undef div0 align assert panic stack |
 *     running | with AL_RESTART_CONCURRENT: the next instance begins first, the
 *     dead one is cleaned up after that | -
 */
#include "../support/causes.h"

#include "journal.h"
#include "test.h"

struct victim_args {
    uint32_t value;
};

static struct al_sem go = AL_SEM_INIT(0, 10);
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_sem gate = AL_SEM_INIT(0, 10);
static void (*plan)(void);
static volatile uint32_t starts;
static volatile uint32_t args_seen;
static volatile uint32_t prio_seen;
static struct al_crash_record record;

AL_TASK_STATE(trip, uint32_t);

static void victim_main(struct victim_args *args)
{
    starts++;
    journal_note('S');
    args_seen = args->value;
    args->value = 99;
    for (;;) {
        al_sem_take(&go);
        plan();
    }
}

static const struct al_restart_policy policy = {
        .budget = 3,
        .back_off = 5,
        .window = 100,
        .exhausted = AL_EXHAUSTED_BACK_OFF,
};

AL_TASK_ARGS(victim, victim_main, 6, 2048, &policy, struct victim_args, {7});
AL_RESTART_CONCURRENT(victim);

static void note(void *what)
{
    journal_note((char)(uintptr_t)what);
    prio_seen = al_task_self()->prio;
}

static void lock(void)
{
    al_status status = al_mutex_lock(&mutex);

    (void)status;
}

static void info_of(struct al_task_info *info)
{
    al_task_read(&victim, info);
}

/* The policy's window is over. */
static void rest(void)
{
    al_sleep(101);
}

static void begin(void (*body)(void))
{
    rest();
    if (al_mutex_is_held(&mutex)) {
        CHECK(false, "the mutex was not given back");
    }
    lock();
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
    journal_clear();
    plan = body;
    (void)al_sem_give(&go);
}

static uint32_t unwinding(void)
{
    struct al_task_info info;

    info_of(&info);
    return info.unwinding;
}

/* The dead one is cleaned up, and gone. */
static void finish(void)
{
    for (unsigned i = 0; i < 100 && unwinding() != AL_CAUSE_NONE; i++) {
        al_sleep(1);
    }
}

/* ---- 1, 2 ---- */

static const struct cause *cause;

__attribute__((noinline)) static void hold_and_die(void (*die)(void))
{
    al_status status;

    AL_DEFER(note, (void *)'o');
    AL_LOCK_SCOPED(&mutex, status);
    AL_HEAP_SCOPED(block, 40);
    AL_DEFER(note, (void *)'i');
    (void)status;
    *(volatile char *)block = 0;
    (void)al_heap_alloc(24);
    die();
}

static void die_of_cause(void)
{
    hold_and_die(cause->die);
}

static void check_record(uint32_t generation, bool whole)
{
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK, "%s: record, %d",
            cause->name, whole);
    CHECK(record.cause == cause->cause && record.generation == generation,
            "%s: cause and generation, %d", cause->name, whole);
    CHECK(record.scopes_undone == 4, "%s: scopes, %d", cause->name, whole);
    if (!whole) {
        return;
    }
    CHECK(record.heap_left >= 24, "%s: left behind", cause->name);
    if (cause->fault_status == 0 && !cause->frameless) {
        CHECK(record.pc_count > 2, "%s: backtrace", cause->name);
    }
}

static void check_cause(void)
{
    struct al_task_info info;
    uint32_t before = starts;
    uint32_t generation;
    size_t used = rig_heap_used();

    info_of(&info);
    generation = info.generation;
    args_seen = 0;
    begin(die_of_cause);
    CHECK(starts == before + 1 && args_seen == 7, "%s: begun", cause->name);
    CHECK(journal_is("S"), "%s: nothing is undone: %s", cause->name, journal());
    CHECK(al_mutex_is_held(&mutex), "%s: locked", cause->name);
    info_of(&info);
    CHECK(info.unwinding == cause->cause && info.state == AL_TASK_WAITING &&
                    info.generation == generation + 1 && info.prio == 6,
            "%s: what is told of it", cause->name);
    check_record(generation, false);
    finish();
    CHECK(journal_is("Sio") && prio_seen == 1, "%s: undone at %d: %s",
            cause->name, (int)prio_seen, journal());
    CHECK(!al_mutex_is_held(&mutex) && al_mutex_lock(&mutex) == AL_E_POISONED,
            "%s: poisoned", cause->name);
    al_mutex_unlock(&mutex);
    CHECK(unwinding() == AL_CAUSE_NONE, "%s: gone", cause->name);
    CHECK(rig_heap_used() > used && rig_heap_used() - used < 48,
            "%s: the scoped block is back", cause->name);
    check_record(generation, true);
}

/* ---- 3 ---- */

static void die_again(void)
{
    AL_DEFER(note, (void *)'2');
    al_panic("again");
}

static void die_once(void)
{
    plan = die_again;
    AL_DEFER(note, (void *)'1');
    al_panic("once");
}

static void check_second(void)
{
    begin(die_once);
    CHECK(journal_is("S"), "the first is not cleaned up: %s", journal());
    (void)al_sem_give(&go);
    CHECK(journal_is("S2S"), "the second is, in place: %s", journal());
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK &&
                    al_crash_read(al_crash_count() - 1, &record) == AL_OK,
            "both records are there");
    finish();
    CHECK(journal_is("S2S1"), "then the first: %s", journal());
    (void)al_sem_give(&go);
    CHECK(journal_is("S2S1S"), "then it is concurrent again: %s", journal());
    finish();
    CHECK(journal_is("S2S1S2"), "and cleaned up: %s", journal());
}

/* ---- 4 ---- */

static struct al_sem urgent_go = AL_SEM_INIT(0, 1);

static void urgent_main(void)
{
    for (;;) {
        al_sem_take(&urgent_go);
        lock();
        journal_note('U');
        al_mutex_unlock(&mutex);
    }
}

AL_TASK(urgent, urgent_main, 9, 1024);

static void hold_and_panic(void)
{
    AL_DEFER(note, (void *)'o');
    lock();
    AL_DEFER(note, (void *)'i');
    al_panic("held");
}

static void want_it(void)
{
    lock();
    journal_note('L');
    al_mutex_unlock(&mutex);
}

static void check_boost(void)
{
    begin(hold_and_panic);
    (void)al_sem_give(&urgent_go);
    CHECK(journal_is("SiU") && prio_seen == 9, "up to the mutex at 9: %s",
            journal());
    finish();
    CHECK(journal_is("SiUo") && prio_seen == 1, "the rest at 1: %s", journal());
    begin(hold_and_panic);
    plan = want_it;
    (void)al_sem_give(&go);
    CHECK(journal_is("SiL") && unwinding() == AL_CAUSE_PANIC,
            "its own new instance waits: %s", journal());
    finish();
    CHECK(journal_is("SiLo"), "and the rest: %s", journal());
}

/* ---- 5 ---- */

static void die_too(void *what)
{
    note(what);
    al_panic("cleanup");
}

static void wait_too(void *what)
{
    note(what);
    al_sem_take(&gate);
    journal_note('w');
}

static void with_bad_cleanups(void)
{
    AL_DEFER(note, (void *)'o');
    AL_DEFER(wait_too, (void *)'i');
    AL_DEFER(die_too, (void *)'d');
    al_panic("bad");
}

__attribute__((noinline)) static uint32_t deep(uint32_t n)
{
    volatile uint32_t frame[8] = {n};

    return n == 0 ? 0 : deep(n - 1) + frame[0];
}

static void hungry(void *what)
{
    volatile char frame[96];

    frame[0] = (char)(uintptr_t)what;
    note(what);
    journal_note(frame[0]);
}

/* Deeper and deeper, until the cleanup is what overflows. */
__attribute__((noinline)) static uint32_t sink(void)
{
    volatile uint32_t frame[3] = {0};

    {
        AL_DEFER(hungry, (void *)'h');
    }
    journal_clear();
    return sink() + frame[0];
}

static void overflow_in_cleanup(void)
{
    AL_DEFER(note, (void *)'o');
    (void)sink();
}

static void check_cleanups(void)
{
    begin(with_bad_cleanups);
    al_sleep(20);
    CHECK(journal_is("Sdi"), "one that dies, one that waits: %s", journal());
    CHECK(unwinding() == AL_CAUSE_PANIC, "it still unwinds");
    (void)al_sem_give(&gate);
    finish();
    CHECK(journal_is("Sdiwo") && unwinding() == AL_CAUSE_NONE, "then on: %s",
            journal());
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK &&
                    record.nested == 1,
            "the record has its death");
    begin(overflow_in_cleanup);
    CHECK(journal_is("S"), "in the middle of a cleanup: %s", journal());
    finish();
    CHECK(journal_is("Shho") || journal_is("So"),
            "which comes to its end, or never began: %s", journal());
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK &&
                    record.cause == AL_CAUSE_OVERFLOW && record.nested == 0,
            "of an overflow");
}

/* ---- 6 ---- */

static void check_budget(void)
{
    struct al_task_info info;

    begin(die_again);
    for (unsigned i = 0; i < 2; i++) {
        al_sleep(1);
        (void)al_sem_give(&go);
    }
    CHECK(journal_is("S2S2S"), "three at once: %s", journal());
    al_sleep(1);
    journal_clear();
    (void)al_sem_give(&go);
    CHECK(journal_is("2"), "the fourth is cleaned up at once: %s", journal());
    info_of(&info);
    CHECK(info.state == AL_TASK_HELD_BACK && info.unwinding == AL_CAUSE_NONE,
            "and held back");
    al_sleep(7);
    CHECK(journal_is("2S"), "for a time: %s", journal());
}

/* ---- 7 ---- */

static void keep(void *what)
{
    note(what);
    al_task_checkpoint(&trip);
    journal_note('!');
}

static void with_state(void)
{
    *trip_begin() = 5;
    al_task_checkpoint(&trip);
    AL_DEFER(keep, (void *)'k');
    *trip_begin() = 6;
    al_panic("state");
}

static void check_state(void)
{
    begin(with_state);
    finish();
    CHECK(journal_is("Sk"), "no checkpoint by the dead: %s", journal());
    CHECK(*trip_begin() == 5, "the last one is the living's");
}

/* ---- 9 ---- */

static struct al_sem equal_go = AL_SEM_INIT(0, 1);

static void equal_main(void)
{
    al_sem_take(&equal_go);
    journal_note('E');
}

AL_TASK(equal, equal_main, 6, 1024);

/* Its equal becomes ready, and does not run before it. */
static void die_before_equals(void)
{
    (void)al_sem_give(&equal_go);
    al_panic("equals");
}

static void check_turn(void)
{
    begin(die_before_equals);
    finish();
    CHECK(journal_is("SE"), "the first of its equals: %s", journal());
}

/* ---- 8 ---- */

static volatile bool other_dies = true;

static void other_main(void)
{
    journal_note('b');
    AL_DEFER(note, (void *)'c');
    if (other_dies) {
        other_dies = false;
        al_panic("other");
    }
    (void)al_task_park(AL_FOREVER);
}

AL_TASK(other, other_main, 7, 1024);

static void judge_main(void)
{
    CHECK(journal_is("bcbS"), "a task without: %s", journal());
    for (uint32_t i = 0; i < causes_count; i++) {
        cause = &causes[i];
        /* Not those that need a build with checks, or the rig's victim. */
        if (cause->cause != AL_CAUSE_OOB && i != 1) {
            check_cause();
        }
    }
    check_second();
    check_boost();
    check_cleanups();
    check_budget();
    check_state();
    check_turn();
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
