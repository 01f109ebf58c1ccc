/* SPDX-License-Identifier: MIT */
/*
 * Claim: what Hopter's eight tests of channels show (docs/hopter.md, 4 to 11)
 * holds here.
 *   4 one task: items come out in the order in which they went in
 *   5 two tasks send two items each, a third one has them in that order
 *   6 two tasks receive two items each of four, and nothing is left
 *   7 four tasks of three priorities send three items each, and give way after
 *     each: those of one come in order, equals in turns
 *   8 a full channel refuses four more, and has what it had
 *   9 an empty one has nothing for a try, before and after four items
 *  10 a handler sends: three items go to a task, two fill it up, the sixth is
 *     refused
 *  11 a handler receives: two items that were there, three of a task that waits
 *     for room; the sixth is not there
 * Fails if: an item is lost, comes twice or out of order, or who waits is not
 * woken by a handler.
 * builds: gcc-O0 gcc-O2 clang-O2
 * sources: ../support/hands.c ../interleave/rig.c
 */
#include <alula/chan.h>

#include "../support/hands.h"

HAND(a, 12);
HAND(b, 11);
HAND(c, 10);
HAND(d, 10);

#define JUDGE_PRIO 2

static AL_CHAN(two, uint32_t, 2);
static AL_CHAN(four, uint32_t, 4);
static AL_CHAN(sixteen, uint32_t, 16);

static volatile uint32_t got[16];
static volatile uint32_t got_count;

static void keep(uint32_t item)
{
    got[got_count & 15] = item;
    got_count++;
}

/* `count` items were received, from `first` on, without a gap. */
static bool got_from(uint32_t first, uint32_t count)
{
    bool right = got_count == count;

    for (uint32_t n = 0; n < count; n++) {
        right = right && got[n] == first + n;
    }
    got_count = 0;
    return right;
}

static void receive_four(uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        uint32_t item = 0;

        if (al_chan_try_recv(&four, &item) == AL_OK) {
            keep(item);
        }
    }
}

static void t4(void)
{
    bool sent = true;

    for (uint32_t n = 23; n <= 26; n++) {
        sent = sent && al_chan_send(&four, n) == AL_OK;
    }
    receive_four(4);
    CHECK(sent && got_from(23, 4), "4: in the order in which they went in");
}

/* Two items, from self->deadline on. */
static al_status job_send_2(struct hand *self)
{
    al_status status = al_chan_send(&four, (uint32_t)self->deadline);

    return status != AL_OK ? status
                           : al_chan_send(&four, (uint32_t)self->deadline + 1);
}

static void t5(void)
{
    CHECK(hand_do(&a_hand, job_send_2, NULL, 1) &&
                    hand_do(&b_hand, job_send_2, NULL, 3),
            "5: both have sent");
    receive_four(5);
    CHECK(got_from(1, 4), "5: all four in order, no fifth");
}

static al_status job_recv_2(struct hand *self)
{
    for (unsigned n = 0; n < 2; n++) {
        uint32_t item = 0;
        al_status status = al_chan_recv(&four, &item);

        if (status != AL_OK) {
            return status;
        }
        journal_note(self->letter);
        keep(item);
    }
    return AL_OK;
}

static void t6(void)
{
    uint32_t item = 0;
    bool waited = !hand_do(&b_hand, job_recv_2, NULL, 0);
    bool sent = true;

    waited = !hand_do(&a_hand, job_recv_2, NULL, 0) && waited;
    journal_clear();
    for (uint32_t n = 1; n <= 4; n++) {
        sent = sent && al_chan_send(&four, n) == AL_OK;
    }
    CHECK(waited && sent && a_hand.done && b_hand.done && journal_is("aaabbb"),
            "6: two each, then each is done: %s", journal());
    CHECK(got_from(1, 4) && al_chan_try_recv(&four, &item) == AL_E_EMPTY,
            "6: in order, and nothing is left");
}

/* Three items, `object` apart. */
static al_status job_send_3(struct hand *self)
{
    uint32_t step = (uint32_t)(uintptr_t)self->object;

    for (uint32_t n = 0; n < 3; n++) {
        al_status status =
                al_chan_send(&sixteen, (uint32_t)self->deadline + n * step);

        if (status != AL_OK) {
            return status;
        }
        al_yield();
    }
    return AL_OK;
}

static void t7(void)
{
    (void)al_task_set_prio(al_task_id_self(), 20);
    (void)hand_do(&c_hand, job_send_3, (void *)(uintptr_t)2, 12);
    (void)hand_do(&d_hand, job_send_3, (void *)(uintptr_t)2, 13);
    (void)hand_do(&b_hand, job_send_3, (void *)(uintptr_t)1, 9);
    (void)hand_do(&a_hand, job_send_3, (void *)(uintptr_t)1, 6);
    (void)al_task_set_prio(al_task_id_self(), JUDGE_PRIO);
    CHECK(a_hand.done && b_hand.done && c_hand.done && d_hand.done,
            "7: all have sent");
    for (uint32_t n = 0; n < 13; n++) {
        uint32_t item = 0;

        if (al_chan_try_recv(&sixteen, &item) == AL_OK) {
            keep(item);
        }
    }
    CHECK(got_from(6, 12), "7: twelve, by priority, equals in turns");
}

static void t8(void)
{
    bool refused = true;

    for (uint32_t n = 0; n < 4; n++) {
        refused = refused && al_chan_try_send(&four, n) == AL_OK;
    }
    for (uint32_t n = 10; n < 14; n++) {
        refused = refused && al_chan_try_send(&four, n) == AL_E_FULL;
    }
    receive_four(5);
    CHECK(refused && got_from(0, 4), "8: full refuses, and has what it had");
}

static void t9(void)
{
    uint32_t item = 77;
    bool right = al_chan_try_recv(&four, &item) == AL_E_EMPTY && item == 77;

    for (uint32_t n = 5; n < 9; n++) {
        right = right && al_chan_try_send(&four, n) == AL_OK;
    }
    receive_four(4);
    CHECK(right && got_from(5, 4) &&
                    al_chan_try_recv(&four, &item) == AL_E_EMPTY,
            "9: empty has nothing for a try");
}

static volatile uint32_t handler_item;
static volatile al_status handler_status;

static void handler_send(void)
{
    uint32_t item = handler_item;

    handler_status = al_irq_chan_send(&two, item);
    handler_item = item + 1;
}

static void handler_recv(void)
{
    uint32_t item = 0;

    handler_status = al_irq_chan_recv(&two, &item);
    if (handler_status == AL_OK) {
        keep(item);
    }
}

static al_status job_recv_3(struct hand *self)
{
    (void)self;
    for (unsigned n = 0; n < 3; n++) {
        uint32_t item = 0;
        al_status status = al_chan_recv(&two, &item);

        if (status != AL_OK) {
            return status;
        }
        keep(item);
    }
    return AL_OK;
}

static void t10(bool locked)
{
    uint32_t item = 0;
    bool taken = true;

    CHECK(!hand_do(&a_hand, job_recv_3, NULL, 0), "10: a task waits, %d",
            locked);
    handler_item = 0;
    for (unsigned n = 0; n < 5; n++) {
        in_handler(handler_send, locked);
        taken = taken && handler_status == AL_OK && a_hand.done == (n >= 2);
    }
    in_handler(handler_send, locked);
    CHECK(taken && handler_status == AL_E_FULL, "10: the sixth is refused, %d",
            locked);
    CHECK(got_from(0, 3), "10: three were for the task, %d", locked);
    CHECK(al_chan_try_recv(&two, &item) == AL_OK && item == 3 &&
                    al_chan_try_recv(&two, &item) == AL_OK && item == 4 &&
                    al_chan_try_recv(&two, &item) == AL_E_EMPTY,
            "10: two are in it, %d", locked);
}

static al_status job_send_3_more(struct hand *self)
{
    (void)self;
    for (uint32_t n = 2; n < 5; n++) {
        al_status status = al_chan_send(&two, n);

        if (status != AL_OK) {
            return status;
        }
    }
    return AL_OK;
}

static void t11(bool locked)
{
    bool there =
            al_chan_send(&two, 0u) == AL_OK && al_chan_send(&two, 1u) == AL_OK;

    CHECK(there && !hand_do(&a_hand, job_send_3_more, NULL, 0),
            "11: a task waits for room, %d", locked);
    for (unsigned n = 0; n < 5; n++) {
        in_handler(handler_recv, locked);
        there = there && handler_status == AL_OK && a_hand.done == (n >= 2);
    }
    in_handler(handler_recv, locked);
    CHECK(there && handler_status == AL_E_EMPTY,
            "11: five were there, the sixth is not, %d", locked);
    CHECK(got_from(0, 5), "11: all five in order, %d", locked);
}

static void judge_main(void)
{
    rig_start();
    t4();
    t5();
    t6();
    t7();
    t8();
    t9();
    t10(false);
    t10(true);
    t11(false);
    t11(true);
    CHECK(rig_check() == NULL, "kernel: %s", kernel());
    test_done();
}

AL_TASK(judge, judge_main, JUDGE_PRIO, 2048);
