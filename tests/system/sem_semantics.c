/* SPDX-License-Identifier: MIT */
/*
 * Claim: a semaphore counts exactly, from any context, and wakes the most
 * urgent waiter first and equals in their order.
 *   1. take and give up to the bound and down to nothing; AL_E_FULL changes
 *      nothing; AL_E_EMPTY neither; a bound of 1
 *   2. seven waiters of four priorities in mixed order: each unit wakes one,
 *      the right one
 *   3. units given before anybody waits are there; more units than waiters stay
 *   4. the same gives from a handler, with the lock free and with it taken:
 *      full is full at once, and the waiters wake in the same order
 *   5. a unit given to a less urgent waiter does not preempt; to a more urgent
 *      one does, before give returns
 * Fails if: full is found at max+1, a posted give is not counted at once, or
 * the last waiter is woken first.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "journal.h"
#include "test.h"

static struct al_sem sem = AL_SEM_INIT(0, 5);
static struct al_sem one = AL_SEM_INIT(1, 1);

static void waiter(char name, struct al_sem *go)
{
    for (;;) {
        al_sem_take(go);
        al_sem_take(&sem);
        journal_note(name);
    }
}

static struct al_sem go[7] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};

#define WAITER(n, letter, prio)      \
  static void letter##_main(void)    \
  {                                  \
    waiter((char)('a' + n), &go[n]); \
  }                                  \
  AL_TASK(letter, letter##_main, prio, 1024)

WAITER(0, a, 10);
WAITER(1, b, 11);
WAITER(2, c, 10);
WAITER(3, d, 12);
WAITER(4, e, 10);
WAITER(5, f, 11);
WAITER(6, g, 3);

/* The tasks named wait for `sem` then, in that order. */
static void line_up(const char *order)
{
    journal_clear();
    for (; *order != '\0'; order++) {
        al_sem_give(&go[*order - 'a']);
        al_sleep(1); /* g is less urgent than the judge */
    }
}

static void bounds(void)
{
    bool full = true;
    bool empty = true;

    for (int i = 0; i < 5; i++) {
        CHECK(al_sem_count(&sem) == i, "count %d", i);
        full = full && al_sem_give(&sem) == AL_OK;
    }
    CHECK(full, "five gives fit");
    for (int i = 0; i < 3; i++) {
        full = full && al_sem_give(&sem) == AL_E_FULL;
    }
    CHECK(full && al_sem_count(&sem) == 5, "the sixth does not");
    for (int i = 0; i < 4; i++) {
        empty = empty && al_sem_try_take(&sem) == AL_OK;
    }
    al_sem_take(&sem);
    CHECK(empty && al_sem_count(&sem) == 0, "five are taken");
    for (int i = 0; i < 3; i++) {
        empty = empty && al_sem_try_take(&sem) == AL_E_EMPTY;
    }
    CHECK(empty && al_sem_count(&sem) == 0, "the sixth is not");
    CHECK(al_sem_give(&one) == AL_E_FULL, "a full semaphore of one");
    al_sem_take(&one);
    CHECK(al_sem_give(&one) == AL_OK && al_sem_give(&one) == AL_E_FULL,
            "a semaphore of one");
}

static void order(void)
{
    line_up("gacbefd");
    CHECK(al_sem_count(&sem) == 0 && sem.waiting == 7, "seven wait");
    CHECK(al_sem_try_take(&sem) == AL_E_EMPTY, "nothing for a try");
    for (unsigned i = 1; i <= 7; i++) {
        CHECK(al_sem_give(&sem) == AL_OK, "give %u to a waiter", i);
        al_sleep(1);
        CHECK(journal_length() == i, "give %u wakes one", i);
    }
    CHECK(journal_is("dbfaceg"), "the most urgent first: %s", journal());
    al_sem_give(&sem);
    al_sem_give(&sem);
    line_up("acg");
    CHECK(journal_is("ac") && sem.waiting == 1, "units that were there: %s",
            journal());
    al_sem_give(&sem);
    al_sem_give(&sem);
    al_sleep(1);
    CHECK(journal_is("acg") && al_sem_count(&sem) == 1, "one is left");
    al_sem_take(&sem);
}

static struct {
    volatile unsigned ok, full;
    volatile unsigned gives;
    volatile bool done;
} handler;

static void give_in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    for (unsigned i = 0; i < handler.gives; i++) {
        al_status status = al_irq_sem_give(&sem);

        handler.ok += status == AL_OK;
        handler.full += status == AL_E_FULL;
    }
    handler.done = true;
}

/* From a handler at once, or while this task holds the kernel lock. */
static void give_by_handler(unsigned gives, bool locked)
{
    handler.ok = 0;
    handler.full = 0;
    handler.gives = gives;
    handler.done = false;
    if (locked) {
        *(volatile uint32_t *)&al_core.locked = 1;
    }
    rig_arm(0, 50, give_in_handler);
    while (!handler.done) {
    }
    if (locked) {
        CHECK(al_core.inbox != NULL || sem.waiting == 0, "a post is left");
        *(volatile uint32_t *)&al_core.locked = 0;
        rig_pend_switch();
    }
}

static void from_handlers(bool locked)
{
    give_by_handler(7, locked);
    CHECK(handler.ok == 5 && handler.full == 2 && al_sem_count(&sem) == 5,
            "locked %d: a handler knows that it is full", locked);
    for (int i = 0; i < 5; i++) {
        al_sem_take(&sem);
    }
    journal_clear();
    for (const char *who = "acbefd"; *who != '\0'; who++) {
        al_sem_give(&go[*who - 'a']);
    }
    CHECK(sem.waiting == 6, "locked %d: six wait", locked);
    give_by_handler(4, locked);
    CHECK(journal_is("dbfa"), "locked %d: four woke at once: %s", locked,
            journal());
    give_by_handler(9, locked);
    CHECK(journal_is("dbface") && handler.ok == 7 && handler.full == 2,
            "locked %d: two woke, five stay: %s", locked, journal());
    for (int i = 0; i < 5; i++) {
        al_sem_take(&sem);
    }
    CHECK(al_sem_count(&sem) == 0 && sem.count == 0, "locked %d: none left",
            locked);
}

static void judge_main(void)
{
    const char *wrong;

    bounds();
    order();
    rig_start();
    from_handlers(false);
    from_handlers(true);
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
