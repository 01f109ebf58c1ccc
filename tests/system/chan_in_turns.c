/* SPDX-License-Identifier: MIT */
/*
 * Claim: tasks that send to one channel in turns, and receive from it, each
 * preempted in the middle of it by the other at any instruction, lose nothing
 * and send nothing twice; and neither is held up by the other.
 *   1. two tasks of one priority, with a time slice of a tick, send an item
 *      each; a tick at each instruction of the first lets the second run, a tick
 *      at each instruction of that lets the first go on
 *   2. afterwards both items are there, once; the same with equal items
 *   3. the second gets through in one go when there is no second tick
 *   4. the same for receiving, with two items, and for items of three words
 * Fails if: the slot is not looked at again before it is published.
 * builds: gcc-O2 gcc-O0 clang-O2 clang-Os
 * options: AL_CFG_TIME_SLICE=1
 * sources: ../interleave/rig.c
 * timeout: 240
 */
#include "../interleave/rig.h"

#include "test.h"

struct wide {
    uint32_t a, b, c;
};

AL_CHAN(word_chan, uint32_t, 2);
AL_CHAN(wide_chan, struct wide, 2);

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem done = AL_SEM_INIT(0, 2);
static void (*volatile job)(unsigned who);
static volatile uint32_t first_delay, second_delay;
static volatile bool ran[2];
static volatile bool finished;     /* the other one */
static volatile uint32_t items[2]; /* to send, or received */
static const char *volatile wrong;

static struct wide widen(uint32_t item)
{
    struct wide wide = {item, ~item, item * 5};

    return wide;
}

static void send_word(unsigned who)
{
    if (al_chan_send(&word_chan, items[who]) != AL_OK) {
        wrong = "not sent";
    }
}

static void send_wide(unsigned who)
{
    if (al_chan_send(&wide_chan, widen(items[who])) != AL_OK) {
        wrong = "not sent";
    }
}

static void recv_word(unsigned who)
{
    uint32_t item = 0;

    if (al_chan_recv(&word_chan, &item) != AL_OK) {
        wrong = "not received";
    }
    items[who] = item;
}

static uint32_t narrow(struct wide wide)
{
    if (wide.b != ~wide.a || wide.c != wide.a * 5) {
        wrong = "a torn item";
    }
    return wide.a;
}

static void recv_wide(unsigned who)
{
    struct wide item = {0, 0, 0};

    if (al_chan_recv(&wide_chan, &item) != AL_OK) {
        wrong = "not received";
    }
    items[who] = narrow(item);
}

static void act_back(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    ran[1] = true;
    rig_pend_tick();
}

/* The other one runs from here on; some way from here, this one again. */
static void act_turn(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    ran[0] = true;
    if (second_delay != UINT32_MAX) {
        rig_arm(1, second_delay, act_back);
    }
    rig_pend_tick();
}

static void other_main(void)
{
    for (;;) {
        al_sem_take(&go);
        job(1);
        finished = true;
        al_sem_give(&done);
    }
}

AL_TASK(other, other_main, 10, 2048);

/* Who else runs when both are done: the turns end in the op's task. */
static void one(void)
{
    ran[0] = false;
    ran[1] = false;
    finished = false;
    al_sem_give(&go); /* an equal: it is ready, and runs at the tick */
    rig_arm(0, first_delay, act_turn);
    job(0);
    rig_disarm(0);
    rig_disarm(1);
    if (ran[0] && second_delay == UINT32_MAX && !finished) {
        wrong = "the other one was held up";
    }
    al_sem_take(&done);
}

static void sent(uint32_t a, uint32_t b, bool is_wide)
{
    uint32_t got[3] = {0};
    unsigned n = 0;
    struct wide wide;

    if (is_wide) {
        while (n < 3 && al_chan_try_recv(&wide_chan, &wide) == AL_OK) {
            got[n] = narrow(wide);
            n++;
        }
    } else {
        while (n < 3 && al_chan_try_recv(&word_chan, &got[n]) == AL_OK) {
            n++;
        }
    }
    if (n != 2 ||
            !((got[0] == a && got[1] == b) || (got[0] == b && got[1] == a))) {
        wrong = "not the items that were sent";
    }
}

static void send_round(bool is_wide, uint32_t number, bool equal)
{
    uint32_t a = 1000 + number;
    uint32_t b = equal ? a : 2000 + number;

    items[0] = a;
    items[1] = b;
    job = is_wide ? send_wide : send_word;
    one();
    sent(a, b, is_wide);
}

static void recv_round(bool is_wide, uint32_t number)
{
    for (uint32_t i = 0; i < 2; i++) {
        items[i] = number * 2 + i;
        if (is_wide) {
            send_wide(i);
        } else {
            send_word(i);
        }
    }
    job = is_wide ? recv_wide : recv_word;
    one();
    if (items[0] + items[1] != number * 4 + 1 || items[0] == items[1]) {
        wrong = "not the items that were there";
    }
}

/* All turns: until the first comes too late, and for each until the second
 * does. */
static void turns(const char *name, bool is_wide, unsigned kind,
        uint32_t first_step, uint32_t second_step)
{
    uint32_t rounds = 0;
    uint32_t both = 0;
    const char *kernel;

    for (first_delay = 0;; first_delay += first_step) {
        second_delay = 0;
        do {
            rounds++;
            if (kind == 2) {
                recv_round(is_wide, rounds);
            } else {
                send_round(is_wide, rounds, kind == 1);
            }
            both += ran[1];
            second_delay += second_step;
        } while (ran[1] && wrong == NULL);
        second_delay = UINT32_MAX;
        send_round(is_wide, rounds, false);
        if (!ran[0] || wrong != NULL) {
            break;
        }
    }
    kernel = rig_check();
    if (kernel != NULL && wrong == NULL) {
        wrong = kernel;
    }
    CHECK(wrong == NULL && both > 100, "%s: %u rounds, %u of two turns: %s",
            name, (unsigned)rounds, (unsigned)both,
            wrong == NULL ? "right" : wrong);
}

static void judge_main(void)
{
    rig_start();
    turns("send a word", false, 0, 1, 1);
    turns("send equal words", false, 1, 1, 7);
    turns("receive a word", false, 2, 1, 3);
    turns("send three words", true, 0, 2, 11);
    turns("receive three words", true, 2, 2, 11);
    test_done();
}

AL_TASK(judge, judge_main, 10, 3072);

RIG_WATCH();
