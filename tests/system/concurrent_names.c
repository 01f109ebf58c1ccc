/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that restarts concurrently is one task to all others: names lead
 * to the instance that lives, and the task has ended when both are gone.
 *
 *  1. who it is: the same id in each life and in the dead one's cleanups, which
 *     are told that they are
 *  2. a wake before the death, or after it, by a task, a handler or a raw one,
 *     is the new instance's
 *  3. suspended, resumed, its priority changed: the new instance, while the dead
 *     one goes on
 *  4. killed: the new instance, in place as long as the dead one is there
 *     A cleanup that cannot run because others do is not given up
 *  5. its entry returns, or it is killed to end, in its first, second and third
 *     life: who joins is woken when the dead one is gone, which has the ending
 *     one's priority for that
 *  6. made at run time, its stack its own or the heap's: the same; then ids are
 *     stale, the memory may be used again, the heap is as it was
 *  7. supervised: the callback is told of what it died, and whom to restart with
 *     it
 *
 * Fails if: a name leads to the dead one, a wake is lost, or a joiner runs too
 * early.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O0 clang-O2 clang-Os
 * options: AL_CFG_KILL_GRACE=20
 */
#include <alula/alula.h>

#include <board.h>

#include "journal.h"
#include "test.h"

#define ISPR (*(volatile uint32_t *)0xe000e200u)

/* A line that nobody else uses, 17 on both boards. */
#define LINE 17u
#if BOARD_INSN_NS == 16
#  define HANDLER AL_IRQ(DMA1_Stream6_IRQHandler)
#else
#  define HANDLER AL_IRQ(PORT3_ALL_Handler)
#endif

extern struct al_task joiner, judge;

static struct al_sem go = AL_SEM_INIT(0, 10);
static struct al_sem gate = AL_SEM_INIT(0, 10);
static void (*plan)(void);
static struct al_task_id names[4];
static volatile bool replaced;
static volatile uint32_t prio_seen;

static void live(struct al_sem *sem)
{
    journal_note('S');
    names[0] = al_task_id_self();
    names[1] = al_task_id_of(al_task_self());
    for (;;) {
        al_sem_take(sem);
        if (plan == NULL) {
            return;
        }
        plan();
    }
}

static void victim_main(void)
{
    live(&go);
}

static const struct al_restart_policy policy = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 6, 2048, &policy);
AL_RESTART_CONCURRENT(victim);

static void note(void *what)
{
    journal_note((char)(uintptr_t)what);
    prio_seen = al_task_self()->prio;
}

static void finish(const struct al_task *task)
{
    struct al_task_info info;

    do {
        al_sleep(1);
        al_task_read(task, &info);
    } while (info.unwinding != AL_CAUSE_NONE);
}

static void have(struct al_sem *sem, void (*body)(void))
{
    journal_clear();
    plan = body;
    (void)al_sem_give(sem);
}

static void begin(void (*body)(void))
{
    have(&go, body);
}

/* ---- 1 ---- */

static void who_am_i(void *what)
{
    names[2] = al_task_id_self();
    names[3] = al_task_id_of(al_task_self());
    replaced = al_task_is_replaced();
    note(what);
}

static void die_named(void)
{
    AL_DEFER(who_am_i, (void *)'n');
    al_panic("named");
}

static void die(void)
{
    AL_DEFER(note, (void *)'c');
    al_panic("die");
}

static bool is_victim(struct al_task_id id)
{
    return id.task == &victim && id.spawn == 1;
}

/* How often a walk over all tasks comes to this one; 100: it does not end. */
static uint32_t walked(const struct al_task *wanted)
{
    uint32_t times = 0;
    uint32_t steps = 0;

    for (const struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        times += task == wanted;
        if (++steps == 100) {
            return 100;
        }
    }
    return times;
}

static void check_who(void)
{
    for (unsigned i = 0; i < 3; i++) {
        names[0].task = NULL;
        begin(die_named);
        CHECK(is_victim(names[0]) && is_victim(names[1]), "life %d", i);
        finish(&victim);
        CHECK(journal_is("Sn") && is_victim(names[2]) && is_victim(names[3]) &&
                        replaced,
                "its cleanup, %d", i);
    }
    CHECK(walked(&victim) == 1 && walked(&joiner) == 1 && walked(&judge) == 1,
            "a walk over all tasks comes to it once, and to the others");
}

/* ---- 2 ---- */

static volatile bool handler_is_raw;

HANDLER
{
    if (handler_is_raw) {
        (void)al_irq_raw_task_wake((struct al_task_id){&victim, 1});
    } else {
        (void)al_irq_task_wake((struct al_task_id){&victim, 1});
    }
}

static void park_it(void)
{
    (void)al_task_park(AL_FOREVER);
    journal_note('w');
}

static void die_then_park(void)
{
    plan = park_it;
    AL_DEFER(note, (void *)'c');
    al_panic("parks");
}

static void woken_and_die(void)
{
    (void)al_task_wake(al_task_id_self());
    die_then_park();
}

static void wake(unsigned how)
{
    if (how == 0) {
        (void)al_task_wake(al_task_id_of(&victim));
        return;
    }
    handler_is_raw = how == 2;
    ISPR = 1u << LINE;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void check_wakes(void)
{
    al_irq_enable(LINE, AL_PRIO_IRQ(3));
    for (unsigned how = 0; how < 3; how++) {
        for (unsigned life = 0; life < 2; life++) {
            begin(die_then_park);
            (void)al_sem_give(&go);
            CHECK(journal_is("S"), "it parks, %d: %s", how, journal());
            wake(how);
            CHECK(journal_is("Sw"), "woken by %d, %d: %s", how, life,
                    journal());
            finish(&victim);
            CHECK(journal_is("Swc"), "and cleaned up, %d: %s", how, journal());
        }
        begin(die_then_park);
        wake(how);
        (void)al_sem_give(&go);
        CHECK(journal_is("Sw"), "before it parks, %d: %s", how, journal());
        finish(&victim);
    }
    for (unsigned life = 0; life < 2; life++) {
        begin(woken_and_die);
        (void)al_sem_give(&go);
        CHECK(journal_is("Sw"), "before its death, %d: %s", life, journal());
        finish(&victim);
    }
}

/* ---- 3 ---- */

static void noted(void)
{
    journal_note('p');
    prio_seen = al_task_self()->prio;
}

static void check_suspended(struct al_task_id id)
{
    begin(die);
    CHECK(al_task_suspend(id) == AL_OK, "suspended");
    plan = noted;
    (void)al_sem_give(&go);
    finish(&victim);
    CHECK(journal_is("Sc") && prio_seen == 1, "the dead goes on: %s",
            journal());
    CHECK(al_task_resume(id) == AL_OK && journal_is("Scp"),
            "then the other: %s", journal());
}

static void check_prio(struct al_task_id id)
{
    struct al_task_info info;

    begin(die);
    plan = noted;
    CHECK(al_task_set_prio(id, 8) == AL_OK, "its priority");
    al_task_read(&victim, &info);
    CHECK(info.prio == 8 && info.base_prio == 8, "is told");
    (void)al_sem_give(&go);
    CHECK(journal_is("Sp") && prio_seen == 8, "and had: %s", journal());
    finish(&victim);
    CHECK(journal_is("Spc") && prio_seen == 1, "but not by the dead: %s",
            journal());
    (void)al_task_set_prio(id, 6);
}

/* ---- 4 ---- */

static void sleeps(void)
{
    AL_DEFER(note, (void *)'k');
    al_sleep(1000);
}

static void check_kills(void)
{
    struct al_task_id id = al_task_id_of(&victim);

    for (unsigned life = 0; life < 2; life++) {
        begin(die);
        plan = sleeps;
        (void)al_sem_give(&go);
        CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK, "killed");
        CHECK(journal_is("SkS") && prio_seen == 6, "in place: %s", journal());
        finish(&victim);
        CHECK(journal_is("SkSc"), "the first one after it: %s", journal());
        (void)al_sem_give(&go);
        CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK && journal_is("SkScS"),
                "concurrently: %s", journal());
        finish(&victim);
        CHECK(journal_is("SkScSk"), "and cleaned up: %s", journal());
    }
}

static volatile bool released;

static void takes_long(void *what)
{
    note(what);
    while (!released) {
    }
    journal_note('l');
}

static void die_long(void)
{
    AL_DEFER(takes_long, (void *)'L');
    al_panic("long");
}

/* Time in which it cannot run does not count against a cleanup. */
static void check_starved(void)
{
    al_time end;

    begin(die_long);
    al_sleep(5);
    CHECK(journal_is("SL"), "a cleanup begins: %s", journal());
    end = al_now() + 60;
    while (al_now() < end) {
    }
    released = true;
    finish(&victim);
    CHECK(journal_is("SLl"), "and ends: %s", journal());
}

/* ---- 5, 6 ---- */

static struct al_spawn memory;
static struct al_concurrent pair;
static char stacks[2][1536] __attribute__((aligned(8)));
static volatile bool joined;
static struct al_task_id made;
static uint32_t blocks; /* made of the heap so far */
static struct al_sem made_go = AL_SEM_INIT(0, 10);

static void waits(void *what)
{
    note(what);
    al_sem_take(&gate);
}

static void die_slowly(void)
{
    AL_DEFER(note, (void *)'z');
    AL_DEFER(waits, (void *)'y');
    al_panic("slow");
}

static void joiner_main(void)
{
    for (;;) {
        (void)al_task_park(AL_FOREVER);
        joined = al_task_join(made, AL_FOREVER) == AL_OK;
        journal_note('J');
    }
}

AL_TASK(joiner, joiner_main, 9, 1024);

static void victim_again(void *args)
{
    (void)args;
    live(&made_go);
}

/* A task like the victim, in its `life`th life. */
static void make(bool from_heap, unsigned life)
{
    struct al_task_params params = {.entry = victim_again,
            .prio = 6,
            .stack_bytes = sizeof(stacks[0]),
            .policy = &policy};

    if (from_heap) {
        CHECK(al_task_spawn(&params, &made) == AL_OK, "spawned");
    } else {
        params.stack = stacks[0];
        al_task_create(&memory, &params, &made);
    }
    CHECK(al_task_restart_concurrent(made, &pair, stacks[1]) == AL_OK,
            "from now on");
    CHECK(al_task_restart_concurrent(
                  made, &(struct al_concurrent){0}, stacks[1]) == AL_E_STATE,
            "once");
    for (unsigned i = 1; i < life; i++) {
        have(&made_go, die);
        finish(made.task);
    }
    (void)al_task_wake(al_task_id_of(&joiner));
}

static void check_end(bool from_heap, unsigned life, bool slow, bool killed)
{
    struct al_heap_info before;
    struct al_heap_info after;

    al_heap_read(&before);
    joined = false;
    make(from_heap, life);
    journal_clear();
    if (slow) {
        have(&made_go, die_slowly);
        al_sleep(2);
        CHECK(journal_is("Sy") && prio_seen == 1, "it waits, %d: %s", life,
                journal());
        journal_clear();
    }
    plan = NULL;
    if (killed) {
        (void)al_task_kill(made, AL_KILL_END);
    } else {
        (void)al_sem_give(&made_go);
    }
    CHECK(joined == !slow && journal_is(slow ? "" : "J"),
            "the end, %d %d %d: %s", life, slow, killed, journal());
    if (slow) {
        (void)al_sem_give(&gate);
        CHECK(joined && journal_is("zJ") && prio_seen == 6,
                "the dead one first, at 6, %d: %s", life, journal());
    }
    CHECK(al_task_wake(made) == AL_E_STALE &&
                    al_task_restart_concurrent(made, &pair, stacks[1]) ==
                            AL_E_STALE,
            "it is stale, %d", life);
    al_heap_read(&after);
    /* A control block stays on the heap, once. */
    CHECK(!from_heap || blocks++ == 0 || after.used_bytes == before.used_bytes,
            "its stack is back, %d", life);
}

static void check_ends(void)
{
    for (unsigned n = 0; n < 24; n++) {
        check_end(n % 2, n / 8 + 1, n / 2 % 2, n / 4 % 2);
    }
}

/* ---- 7 ---- */

static struct al_death told;
static volatile uint32_t lives[2];
static struct al_sem member_go = AL_SEM_INIT(0, 10);

static enum al_verdict listen(const struct al_death *death)
{
    told = *death;
    return AL_VERDICT_STRATEGY;
}

static struct al_supervisor group =
        AL_SUPERVISOR_INIT(AL_ONE_FOR_ALL, 100, 1000, listen, NULL, 0);

static void one_main(void)
{
    lives[0]++;
    AL_DEFER(note, (void *)'1');
    al_sem_take(&member_go);
    al_panic("one");
}

static void two_main(void)
{
    lives[1]++;
    AL_DEFER(note, (void *)'2');
    (void)al_task_park(AL_FOREVER);
}

AL_SUPERVISED(one, one_main, 7, 2048, &group, 1);
AL_RESTART_CONCURRENT(one);
AL_SUPERVISED(two, two_main, 6, 2048, &group, 2);
AL_RESTART_CONCURRENT(two);

static void check_supervised(void)
{
    for (uint32_t n = 1; n <= 4; n++) {
        journal_clear();
        (void)al_sem_give(&member_go);
        finish(&one);
        finish(&two);
        CHECK(lives[0] == n + 1 && lives[1] == n + 1, "both, %d", (int)n);
        CHECK(told.task == &one && told.cause == AL_CAUSE_PANIC &&
                        told.generation == n && told.supervisor == &group,
                "what is told, %d", (int)n);
        CHECK(journal_length() == 2, "both are cleaned up: %s", journal());
    }
}

static void judge_main(void)
{
    check_who();
    check_wakes();
    for (unsigned life = 0; life < 2; life++) {
        check_suspended(al_task_id_of(&victim));
        check_prio(al_task_id_of(&victim));
    }
    check_kills();
    check_starved();
    check_ends();
    check_supervised();
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
