/* SPDX-License-Identifier: MIT */
/*
 * Claim: callbacks of software timers run in their service, one after the other
 * in the order in which they were due, and one that dies ends itself and
 * nothing else.
 *   1. due in one order, started in another; two services of different
 *      priority; a callback may sleep, lock, and start and stop timers, its own
 *      among them
 *   2. while a callback is at work others become due and wait; a periodic one
 *      that is due again before it has begun is missed, and keeps its phase
 *   3. one that waits is stopped, started anew, destroyed: it does not begin;
 *      until it begins it runs, as is_running tells
 *   4. a callback that dies: the service's task has a crash record and starts
 *      again, what was due meanwhile runs, a periodic one comes again, the
 *      other service and timers without callbacks never notice
 * Fails if: a callback is taken off the queue only when it is over, or a stop
 * leaves it there.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * recovers: panic | running |
 *     in a callback of a software timer: its service starts again; other
 *     timers, and what was due, go on | panic_to_restart unwind_frame
 *     unwind_scope
 */
#include "../interleave/rig.h"

#include "journal.h"
#include "test.h"

AL_TIMER_SERVICE(urgent, 12, 1024);
AL_TIMER_SERVICE(lazy, 3, 1536);

static void note(void *what)
{
    journal_note((char)(uintptr_t)what);
}

#define MARK(character) ((void *)(uintptr_t)(character))

static void tick(unsigned n)
{
    while (n > 0) {
        rig_pend_tick();
        n--;
    }
}

static struct al_timer a = AL_TIMER_INIT_CALL(&urgent, note, MARK('a'));
static struct al_timer b = AL_TIMER_INIT_CALL(&urgent, note, MARK('b'));
static struct al_timer c = AL_TIMER_INIT_CALL(&urgent, note, MARK('c'));
static struct al_timer d = AL_TIMER_INIT_CALL(&lazy, note, MARK('d'));
static struct al_timer e = AL_TIMER_INIT_CALL(&lazy, note, MARK('e'));

static void in_order(void)
{
    journal_clear();
    al_timer_start(&a, 3, 0);
    al_timer_start(&b, 1, 0);
    al_timer_start(&c, 2, 0);
    CHECK(al_timer_is_running(&a), "runs until it is due");
    tick(3);
    CHECK(journal_is("bca"), "in the order due: %s", journal());
    CHECK(!al_timer_is_running(&a) && !al_timer_is_running(&b),
            "and is at rest then");
    journal_clear();
    al_timer_start(&d, 1, 0);
    al_timer_start(&e, 2, 0);
    al_timer_start(&a, 3, 0);
    tick(3);
    CHECK(journal_is("a"), "the more urgent service at once: %s", journal());
    CHECK(al_timer_is_running(&d) && al_timer_is_running(&e),
            "what waits for a service runs");
    al_sleep_until(AL_POLL);
}

/* The lazy service's turn: this task waits for it. */
static struct al_sem lazy_done = AL_SEM_INIT(0, 10);

static void done(void *unused)
{
    (void)unused;
    (void)al_sem_give(&lazy_done);
}

static struct al_timer last = AL_TIMER_INIT_CALL(&lazy, done, NULL);

/* Lets the lazy service do all that is due. */
static void let_lazy_run(void)
{
    al_timer_start(&last, 0, 0);
    al_sem_take(&lazy_done);
}

static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_sem hold = AL_SEM_INIT(0, 1);
static volatile unsigned own;

static void works(void *unused)
{
    al_status status;

    (void)unused;
    AL_LOCK_SCOPED(&mutex, status);
    (void)status;
    note(MARK('('));
    al_sem_take(&hold);
    note(MARK(')'));
}

static struct al_timer work = AL_TIMER_INIT_CALL(&urgent, works, NULL);
static struct al_timer self;

static void again(void *timer)
{
    own++;
    if (own < 3) {
        (void)al_timer_start(timer, 2, 0);
    } else if (own == 3) {
        (void)al_timer_start(timer, 1, 1);
    } else if (own == 6) {
        (void)al_timer_stop(timer);
    }
}

static void at_work(void)
{
    struct al_timer_info info;
    al_time base;

    let_lazy_run();
    CHECK(journal_is("ade"), "the lazy one in its turn: %s", journal());
    journal_clear();
    base = al_now();
    al_timer_start(&work, 1, 0);
    al_timer_start(&a, 2, 2);
    al_timer_start(&b, 3, 0);
    tick(1);
    CHECK(!al_timer_is_running(&work), "it has begun: at rest");
    tick(6);
    al_timer_read(&a, &info);
    CHECK(journal_is("(") && info.expiries == 3 && info.missed == 2,
            "the others wait: %s", journal());
    (void)al_sem_give(&hold);
    CHECK(journal_is("()ab"), "and run behind it: %s", journal());
    al_timer_read(&a, &info);
    CHECK(info.running && info.next == base + 8, "in its phase");
    tick(1);
    CHECK(journal_is("()aba"), "the next in its phase: %s", journal());
    al_timer_stop(&a);
    al_timer_init_call(&self, &urgent, again, &self);
    al_timer_start(&self, 1, 0);
    tick(20);
    CHECK(own == 6 && !al_timer_is_running(&self),
            "a callback starts and stops its own: %u", own);
    al_timer_destroy(&self);
}

static void does_not_begin(void)
{
    journal_clear();
    al_timer_start(&d, 1, 0);
    tick(1);
    CHECK(al_timer_is_running(&d) && al_timer_stop(&d) == AL_OK &&
                    al_timer_stop(&d) == AL_E_STATE,
            "stopped while it waits");
    al_timer_start(&e, 1, 1);
    tick(1);
    CHECK(al_timer_stop(&e) == AL_OK, "a periodic one");
    let_lazy_run();
    CHECK(journal_is(""), "neither began: %s", journal());
    al_timer_start(&d, 1, 0);
    tick(1);
    al_timer_start(&d, 3, 0);
    let_lazy_run();
    CHECK(journal_is("") && al_timer_is_running(&d), "started anew: %s",
            journal());
    tick(3);
    let_lazy_run();
    CHECK(journal_is("d"), "later: %s", journal());
    journal_clear();
    al_timer_init_call(&self, &lazy, note, MARK('s'));
    al_timer_start(&d, 1, 0);
    al_timer_start(&self, 2, 0);
    al_timer_start(&e, 3, 0);
    tick(3);
    al_timer_destroy(&self);
    let_lazy_run();
    CHECK(journal_is("de"), "destroyed in the middle of the queue: %s",
            journal());
}

static volatile unsigned deaths;

static void dies(void *unused)
{
    al_status status;

    (void)unused;
    AL_LOCK_SCOPED(&mutex, status);
    if (status == AL_E_POISONED) {
        al_mutex_heal(&mutex);
    }
    deaths++;
    al_panic("a callback dies");
}

static struct al_sem counted = AL_SEM_INIT(0, 1000);
static struct al_timer deadly = AL_TIMER_INIT_CALL(&urgent, dies, NULL);
static struct al_timer counts = AL_TIMER_INIT_SEM(&counted);

static void contained(void)
{
    uint32_t crashes = al_crash_count();
    struct al_crash_record record;
    struct al_task_info info;

    journal_clear();
    al_timer_start(&counts, 1, 1);
    al_timer_start(&deadly, 1, 2);
    al_timer_start(&a, 1, 0);
    al_timer_start(&b, 2, 0);
    al_timer_start(&d, 1, 0);
    tick(1);
    CHECK(deaths == 1 && al_crash_count() == crashes + 1, "a callback died");
    CHECK(al_crash_read(crashes + 1, &record) == AL_OK &&
                    record.cause == AL_CAUSE_PANIC && record.scopes_undone == 1,
            "with a record; its lock was given back");
    CHECK(journal_is("a"), "what was due with it runs: %s", journal());
    tick(6);
    al_task_read(&urgent_task, &info);
    CHECK(deaths == 4 && info.restarts == 4, "a periodic one dies again");
    CHECK(journal_is("ab"), "others on the same service: %s", journal());
    let_lazy_run();
    CHECK(journal_is("abd"), "the other service: %s", journal());
    CHECK(al_sem_count(&counted) == 7, "a timer without a callback: %d",
            (int)al_sem_count(&counted));
    CHECK(al_timer_stop(&deadly) == AL_OK && al_timer_stop(&counts) == AL_OK,
            "both still ran");
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    in_order();
    at_work();
    does_not_begin();
    contained();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
