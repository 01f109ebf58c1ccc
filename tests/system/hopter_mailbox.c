/* SPDX-License-Identifier: MIT */
/*
 * Claim: what Hopter's six tests of its mailboxes, which count notifications,
 * show (docs/hopter.md, 12 to 17) holds here of a semaphore.
 *   12 a task notifies every 250 ticks: who waits has each at its tick
 *   13 five notifications before five waits: none of them waits
 *   14 a handler notifies three times: each wakes who waits
 *   15 a wait of 1000 ticks that nobody notifies ends then, and says so
 *   16 one notification before a wait, one in the middle of the next: both are
 *      had, the second one at its tick
 *   17 after a timeout one's own notification is there for the next wait
 * Fails if: a notification is lost or counts twice, or a timeout takes one.
 * builds: gcc-O0 gcc-O2 clang-O2
 * sources: ../support/hands.c ../interleave/rig.c
 */
#include "../support/hands.h"

HAND(listener, 9);
HAND(notifier, 8);

static struct al_sem box = AL_SEM_INIT(0, 100);
static volatile unsigned received;
static volatile al_time received_at;

static al_status job_notify(struct hand *self)
{
    for (unsigned n = 0; n < 5; n++) {
        al_sleep(250);
        (void)al_sem_give(self->object);
    }
    return AL_OK;
}

static al_status job_listen(struct hand *self)
{
    for (unsigned n = 0; n < 5; n++) {
        al_sem_take(self->object);
        received++;
        received_at = al_now();
    }
    return AL_OK;
}

static void t12(void)
{
    al_time start = al_now();
    bool right = true;

    received = 0;
    CHECK(!hand_do(&listener_hand, job_listen, &box, 0) &&
                    !hand_do(&notifier_hand, job_notify, &box, 0),
            "12: the one waits, the other sleeps");
    for (unsigned n = 1; n <= 5; n++) {
        ticks(249);
        right = right && received == n - 1;
        ticks(1);
        right = right && received == n && received_at == start + 250 * n;
    }
    CHECK(right && listener_hand.done && notifier_hand.done,
            "12: five received, each at its tick");
}

static void t13(void)
{
    received = 0;
    for (unsigned n = 0; n < 5; n++) {
        (void)al_sem_give(&box);
    }
    CHECK(hand_do(&listener_hand, job_listen, &box, 0) && received == 5 &&
                    al_sem_count(&box) == 0,
            "13: five in advance, five waits that do not wait");
}

static void notify(void)
{
    (void)al_irq_sem_give(&box);
}

static void t14(bool locked)
{
    for (unsigned n = 0; n < 3; n++) {
        bool waited = !hand_do(&listener_hand, hand_take, &box, AL_FOREVER);

        in_handler(notify, locked);
        CHECK(waited && listener_hand.done && listener_hand.status == AL_OK,
                "14: waits, notified, received: %u, locked %d", n, locked);
    }
}

static void t15(void)
{
    bool waits = !hand_do(&listener_hand, hand_take, &box, al_in(1000));

    ticks(999);
    CHECK(waits && !listener_hand.done, "15: 999 ticks are not 1000");
    ticks(1);
    CHECK(listener_hand.done && listener_hand.status == AL_E_TIMEOUT,
            "15: 1000 are: a timeout");
}

static void t16(void)
{
    (void)al_sem_give(&box);
    CHECK(hand_do(&listener_hand, hand_take, &box, al_in(1000)) &&
                    listener_hand.status == AL_OK,
            "16: the one in advance is had at once");
    (void)hand_do(&listener_hand, hand_take, &box, al_in(1000));
    ticks(500);
    CHECK(!listener_hand.done, "16: nothing yet");
    (void)al_sem_give(&box);
    CHECK(listener_hand.done && listener_hand.status == AL_OK,
            "16: the one in the middle is had then");
    ticks(600);
    CHECK(al_sem_count(&box) == 0, "16: the deadline passes without effect");
}

static al_status job_timeout_and_self(struct hand *self)
{
    al_status first = al_sem_take_until(self->object, al_in(500));

    (void)al_sem_give(self->object);
    return first != AL_E_TIMEOUT ? AL_E_STATE
                                 : al_sem_take_until(self->object, AL_FOREVER);
}

static void t17(void)
{
    bool waits = !hand_do(&listener_hand, job_timeout_and_self, &box, 0);

    ticks(499);
    waits = waits && !listener_hand.done;
    ticks(1);
    CHECK(waits && listener_hand.done && listener_hand.status == AL_OK,
            "17: a timeout, then one's own notification");
    CHECK(al_sem_count(&box) == 0, "17: which counted once");
}

static void judge_main(void)
{
    rig_start();
    t12();
    t13();
    t14(false);
    t14(true);
    t15();
    t16();
    t17();
    CHECK(rig_check() == NULL, "kernel: %s", kernel());
    test_done();
}

AL_TASK(judge, judge_main, 2, 2048);
