/* SPDX-License-Identifier: MIT */
/*
 * Claim: a chain of scopes that its task has overwritten is dropped from the
 * damage on, and hurts nobody else: the task starts again, and the kernel
 * follows no wild link, least of all with its lock held.
 *
 * For each damage (the head, or the link of the second scope: garbage, odd,
 * null guard, flash, a peripheral, the end of memory, a record outside of the
 * stack, a mutex of nobody's, loops of one and two), dying with and without a
 * landing pad, with a more urgent task that waits for the newest lock:
 *  1. the victim dies once and waits again
 *  2. the waiter got the lock, and has its own priority; the tick goes on
 *  3. the next life's scopes are all undone
 * Then: functions that are no functions (the others go on); the task read by
 * another one, and a scope closed, while the chain is damaged.
 *
 * Fails if: a link is followed unchecked.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 * sources: ../support/recover.c
 * recovers: bus null undef | recovery |
 *     a chain of scopes, or a function in it, that its task overwrote: dropped
 *     from the damage on | -
 */
#include <string.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex wanted = AL_MUTEX_INIT;
static struct al_mutex nobodys = AL_MUTEX_INIT;
static struct al_sem wait_for_it = AL_SEM_INIT(0, 1);
static struct al_sem got_it = AL_SEM_INIT(0, 1);
static struct al_sem look = AL_SEM_INIT(0, 1);
static volatile uint32_t looks;
static struct al_scope outside;
static char target[64];
static volatile uint32_t zero;

/* More urgent than the victim: it inherits the lock. */
static void waiter_main(void)
{
    for (;;) {
        al_status status;

        al_sem_take(&wait_for_it);
        status = al_mutex_lock(&wanted);
        (void)status;
        al_mutex_heal(&wanted);
        al_mutex_unlock(&wanted);
        (void)al_sem_give(&got_it);
    }
}

AL_TASK(waiter, waiter_main, RIG_PRIO + 1, 1024);

static NOINLINE void panics(void)
{
    al_panic("test");
}

static void (*volatile die)(void);
static struct al_scope *volatile garbage;
static volatile uint32_t where; /* 0: the head; 1: the second link */

static void dies_without_pad(void)
{
    memcpy(target, (const void *)(uintptr_t)RIG_NOWHERE, zero + 40);
    __asm__ volatile("" ::"r"(target) : "memory");
}

#define LOOP_ONE ((struct al_scope *)1)
#define LOOP_TWO ((struct al_scope *)2)

static void damage(struct al_scope *a, struct al_scope *b)
{
    struct al_scope *value = garbage;

    if (value == LOOP_ONE) {
        a->prev = a;
    } else if (value == LOOP_TWO) {
        a->prev = b;
        b->prev = a;
    } else if (where == 0) {
        al_task_self()->scopes = value;
    } else {
        a->prev = value;
    }
}

/* The waiter waits for the lock: giving it back is the slow way, which looks at
 * all that is left in the chain. */
static NOINLINE void damaged(void)
{
    RIG_SCOPE(a, rig_mark, RIG_MARK('a'));
    RIG_SCOPE(b, rig_mark, RIG_MARK('b'));
    rig_lock(&wanted);
    (void)al_sem_give(&wait_for_it);
    damage(&b, &a);
    die();
    dies_without_pad();
}

static NOINLINE void healthy(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&nobodys, status);
    RIG_SCOPE(b, rig_mark, RIG_MARK('b'));
    (void)status;
    dies_without_pad();
}

static void settle(const char *name, const char *place)
{
    struct al_task_info info;
    al_time then = al_now();

    al_task_read(&waiter, &info);
    CHECK(info.prio == RIG_PRIO + 1 && info.state == AL_TASK_WAITING,
            "%s, %s: waiter", name, place);
    al_task_read(&rig_victim, &info);
    CHECK(info.prio == RIG_PRIO && info.mutexes == 0 &&
                    info.state == AL_TASK_WAITING,
            "%s, %s: victim", name, place);
    al_sleep(1);
    CHECK(al_now() > then, "%s, %s: the tick goes on", name, place);
    CHECK(rig_run(healthy) == 1 && rig_log_is("ba") &&
                    rig_record.scopes_undone == 3,
            "%s, %s: the next life ran \"%s\"", name, place, rig_log());
    CHECK(!al_mutex_is_held(&nobodys), "%s, %s: its lock", name, place);
}

static void run(const char *name, struct al_scope *value, uint32_t place)
{
    static const char *const places[] = {"head", "link"};
    static void (*const ways[])(void) = {panics, dies_without_pad};

    for (uint32_t way = 0; way < 2; way++) {
        garbage = value;
        where = place;
        die = ways[way];
        CHECK(rig_run(damaged) == 1, "%s, %s, way %d: died", name,
                places[place], (int)way);
        if (place == 0) {
            /* The lock went with the chain's head: it is the dead's for ever,
             * but for this test's own hand. */
            wanted.owner &= 1;
            wanted.owner |= (uintptr_t)al_task_self();
            wanted.scope.prev = al_task_self()->scopes;
            al_task_self()->scopes = &wanted.scope;
            al_mutex_unlock(&wanted);
        }
        CHECK(al_sem_try_take(&got_it) == AL_OK, "%s, %s, way %d: waiter", name,
                places[place], (int)way);
        settle(name, places[place]);
    }
}

static void (*volatile no_function)(void *);

static NOINLINE void wild_function(void)
{
    RIG_SCOPE(a, rig_mark, RIG_MARK('a'));
    RIG_SCOPE(bad, no_function, NULL);
    RIG_SCOPE(b, rig_mark, RIG_MARK('b'));
    dies_without_pad();
}

static void closes_damaged(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    {
        RIG_SCOPE(b, rig_mark, RIG_MARK('b'));
        damage(&b, &b);
    }
    rig_note('c');
    die();
}

/* Has another task look at it. */
static void is_read_damaged(void)
{
    RIG_SCOPE(a, rig_mark, RIG_MARK('a'));
    RIG_SCOPE(b, rig_mark, RIG_MARK('b'));
    damage(&b, &a);
    (void)al_sem_give(&look);
    die();
}

static void looker_main(void)
{
    for (;;) {
        struct al_task_info info;

        al_sem_take(&look);
        al_task_read(&rig_victim, &info);
        looks++;
    }
}

AL_TASK(looker, looker_main, RIG_PRIO + 2, 1024);

static void judge_main(void)
{
    static const struct {
        const char *name;
        uintptr_t value;
    } kinds[] = {
            {"garbage", 0xdeadbee0},
            {"odd", 0x20000401},
            {"null guard", 0x4},
            {"flash", 0x08000100},
            {"nowhere", 0x30000000},
            {"peripheral", 0x40000000},
            {"end of memory", 0x2001fffc},
            {"top", 0xfffffff8},
    };
    static void (*const no_functions[])(void *) = {(void (*)(void *))0xdeadbeef,
            (void (*)(void *))0x30000001, (void (*)(void *))0x4,
            (void (*)(void *))0x40000001};

    for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        run(kinds[i].name, (struct al_scope *)kinds[i].value, 0);
        run(kinds[i].name, (struct al_scope *)kinds[i].value, 1);
    }
    outside = (struct al_scope){.arg = RIG_MARK('!'), .fn = rig_mark};
    run("outside", &outside, 1);
    CHECK(outside.prev == NULL, "outside: not touched");
    run("nobody's mutex", &nobodys.scope, 1);
    run("loop of one", LOOP_ONE, 1);
    run("loop of two", LOOP_TWO, 1);
    for (uint32_t i = 0; i < 4; i++) {
        no_function = no_functions[i];
        CHECK(rig_run(wild_function) == 1 && rig_log_is("ba") &&
                        rig_record.nested == 1,
                "function %x: ran \"%s\", nested %d",
                (unsigned)(uintptr_t)no_function, rig_log(),
                (int)rig_record.nested);
    }
    die = panics;
    garbage = LOOP_ONE;
    CHECK(rig_run(closes_damaged) == 1, "closed in a loop: died");
    settle("closed in a loop", "link");
    for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        garbage = (struct al_scope *)kinds[i].value;
        where = i & 1;
        CHECK(rig_run(is_read_damaged) == 1 && looks == i + 1,
                "%s: read while damaged", kinds[i].name);
    }
    garbage = LOOP_TWO;
    CHECK(rig_run(is_read_damaged) == 1, "loop: read while damaged");
    settle("read in a loop", "link");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
