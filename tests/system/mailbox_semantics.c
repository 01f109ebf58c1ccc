/* SPDX-License-Identifier: MIT */
/*
 * Claim: a mailbox hands over each item once, to the most urgent receiver and
 * from the most urgent sender, and says exactly when it is full; from tasks and
 * from handlers, whatever holds the kernel lock.
 *   1. full and empty: send, peek, overwrite and receive without a wait, the
 *      words 1 and 2^32-1
 *   2. seven receivers of four priorities: each item wakes one, the right one;
 *      sent, overwritten, posted and overwritten by handlers of every kind
 *   3. seven senders: each receive lets one in, the right one, and what is
 *      overwritten in between is told
 *   4. a handler's second post is told that it is full, whether somebody waits
 *      or not, until the lock is let go of; an overwrite replaces it
 *   5. deadlines: a post and the tick in one lock hold, both orders; a sender
 *      that is late takes its item back
 *   6. destroy wakes receivers, and senders; it works when made anew
 * Fails if: a handler's item is not handed over before a late receiver gives
 * up, a sender is let in twice, or a full slot is taken for an empty one.
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/workers.c
 */
#include "../interleave/rig.h"
#include "../support/workers.h"

#include "journal.h"
#include "test.h"

static struct al_mailbox box = AL_MAILBOX_INIT;
static struct al_mailbox made;
static struct al_mailbox none;

#define ITEM(n) ((void *)(uintptr_t)(n))

static void receive_job(struct worker *worker)
{
    worker->item = ITEM(0xdead);
    worker->status =
            al_mailbox_receive_until(&box, &worker->item, worker->deadline);
}

static void send_job(struct worker *worker)
{
    worker->status =
            al_mailbox_send_until(&box, worker->item, worker->deadline);
}

static void begin_receive(char letter, al_time deadline)
{
    worker_of(letter)->deadline = deadline;
    worker_begin(letter, receive_job);
    workers_give_way();
}

static void begin_send(char letter, uintptr_t item, al_time deadline)
{
    worker_of(letter)->deadline = deadline;
    worker_of(letter)->item = ITEM(item);
    worker_begin(letter, send_job);
    workers_give_way();
}

static bool ended(char letter, al_status status, uintptr_t item)
{
    const struct worker *worker = worker_of(letter);

    return !worker->busy && worker->status == status &&
           worker->item == ITEM(item);
}

static bool received(al_status status, uintptr_t expected)
{
    void *item = ITEM(0xdead);

    return al_mailbox_receive_until(&box, &item, AL_POLL) == status &&
           item == ITEM(expected);
}

static bool sent(al_status status, uintptr_t item)
{
    return al_mailbox_send_until(&box, ITEM(item), AL_POLL) == status;
}

static void words(void)
{
    CHECK(al_mailbox_peek(&box) == NULL && received(AL_E_TIMEOUT, 0), "empty");
    CHECK(sent(AL_OK, 1) && al_mailbox_peek(&box) == ITEM(1), "one is in");
    CHECK(sent(AL_E_TIMEOUT, 2) && al_mailbox_peek(&box) == ITEM(1),
            "full: nothing changes");
    CHECK(al_mailbox_overwrite(&box, ITEM(UINT32_MAX)) == ITEM(1) &&
                    al_mailbox_peek(&box) == ITEM(UINT32_MAX),
            "overwritten, and told what was there");
    CHECK(received(AL_OK, UINT32_MAX) && received(AL_E_TIMEOUT, 0),
            "received, and empty");
    CHECK(al_mailbox_overwrite(&box, ITEM(3)) == NULL && received(AL_OK, 3) &&
                    al_mailbox_peek(&box) == NULL,
            "overwritten, empty");
}

/* ---- who sends ---- */

enum from {
    SEND,
    OVERWRITE,
    POST,
    POST_RAW,
    POST_OVER,
    POST_LOCKED, /* while this task holds the lock */
    POST_RAW_LOCKED,
    POST_OVER_LOCKED,
    POST_NESTED, /* in a handler that interrupts another one */
    FROMS
};

static const char *const from_names[FROMS] = {"send", "overwrite", "post",
        "raw post", "handler's overwrite", "post, locked", "raw post, locked",
        "handler's overwrite, locked", "post, nested"};

static struct {
    void *item;
    void *displaced;
    enum from from;
    unsigned posts; /* of one handler: all but the first are refused */
    volatile unsigned ok, full;
} handler;

static al_status post_once(void)
{
    switch (handler.from) {
    case POST_RAW:
    case POST_RAW_LOCKED:
        return al_irq_raw_mailbox_post(&box, handler.item);
    case POST_OVER:
    case POST_OVER_LOCKED:
        return al_irq_mailbox_overwrite(&box, handler.item, &handler.displaced);
    case SEND:
    case OVERWRITE:
    case POST:
    case POST_LOCKED:
    case POST_NESTED:
    case FROMS:
        break;
    }
    return al_irq_mailbox_post(&box, handler.item);
}

static void post(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    for (unsigned i = 0; i < handler.posts; i++) {
        al_status status = post_once();

        handler.ok += status == AL_OK;
        handler.full += status == AL_E_FULL;
    }
}

static void post_in_higher(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rig_pend(2, post);
}

static void lock_kernel(void)
{
    *(volatile uint32_t *)&al_core.locked = 1;
}

static void unlock_kernel(void)
{
    *(volatile uint32_t *)&al_core.locked = 0;
    rig_pend_switch();
}

static void put(enum from from, uintptr_t item, unsigned posts)
{
    bool locked = from >= POST_LOCKED && from <= POST_OVER_LOCKED;

    if (from == SEND) {
        handler.ok = al_mailbox_send_until(&box, ITEM(item), AL_POLL) == AL_OK;
        return;
    }
    if (from == OVERWRITE) {
        handler.ok = al_mailbox_overwrite(&box, ITEM(item)) == NULL;
        return;
    }
    handler.item = ITEM(item);
    handler.displaced = ITEM(0xdead);
    handler.from = from;
    handler.posts = posts;
    handler.ok = 0;
    handler.full = 0;
    if (locked) {
        lock_kernel();
    }
    rig_pend(0, from == POST_NESTED ? post_in_higher : post);
    if (locked) {
        if (al_mailbox_peek(&box) != ITEM(item)) {
            CHECK(false, "a locked post is seen at once");
        }
        unlock_kernel();
    }
}

static void to_receivers(enum from from)
{
    static const char order[] = "dbfaceg";
    const char *name = from_names[from];
    unsigned right = 0;

    journal_clear();
    for (const char *who = "gacbefd"; *who != '\0'; who++) {
        begin_receive(*who, AL_FOREVER);
    }
    CHECK(workers_busy() == 7, "%s: seven wait", name);
    for (unsigned i = 0; i < 7; i++) {
        put(from, 100 + i, 1);
        workers_give_way();
        right += handler.ok == 1 && workers_busy() == 6 - i &&
                 ended(order[i], AL_OK, 100 + i) &&
                 al_mailbox_peek(&box) == NULL;
    }
    CHECK(right == 7 && journal_is(order), "%s: each item to the next: %u, %s",
            name, right, journal());
    put(from, 7, 1);
    CHECK(received(AL_OK, 7) && handler.ok == 1, "%s: nobody waits", name);
}

static void several_posts(bool waited)
{
    for (enum from from = POST; from < FROMS; from++) {
        const char *name = from_names[from];
        bool over = from == POST_OVER || from == POST_OVER_LOCKED;
        /* The lock is free: a waiter is served by the first post itself,
         * unless that is raw. */
        bool at_once = waited && (from == POST || from == POST_NESTED);

        if (waited) {
            begin_receive('a', AL_FOREVER);
        }
        put(from, 9, 3);
        if (over) {
            CHECK(handler.ok == 3 && handler.displaced == ITEM(9),
                    "%s, waited for %d: each is in", name, waited);
        } else {
            CHECK(handler.ok == 1u + at_once && handler.full == 2u - at_once,
                    "%s, waited for %d: the rest is told: %u", name, waited,
                    handler.full);
        }
        if (waited) {
            CHECK(ended('a', AL_OK, 9), "%s: the waiter has it", name);
        }
        if (!waited || at_once || from == POST_OVER) {
            CHECK(received(AL_OK, 9), "%s, waited for %d: one is left", name,
                    waited);
        }
        CHECK(al_mailbox_peek(&box) == NULL, "%s, waited for %d: none is left",
                name, waited);
    }
}

static void senders(void)
{
    static const char order[] = "dbfaceg";
    unsigned right = 0;

    journal_clear();
    CHECK(sent(AL_OK, 50), "the first is in");
    for (const char *who = "gacbefd"; *who != '\0'; who++) {
        begin_send(*who, (uintptr_t)*who, AL_FOREVER);
    }
    CHECK(workers_busy() == 7 && sent(AL_E_TIMEOUT, 51), "seven wait");
    CHECK(al_mailbox_overwrite(&box, ITEM(52)) == ITEM(50) &&
                    workers_busy() == 7,
            "what is in is replaced, they go on waiting");
    put(POST_OVER, 53, 1);
    CHECK(handler.displaced == ITEM(52) && workers_busy() == 7,
            "by a handler, too");
    put(POST, 54, 1);
    CHECK(handler.full == 1, "a post finds it full");
    for (unsigned i = 0; i < 7; i++) {
        right += received(AL_OK, i == 0 ? 53 : (uintptr_t)order[i - 1]);
        workers_give_way();
        right += workers_busy() == 6 - i &&
                 ended(order[i], AL_OK, (uintptr_t)order[i]);
    }
    CHECK(right == 14 && journal_is(order),
            "each receive lets the next in: %u, %s", right, journal());
    CHECK(received(AL_OK, 'g') && received(AL_E_TIMEOUT, 0), "and the last");
    /* A receiver that waits, then senders. */
    journal_clear();
    begin_receive('d', AL_FOREVER);
    begin_send('a', 1, AL_FOREVER);
    begin_send('c', 2, AL_FOREVER);
    begin_send('e', 3, AL_FOREVER);
    CHECK(journal_is("dac") && ended('d', AL_OK, 1) && workers_busy() == 1,
            "one is received, one is in, one waits: %s", journal());
    CHECK(received(AL_OK, 2) && received(AL_OK, 3) && workers_busy() == 0,
            "all come, in their order");
}

/* ---- time ---- */

static void deadlines(void)
{
    begin_receive('a', al_in(2));
    rig_pend_tick();
    CHECK(worker_of('a')->busy, "one tick before");
    rig_pend_tick();
    CHECK(ended('a', AL_E_TIMEOUT, 0), "the tick");
    for (int i = 0; i < 2; i++) {
        begin_receive('a', al_in(1));
        handler.from = POST;
        handler.item = ITEM(5);
        handler.posts = 1;
        lock_kernel();
        if (i == 0) {
            rig_pend(0, post);
            rig_pend_tick();
        } else {
            rig_pend_tick();
            rig_pend(0, post);
        }
        unlock_kernel();
        CHECK(ended('a', AL_OK, 5) && al_mailbox_peek(&box) == NULL,
                "a post and the tick, order %d: received", i);
    }
    begin_receive('a', al_in(1));
    begin_receive('d', AL_FOREVER);
    lock_kernel();
    rig_pend_tick();
    rig_pend(0, post);
    unlock_kernel();
    CHECK(ended('d', AL_OK, 5) && ended('a', AL_E_TIMEOUT, 0),
            "for the more urgent one, and the late one goes");
    CHECK(sent(AL_OK, 1), "full");
    begin_send('a', 2, al_in(1));
    rig_pend_tick();
    CHECK(ended('a', AL_E_TIMEOUT, 2) && received(AL_OK, 1) &&
                    received(AL_E_TIMEOUT, 0),
            "a late sender's item is not in");
    CHECK(sent(AL_OK, 1), "full again");
    begin_send('a', 2, al_in(1));
    CHECK(received(AL_OK, 1), "it is let in");
    rig_pend_tick();
    CHECK(ended('a', AL_OK, 2) && received(AL_OK, 2), "before its deadline");
}

/* ---- the end ---- */

static void end(void)
{
    void *item = NULL;

    journal_clear();
    for (const char *who = "acbd"; *who != '\0'; who++) {
        begin_receive(*who, AL_FOREVER);
    }
    al_mailbox_destroy(&box);
    CHECK(journal_is("dbac") && ended('a', AL_E_DESTROYED, 0) &&
                    ended('d', AL_E_DESTROYED, 0),
            "destroy wakes receivers: %s", journal());
    CHECK(al_irq_mailbox_post(&box, ITEM(1)) == AL_E_DESTROYED &&
                    al_irq_mailbox_overwrite(&box, ITEM(1), &item) ==
                            AL_E_DESTROYED &&
                    al_irq_raw_mailbox_post(&box, ITEM(1)) == AL_E_DESTROYED &&
                    al_irq_mailbox_post(&none, ITEM(1)) == AL_E_DESTROYED &&
                    al_mailbox_peek(&none) == NULL,
            "handlers are told");
    al_mailbox_init(&box);
    CHECK(al_irq_mailbox_post(&box, NULL) == AL_E_STATE &&
                    al_irq_mailbox_overwrite(&box, NULL, NULL) == AL_E_STATE &&
                    al_irq_raw_mailbox_post(&box, NULL) == AL_E_STATE &&
                    al_mailbox_peek(&box) == NULL,
            "NULL is no message");
    CHECK(sent(AL_OK, 1), "made anew");
    journal_clear();
    for (const char *who = "acbd"; *who != '\0'; who++) {
        begin_send(*who, 2, AL_FOREVER);
    }
    al_mailbox_destroy(&box);
    CHECK(journal_is("dbac") && ended('a', AL_E_DESTROYED, 2) &&
                    al_mailbox_peek(&box) == NULL,
            "destroy wakes senders: %s", journal());
    al_mailbox_init(&made);
    CHECK(al_mailbox_overwrite(&made, ITEM(1)) == NULL &&
                    al_mailbox_peek(&made) == ITEM(1),
            "made at run time");
    al_mailbox_destroy(&made);
}

static void judge_main(void)
{
    const char *wrong;

    words();
    rig_start();
    for (enum from from = SEND; from < FROMS; from++) {
        to_receivers(from);
    }
    several_posts(false);
    several_posts(true);
    senders();
    deadlines();
    end();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, WORKERS_JUDGE_PRIO, 2560);
