/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wait with a deadline ends with what it waited for, or with
 * AL_E_TIMEOUT at the deadline's tick and having taken nothing; a unit given at
 * that moment is delivered or stays, never both and never neither.
 *   1. semaphore and mutex: poll, past, ahead, for ever, free and not
 *   2. counts and queues right after a time-out of the first, a middle and the
 *      last waiter; several in one tick
 *   3. a handler gives before and after the tick of the deadline, with the lock
 *      free and taken
 *   4. a give at every instruction around that tick, from one handler and from
 *      two, and the tick at every instruction of a give; units are counted
 *   5. a mutex let go of at every instruction around its waiter's deadline
 *   6. a time-out lowers the holder, along a chain of three mutexes and five
 *      tasks
 * Fails if: a time-out leaves the unit that it asked for on the books, or does
 * not look for what was given before it, or leaves a holder raised.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../support/hands.c
 * timeout: 120
 */
#include "../support/hands.h"

HAND(a, 6);
HAND(b, 7);
HAND(c, 8);
HAND(d, 9);
HAND(e, 10);

/* Instructions, with the rig's steps in them, from the last look for units to
 * the removal from the queue. */
#define AFTER_LOOK 30u

static struct al_sem sem = AL_SEM_INIT(0, 10);
static struct al_mutex mutex[3] = {AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};

static bool take(struct hand *hand, al_time deadline)
{
    return hand_do(hand, hand_take, &sem, deadline);
}

static bool lock(struct hand *hand, unsigned m, al_time deadline)
{
    return hand_do(hand, hand_lock, &mutex[m], deadline);
}

static bool unlock(struct hand *hand, unsigned m)
{
    return hand_do(hand, hand_unlock, &mutex[m], 0);
}

static bool says(struct hand *hand, al_status status)
{
    return hand->done && hand->status == status;
}

/* The semaphore's books: `units` free to take, or minus the tasks that wait. */
static bool books(int32_t units)
{
    return sem.count == units && sem.waiting == (units < 0 ? -units : 0) &&
           al_sem_count(&sem) == (units < 0 ? 0 : units);
}

/* ---- 1 ---- */

static void semaphore(void)
{
    al_time now = al_now();

    CHECK(take(&a_hand, AL_POLL) && says(&a_hand, AL_E_TIMEOUT) && books(0),
            "poll: none");
    CHECK(take(&a_hand, now) && says(&a_hand, AL_E_TIMEOUT) && books(0),
            "now: none");
    CHECK(take(&a_hand, now - 1) && says(&a_hand, AL_E_TIMEOUT) && books(0),
            "past: none");
    (void)al_sem_give(&sem);
    CHECK(take(&a_hand, AL_POLL) && says(&a_hand, AL_OK) && books(0),
            "poll: there");
    (void)al_sem_give(&sem);
    CHECK(take(&a_hand, now - 1) && says(&a_hand, AL_OK) && books(0),
            "past: there");
    for (unsigned n = 1; n < 4; n++) {
        CHECK(!take(&a_hand, al_in(n)) && books(-1) &&
                        (ticks(n - 1), !a_hand.done) && (ticks(1), true) &&
                        says(&a_hand, AL_E_TIMEOUT) && books(0),
                "in %u: at that tick: %s", n, kernel());
    }
    CHECK(!take(&a_hand, al_in(3)) && (ticks(2), al_sem_give(&sem) == AL_OK) &&
                    says(&a_hand, AL_OK) && books(0),
            "given in time");
    ticks(3);
    CHECK(books(0), "and no deadline is left: %s", kernel());
    CHECK(!take(&a_hand, AL_FOREVER) && (ticks(20), !a_hand.done) &&
                    al_sem_give(&sem) == AL_OK && says(&a_hand, AL_OK),
            "for ever");
    CHECK(!take(&a_hand, AL_FOREVER - 1) && (ticks(5), !a_hand.done) &&
                    al_sem_give(&sem) == AL_OK && says(&a_hand, AL_OK),
            "nearly for ever: %s", kernel());
}

static void a_mutex(void)
{
    CHECK(lock(&a_hand, 0, AL_POLL) && says(&a_hand, AL_OK), "poll: free");
    CHECK(lock(&c_hand, 0, AL_POLL) && says(&c_hand, AL_E_TIMEOUT) &&
                    lock(&c_hand, 0, al_now()) && says(&c_hand, AL_E_TIMEOUT) &&
                    lock(&c_hand, 0, 1) && says(&c_hand, AL_E_TIMEOUT) &&
                    a.prio == 6,
            "held: poll, now, past: %s", kernel());
    CHECK(!lock(&c_hand, 0, al_in(2)) && a.prio == 8 &&
                    (ticks(1), !c_hand.done) && (ticks(1), true) &&
                    says(&c_hand, AL_E_TIMEOUT) && a.prio == 6 &&
                    mutex[0].owner == (uintptr_t)&a,
            "in 2: at that tick: %s", kernel());
    CHECK(!lock(&c_hand, 0, al_in(2)) && (ticks(1), unlock(&a_hand, 0)) &&
                    says(&c_hand, AL_OK),
            "let go of in time");
    ticks(3);
    CHECK(unlock(&c_hand, 0) && !al_mutex_is_held(&mutex[0]),
            "and no deadline is left: %s", kernel());
    CHECK(lock(&a_hand, 0, 1) && says(&a_hand, AL_OK) && unlock(&a_hand, 0),
            "past: free");
}

/* ---- 2 ---- */

static struct hand *const hands[5] = {
        &a_hand, &b_hand, &c_hand, &d_hand, &e_hand};

/* Five wait; those of `out` have a deadline; then the others are served. */
static void some_time_out(unsigned out)
{
    unsigned left = 0;
    bool right = true;

    for (unsigned n = 0; n < 5; n++) {
        bool timed = (out >> n & 1) != 0;

        right = right && !take(hands[n], timed ? al_in(2) : AL_FOREVER);
        left += !timed;
    }
    right = right && books(-5);
    ticks(2);
    right = right && books(-(int32_t)left) && rig_check() == NULL;
    journal_clear();
    for (unsigned n = 0; n < left; n++) {
        right = right && al_sem_give(&sem) == AL_OK;
    }
    right = right && books(0);
    for (unsigned n = 0; n < 5; n++) {
        right = right &&
                says(hands[n], (out >> n & 1) != 0 ? AL_E_TIMEOUT : AL_OK);
    }
    for (unsigned i = 1; journal()[0] != '\0' && journal()[i] != '\0'; i++) {
        right = right && journal()[i] < journal()[i - 1];
    }
    CHECK(right, "time-outs %x of five, %u served: %s", out, left, journal());
}

/* ---- 3 ---- */

static void give_one(void)
{
    (void)al_irq_sem_give(&sem);
}

static void tick_one(void)
{
    rig_pend_tick();
}

static void give_then_tick(void)
{
    (void)al_irq_sem_give(&sem);
    rig_pend_tick(); /* its handler comes behind this one */
}

static void both_orders(bool locked)
{
    CHECK(!take(&a_hand, al_in(1)), "locked %d: it waits", locked);
    in_handler(give_then_tick, locked);
    CHECK(says(&a_hand, AL_OK) && books(0),
            "locked %d: given, then the tick: delivered: %s", locked, kernel());
    (void)take(&a_hand, al_in(1));
    in_handler(tick_one, locked);
    in_handler(give_one, locked);
    CHECK(says(&a_hand, AL_E_TIMEOUT) && books(1),
            "locked %d: the tick, then given: it stays: %s", locked, kernel());
    al_sem_take(&sem);
}

/* Two wait, one unit: the more urgent one has it, whoever times out. */
static void one_of_two(bool urgent_out, bool locked)
{
    CHECK(!take(&a_hand, urgent_out ? AL_FOREVER : al_in(1)) &&
                    !take(&c_hand, urgent_out ? al_in(1) : AL_FOREVER),
            "urgent %d, locked %d: two wait", urgent_out, locked);
    in_handler(give_then_tick, locked);
    if (urgent_out) {
        CHECK(says(&c_hand, AL_OK) && !a_hand.done && books(-1),
                "locked %d: the deadline's waiter has it: %s", locked,
                kernel());
    } else {
        CHECK(says(&c_hand, AL_OK) && says(&a_hand, AL_E_TIMEOUT) && books(0),
                "locked %d: the other one has it: %s", locked, kernel());
    }
    if (!a_hand.done) {
        (void)al_sem_give(&sem);
    }
    CHECK(says(&a_hand, urgent_out ? AL_OK : AL_E_TIMEOUT) && books(0),
            "locked %d: and the rest", locked);
}

/* ---- 4 ---- */

static volatile int32_t gifts;
static volatile unsigned fired;
static volatile bool in_queue; /* the first waiter, when the unit was given */
static uint32_t second_delay;

/* Handlers nest. */
static void give_and_count(void)
{
    if (al_irq_sem_give(&sem) == AL_OK) {
        __atomic_fetch_add(&gifts, 1, __ATOMIC_RELAXED);
    }
}

static void act_give_second(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    give_and_count();
}

static void act_give(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired++;
    if (second_delay != 0) {
        rig_arm(1, second_delay, act_give_second);
    }
    in_queue = a.waitq == &sem.waiters;
    give_and_count();
}

static void act_tick(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired++;
    rig_pend_tick();
}

/* Times that a unit came when the only waiter still stood in the queue, and the
 * wait timed out: right only between the last look and the removal. */
static volatile unsigned overlooked;

static const char *count_units(unsigned waiters, unsigned *out)
{
    int32_t delivered = 0;

    for (unsigned n = 0; n < waiters; n++) {
        if (!hands[n]->done) {
            return "one is not awake";
        }
        delivered += hands[n]->status == AL_OK;
        *out += hands[n]->status == AL_E_TIMEOUT;
    }
    if (delivered + sem.count != gifts) {
        return "a unit is lost, or there twice";
    }
    if (sem.waiting != 0 || sem.count < 0 || sem.post.pending != 0) {
        return "books";
    }
    while (al_sem_try_take(&sem) == AL_OK) {
    }
    return rig_check();
}

/* `waiters` wait until the next tick, which comes now; or the tick comes in the
 * middle of a give. */
static unsigned sweep(const char *name, unsigned waiters, bool tick_inside)
{
    const char *wrong = NULL;
    unsigned rounds = 0;
    unsigned out = 0;

    overlooked = 0;
    for (uint32_t delay = 0; wrong == NULL; delay++) {
        gifts = 0;
        fired = 0;
        in_queue = false;
        for (unsigned n = 0; n < waiters; n++) {
            (void)take(hands[n], al_in(1));
        }
        rig_arm(0, delay, tick_inside ? act_tick : act_give);
        if (tick_inside) {
            gifts += al_sem_give(&sem) == AL_OK;
        } else {
            rig_pend_tick();
        }
        rig_disarm(0);
        rig_disarm(1);
        if (fired == 0) {
            ticks(1);
            while (al_sem_try_take(&sem) == AL_OK) {
            }
            break;
        }
        wrong = count_units(waiters, &out);
        overlooked += in_queue && hands[0]->status == AL_E_TIMEOUT;
        rounds++;
    }
    CHECK(wrong == NULL && rounds > 30, "%s: %u rounds, %u time-outs: %s", name,
            rounds, out, wrong != NULL ? wrong : "right");
    return out;
}

static void swept(void)
{
    unsigned out;

    second_delay = 0;
    out = sweep("given around the tick", 1, false);
    CHECK(out > 10, "the deadline came first %u times", out);
    CHECK(overlooked <= AFTER_LOOK, "a unit in time was not seen %u times",
            overlooked);
    (void)sweep("three waiters, one unit", 3, false);
    out = 0;
    for (second_delay = 1; second_delay < 300; second_delay += 13) {
        out += sweep("two units", 2, false);
    }
    CHECK(out > 100, "%u time-outs with two", out);
    second_delay = 0;
    (void)sweep("the tick in a give", 1, true);
    (void)sweep("the tick in a give to one of three", 3, true);
}

/* ---- 5 ---- */

static al_status unlock_with_tick(struct hand *self)
{
    rig_arm(0, (uint32_t)self->deadline, act_tick);
    al_mutex_unlock(self->object);
    return AL_OK;
}

static void mutex_swept(void)
{
    const char *wrong = NULL;
    unsigned rounds = 0;
    unsigned out = 0;

    for (uint32_t delay = 0; wrong == NULL; delay++) {
        fired = 0;
        (void)lock(&a_hand, 0, AL_FOREVER);
        (void)lock(&c_hand, 0, al_in(1));
        (void)hand_do(&a_hand, unlock_with_tick, &mutex[0], delay);
        rig_disarm(0);
        if (fired == 0) {
            break;
        }
        rounds++;
        out += says(&c_hand, AL_E_TIMEOUT);
        if (!c_hand.done || !a_hand.done || a.prio != 6) {
            wrong = "one is not where it should be";
        } else if (al_mutex_is_held(&mutex[0]) != (c_hand.status == AL_OK)) {
            wrong = "held by nobody, or by one that timed out";
        } else {
            wrong = rig_check();
        }
        if (c_hand.status == AL_OK) {
            (void)unlock(&c_hand, 0);
        }
    }
    if (c_hand.done && c_hand.status == AL_OK) {
        (void)unlock(&c_hand, 0);
    }
    CHECK(wrong == NULL && rounds > 30 && out > 3 && out < rounds,
            "a tick in an unlock: %u places, %u time-outs: %s", rounds, out,
            wrong != NULL ? wrong : "right");
}

/* ---- 6 ---- */

static bool prios_are(unsigned pa, unsigned pb, unsigned pc)
{
    return a.prio == pa && b.prio == pb && c.prio == pc;
}

/* a holds 0; b holds 1, waits for 0; c holds 2, waits for 1; d and e wait for
 * 2; then one after another has enough. */
static void chain(void)
{
    bool right = lock(&a_hand, 0, AL_FOREVER) && lock(&b_hand, 1, AL_FOREVER) &&
                 lock(&c_hand, 2, AL_FOREVER) && !lock(&b_hand, 0, al_in(8)) &&
                 !lock(&c_hand, 1, al_in(6)) && !lock(&d_hand, 2, al_in(4)) &&
                 !lock(&e_hand, 2, al_in(2));

    CHECK(right && prios_are(10, 10, 10), "five tasks, three mutexes: %s",
            kernel());
    ticks(2);
    CHECK(says(&e_hand, AL_E_TIMEOUT) && prios_are(9, 9, 9),
            "the most urgent has enough: %s", kernel());
    ticks(2);
    CHECK(says(&d_hand, AL_E_TIMEOUT) && prios_are(8, 8, 8), "the next: %s",
            kernel());
    ticks(2);
    CHECK(says(&c_hand, AL_E_TIMEOUT) && prios_are(7, 7, 8),
            "one in the chain: %s", kernel());
    ticks(2);
    CHECK(says(&b_hand, AL_E_TIMEOUT) && prios_are(6, 7, 8), "the last: %s",
            kernel());
    CHECK(unlock(&a_hand, 0) && unlock(&b_hand, 1) && unlock(&c_hand, 2),
            "all let go of: %s", kernel());
    /* The middle link breaks first. */
    right = lock(&a_hand, 0, AL_FOREVER) && lock(&b_hand, 1, AL_FOREVER) &&
            lock(&c_hand, 2, AL_FOREVER) && !lock(&b_hand, 0, al_in(4)) &&
            !lock(&c_hand, 1, al_in(2)) && !lock(&d_hand, 2, al_in(4)) &&
            !lock(&e_hand, 2, AL_FOREVER) && prios_are(10, 10, 10);
    ticks(2);
    CHECK(right && says(&c_hand, AL_E_TIMEOUT) && prios_are(7, 7, 10),
            "the middle link breaks: %s", kernel());
    CHECK(unlock(&c_hand, 2) && says(&e_hand, AL_OK) && prios_are(7, 7, 8) &&
                    unlock(&e_hand, 2) && says(&d_hand, AL_OK),
            "its waiters are served");
    ticks(2);
    CHECK(says(&b_hand, AL_E_TIMEOUT) && prios_are(6, 7, 8) &&
                    unlock(&d_hand, 2) && unlock(&a_hand, 0) &&
                    unlock(&b_hand, 1),
            "and all as it was: %s", kernel());
}

static void judge_main(void)
{
    static const unsigned outs[] = {1, 2, 4, 8, 16, 6, 17, 14, 27, 31, 0};

    rig_start();
    ticks(5);
    semaphore();
    a_mutex();
    for (unsigned i = 0; i < sizeof(outs) / sizeof(outs[0]); i++) {
        some_time_out(outs[i]);
    }
    for (unsigned locked = 0; locked < 2; locked++) {
        both_orders(locked != 0);
        one_of_two(true, locked != 0);
        one_of_two(false, locked != 0);
    }
    swept();
    mutex_swept();
    chain();
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
