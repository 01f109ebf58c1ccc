/* SPDX-License-Identifier: MIT */
/*
 * Claim: bits of an event set are consumed when a wait is satisfied, all that
 * it asked for at once, and by the most urgent waiter that they satisfy; from
 * tasks and from handlers of every level, whatever holds the kernel lock.
 *   1. set, read, clear, and waits that do not wait, bit 0 and bit 31 too:
 *      nothing is consumed by a wait that is not satisfied, or that keeps
 *   2. seven waiters of four priorities for one bit: each set wakes one, the
 *      right one; those that keep all wake, until one consumes
 *   3. waits for all: every order in which three bits come, bits of others in
 *      between; a less urgent waiter for one of them takes it first
 *   4. one set that satisfies several: each gets its bits, none twice
 *   5. the same sets from a handler: the lock free, taken by a task, with a
 *      lower handler interrupted, and in the switch exception
 *   6. destroy wakes all, and a set made anew in its place works
 * Fails if: bits of an unsatisfied wait are taken, a look ends at the first
 * waiter, or a handler that finds the lock taken does not post.
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/workers.c
 */
#include "../interleave/rig.h"
#include "../support/workers.h"

#include "journal.h"
#include "test.h"

static struct al_event event = AL_EVENT_INIT;
static struct al_event made;
static struct al_event none;

static void wait_job(struct worker *worker)
{
    worker->got = 0xdead;
    worker->status = al_event_wait(
            &event, worker->mask, worker->mode, worker->deadline, &worker->got);
}

static void begin(char letter, uint32_t mask, uint32_t mode)
{
    struct worker *worker = worker_of(letter);

    worker->mask = mask;
    worker->mode = mode;
    worker->deadline = AL_FOREVER;
    worker_begin(letter, wait_job);
}

static bool ended(char letter, al_status status, uint32_t got)
{
    const struct worker *worker = worker_of(letter);

    return !worker->busy && worker->status == status && worker->got == got;
}

static bool poll(uint32_t mask, uint32_t mode, uint32_t expected)
{
    uint32_t got = 0xdead;
    al_status status = al_event_wait(&event, mask, mode, AL_POLL, &got);

    return got == expected && status == (expected != 0 ? AL_OK : AL_E_TIMEOUT);
}

static void words(void)
{
    CHECK(al_event_get(&event) == 0, "nothing is set");
    CHECK(al_event_clear(&event, ~0u) == 0, "nothing to clear");
    al_event_set(&event, 0x80000001u);
    al_event_set(&event, 0);
    al_event_set(&event, 0x10);
    CHECK(al_event_get(&event) == 0x80000011u, "bits add up");
    CHECK(al_event_clear(&event, 0x31) == 0x80000011u &&
                    al_event_get(&event) == 0x80000000u,
            "clear tells what was");
    CHECK(poll(0x80000001u, AL_EVENT_ALL, 0) &&
                    al_event_get(&event) == 0x80000000u,
            "all, one is missing: nothing is consumed");
    CHECK(poll(0x7fffffffu, AL_EVENT_ANY, 0), "any, none is there");
    CHECK(poll(0x80000001u, AL_EVENT_ANY | AL_EVENT_KEEP, 0x80000000u) &&
                    al_event_get(&event) == 0x80000000u,
            "any, kept");
    al_event_set(&event, 7);
    CHECK(poll(0x80000001u, AL_EVENT_ALL | AL_EVENT_KEEP, 0x80000001u) &&
                    al_event_get(&event) == 0x80000007u,
            "all, kept");
    CHECK(poll(0x80000001u, AL_EVENT_ALL, 0x80000001u) &&
                    al_event_get(&event) == 6,
            "all, consumed");
    CHECK(poll(0xc, AL_EVENT_ANY, 4) && al_event_get(&event) == 2,
            "any, consumed: those that were there");
    CHECK(al_event_wait(&event, 2, AL_EVENT_ANY, AL_FOREVER, NULL) == AL_OK &&
                    al_event_get(&event) == 0,
            "a wait that is satisfied does not wait");
    al_event_set(&event, ~0u);
    CHECK(poll(~0u, AL_EVENT_ALL, ~0u) && al_event_get(&event) == 0, "all 32");
}

/* ---- who sets ---- */

static struct {
    uint32_t bits;
    volatile unsigned ok;
    volatile bool done;
    bool raw;
} handler;

static void set_in_handler(unsigned n, const struct rig_hit *hit)
{
    al_status status = handler.raw ? al_irq_raw_event_set(&event, handler.bits)
                                   : al_irq_event_set(&event, handler.bits);

    (void)n;
    (void)hit;
    handler.ok += status == AL_OK;
    handler.done = true;
}

static void set_in_higher(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rig_pend(2, set_in_handler);
    if (!handler.done) {
        handler.ok = 100; /* it did not nest */
    }
}

/* Sets from everywhere that a bit can come from. */
enum from {
    FROM_TASK,
    FROM_HANDLER,
    FROM_LOCKED,  /* a handler, while this task holds the lock */
    FROM_NESTED,  /* a handler that interrupts another one */
    FROM_BETWEEN, /* the same, and the lock is taken */
    FROMS
};

static const char *const from_names[FROMS] = {
        "task", "handler", "locked", "nested", "nested, locked"};
static enum from from;

static void set(uint32_t bits)
{
    bool locked = from == FROM_LOCKED || from == FROM_BETWEEN;
    uint32_t before = al_event_get(&event);

    if (from == FROM_TASK) {
        al_event_set(&event, bits);
        return;
    }
    handler.ok = 0;
    handler.done = false;
    handler.bits = bits;
    if (locked) {
        *(volatile uint32_t *)&al_core.locked = 1;
    }
    if (from == FROM_NESTED || from == FROM_BETWEEN) {
        rig_pend(0, set_in_higher);
    } else {
        rig_pend(0, set_in_handler);
    }
    if (locked) {
        if ((al_event_get(&event) & bits) != bits ||
                (before & ~al_event_get(&event)) != 0) {
            handler.ok = 100; /* to be seen at once */
        }
        *(volatile uint32_t *)&al_core.locked = 0;
        rig_pend_switch();
    }
    if (handler.ok != 1) {
        CHECK(false, "a handler's set: %u", handler.ok);
    }
}

/* ---- who wakes ---- */

static void one_by_one(void)
{
    const char *name = from_names[from];

    journal_clear();
    for (const char *who = "gacbefd"; *who != '\0'; who++) {
        begin(*who, 1u << 5, AL_EVENT_ANY);
        workers_give_way();
    }
    CHECK(workers_busy() == 7, "%s: seven wait", name);
    set(~(1u << 5));
    CHECK(workers_busy() == 7 && al_event_clear(&event, ~0u) == ~(1u << 5),
            "%s: other bits wake nobody", name);
    for (unsigned i = 1; i <= 7; i++) {
        set(1u << 5);
        workers_give_way();
        CHECK(workers_busy() == 7 - i && al_event_get(&event) == 0,
                "%s: set %u wakes one", name, i);
    }
    CHECK(journal_is("dbfaceg"), "%s: the most urgent first: %s", name,
            journal());
}

static void kept(void)
{
    const char *name = from_names[from];

    journal_clear();
    begin('a', 3, AL_EVENT_ALL | AL_EVENT_KEEP);
    begin('b', 1, AL_EVENT_ANY | AL_EVENT_KEEP);
    begin('c', 1, AL_EVENT_ANY);
    begin('d', 4, AL_EVENT_ANY | AL_EVENT_KEEP);
    begin('e', 2, AL_EVENT_ANY | AL_EVENT_KEEP);
    begin('f', 3, AL_EVENT_ANY | AL_EVENT_KEEP);
    set(3);
    CHECK(journal_is("bface") && al_event_get(&event) == 2,
            "%s: kept for the next, until consumed: %s", name, journal());
    CHECK(ended('a', AL_OK, 3) && ended('b', AL_OK, 1) &&
                    ended('c', AL_OK, 1) && ended('e', AL_OK, 2) &&
                    ended('f', AL_OK, 3),
            "%s: each is told its bits", name);
    set(4);
    CHECK(ended('d', AL_OK, 4) && al_event_clear(&event, ~0u) == 6,
            "%s: the last one, and all are still set", name);
}

static void all_orders(void)
{
    static const uint8_t orders[6][3] = {
            {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const char *name = from_names[from];
    unsigned right = 0;

    for (unsigned i = 0; i < 6; i++) {
        journal_clear();
        begin('a', 7, AL_EVENT_ALL);
        set(1u << orders[i][0]);
        right += workers_busy() == 1;
        set(1u << 30);
        set(1u << orders[i][1]);
        right += workers_busy() == 1 &&
                 al_event_get(&event) == (7u ^ 1u << orders[i][2] | 1u << 30);
        set(1u << orders[i][2]);
        right += ended('a', AL_OK, 7) &&
                 al_event_clear(&event, 1u << 30) == 1u << 30;
    }
    CHECK(right == 18, "%s: all of three, in any order: %u", name, right);
    begin('d', 6, AL_EVENT_ALL);
    begin('a', 2, AL_EVENT_ANY);
    set(2);
    CHECK(ended('a', AL_OK, 2) && workers_busy() == 1 &&
                    al_event_get(&event) == 0,
            "%s: a bit that does not satisfy goes to the next", name);
    set(4);
    CHECK(workers_busy() == 1 && al_event_get(&event) == 4,
            "%s: and is missing", name);
    begin('a', 2, AL_EVENT_ANY);
    set(2);
    CHECK(ended('d', AL_OK, 6) && workers_busy() == 1 &&
                    al_event_get(&event) == 0,
            "%s: until it comes again", name);
    set(2);
    CHECK(ended('a', AL_OK, 2), "%s: the next has the next", name);
}

static void several(void)
{
    const char *name = from_names[from];

    journal_clear();
    begin('a', 0x0f, AL_EVENT_ANY);
    begin('b', 0x11, AL_EVENT_ALL);
    begin('c', 0x06, AL_EVENT_ALL);
    begin('d', 0x80, AL_EVENT_ANY);
    begin('e', 0x0c, AL_EVENT_ANY);
    begin('f', 0x30, AL_EVENT_ANY);
    set(0x3f);
    /* b: 11; f: 20; a: 0e; nothing for c and e. */
    CHECK(journal_is("bfa") && al_event_get(&event) == 0,
            "%s: one set for several: %s", name, journal());
    CHECK(ended('b', AL_OK, 0x11) && ended('f', AL_OK, 0x20) &&
                    ended('a', AL_OK, 0x0e),
            "%s: no bit twice", name);
    set(0x86);
    CHECK(journal_is("bfadc") && ended('d', AL_OK, 0x80) &&
                    ended('c', AL_OK, 6),
            "%s: the rest: %s", name, journal());
    set(0x0c);
    CHECK(ended('e', AL_OK, 0x0c) && al_event_get(&event) == 0,
            "%s: none is left", name);
}

/* ---- the end ---- */

static void end(void)
{
    journal_clear();
    for (const char *who = "acbefd"; *who != '\0'; who++) {
        begin(*who, 8, AL_EVENT_ANY);
    }
    al_event_destroy(&event);
    CHECK(journal_is("dbface"), "destroy wakes all: %s", journal());
    CHECK(ended('a', AL_E_DESTROYED, 0) && ended('d', AL_E_DESTROYED, 0),
            "they are told");
    CHECK(al_irq_event_set(&event, 1) == AL_E_DESTROYED &&
                    al_irq_raw_event_set(&event, 1) == AL_E_DESTROYED &&
                    al_irq_event_set(&none, 1) == AL_E_DESTROYED &&
                    al_event_get(&event) == 0 && al_event_get(&none) == 0,
            "handlers are told");
    al_event_init(&event);
    begin('a', 8, AL_EVENT_ANY);
    al_event_set(&event, 8);
    CHECK(ended('a', AL_OK, 8), "made anew");
    al_event_init(&made);
    al_event_set(&made, 1);
    CHECK(al_event_wait(&made, 1, AL_EVENT_ALL, AL_POLL, NULL) == AL_OK,
            "made at run time");
    al_event_destroy(&made);
}

static void judge_main(void)
{
    const char *wrong;

    words();
    rig_start();
    for (unsigned i = 0; i < 2 * FROMS; i++) {
        from = (enum from)(i % FROMS);
        handler.raw = i >= FROMS;
        if (from == FROM_TASK && handler.raw) {
            continue;
        }
        one_by_one();
        kept();
        all_orders();
        several();
    }
    end();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, WORKERS_JUDGE_PRIO, 2560);
