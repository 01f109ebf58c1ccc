/* SPDX-License-Identifier: MIT */
/*
 * Claim: what Hopter's thirteen tests of semaphores show (docs/hopter.md, 23 to
 * 35) holds here. Where a task there waits because a semaphore is full, one
 * waits here for the second semaphore of a pair, which counts the room.
 *   23 made with any count and bound, they are as given
 *   24 who takes from an empty one waits until another gives
 *   25 to 28 tries: one too many of either is refused, none before is
 *   29 two tasks take and give five times: never more are out than there are
 *   30 four tasks contend for three units: three have one at a time
 *   31 ten tasks give and take a hundred times: the count is what it was
 *   32 and 33 three who wait to take, or for room, are served by priority
 *   34 and 35 a handler's give, or take, wakes the task that waits for it
 * Fails if: a unit is lost or made, or the last waiter is served first.
 * builds: gcc-O0 gcc-O2 clang-O2
 * sources: ../support/hands.c ../interleave/rig.c
 */
#include "../support/hands.h"

HAND(a, 8);
HAND(b, 9);
HAND(c, 10);
HAND(d, 10);
HAND(e, 10);
HAND(f, 10);
HAND(g, 10);
HAND(h, 10);
HAND(i, 10);
HAND(j, 10);

#define JUDGE_PRIO 2

static struct hand *const all[] = {&a_hand, &b_hand, &c_hand, &d_hand, &e_hand,
        &f_hand, &g_hand, &h_hand, &i_hand, &j_hand};

/* Bounded at both ends: to take is up for the room, and the other way round. */
struct pair {
    struct al_sem units;
    struct al_sem room;
};

static struct pair pair;
static struct al_sem sem;
static volatile int out;
static volatile int most_out;
static volatile unsigned times;

static void pair_init(int units, int bound)
{
    al_sem_init(&pair.units, units, bound);
    al_sem_init(&pair.room, bound - units, bound);
}

static void pair_end(void)
{
    al_sem_destroy(&pair.units);
    al_sem_destroy(&pair.room);
}

static void down(void)
{
    al_sem_take(&pair.units);
    out++;
    most_out = out > most_out ? out : most_out;
    (void)al_sem_give(&pair.room);
}

static void up(void)
{
    al_sem_take(&pair.room);
    out--;
    (void)al_sem_give(&pair.units);
}

static al_status job_down(struct hand *self)
{
    (void)self;
    for (unsigned n = 0; n < times; n++) {
        down();
    }
    return AL_OK;
}

static al_status job_up(struct hand *self)
{
    (void)self;
    for (unsigned n = 0; n < times; n++) {
        up();
    }
    return AL_OK;
}

static void t23(void)
{
    bool right = true;

    for (int i = 0; i < 5; i++) {
        for (int bound = 5; bound < 10; bound++) {
            al_sem_init(&sem, i, bound);
            right = right && al_sem_count(&sem) == i;
            for (int n = i; n < bound; n++) {
                right = right && al_sem_give(&sem) == AL_OK;
            }
            right = right && al_sem_give(&sem) == AL_E_FULL &&
                    al_sem_count(&sem) == bound;
            al_sem_destroy(&sem);
        }
    }
    CHECK(right, "23: count and bound are as given");
}

static void t24(void)
{
    al_sem_init(&sem, 0, 1);
    journal_clear();
    CHECK(!hand_do(&b_hand, hand_take, &sem, AL_FOREVER), "24: it waits");
    CHECK(hand_do(&a_hand, hand_give, &sem, 0) && b_hand.done &&
                    b_hand.status == AL_OK && journal_is("ba"),
            "24: until another gives: %s", journal());
    al_sem_destroy(&sem);
}

/* From `initial` of `bound`: so many takes and gives succeed, one more fails. */
static void tries(const char *name, int initial, int bound)
{
    bool right = true;

    al_sem_init(&sem, initial, bound);
    for (int n = initial; n > 0; n--) {
        right = right && al_sem_try_take(&sem) == AL_OK;
    }
    right = right && al_sem_try_take(&sem) == AL_E_EMPTY;
    for (int n = 0; n < bound; n++) {
        right = right && al_sem_give(&sem) == AL_OK;
    }
    right = right && al_sem_give(&sem) == AL_E_FULL;
    CHECK(right && al_sem_count(&sem) == bound, "%s: %d of %d", name, initial,
            bound);
    al_sem_destroy(&sem);
}

static void t29(void)
{
    pair_init(3, 3);
    out = 0;
    most_out = 0;
    times = 5;
    CHECK(!hand_do(&a_hand, job_down, NULL, 0) && out == 3,
            "29: three are out, the fourth waits");
    CHECK(hand_do(&b_hand, job_up, NULL, 0) && a_hand.done && out == 0 &&
                    most_out == 3 && al_sem_count(&pair.units) == 3,
            "29: five of each, %d out at most", most_out);
    pair_end();
}

static al_status job_hold(struct hand *self)
{
    al_sem_take(&sem);
    out++;
    most_out = out > most_out ? out : most_out;
    al_sleep_until(self->deadline);
    out--;
    return al_sem_give(&sem);
}

static void t30(void)
{
    al_time now = al_now();

    al_sem_init(&sem, 3, 3);
    out = 0;
    most_out = 0;
    for (unsigned n = 0; n < 4; n++) {
        (void)hand_do(all[n], job_hold, NULL, now + (n < 3 ? 1 : 2));
    }
    CHECK(out == 3 && sem.waiting == 1, "30: three have one, the fourth waits");
    ticks(1);
    CHECK(out == 1 && !d_hand.done, "30: then it has one");
    ticks(1);
    CHECK(a_hand.done && b_hand.done && c_hand.done && d_hand.done &&
                    most_out == 3 && al_sem_count(&sem) == 3,
            "30: all had one, %d at a time at most", most_out);
    al_sem_destroy(&sem);
}

static al_status job_up_down(struct hand *self)
{
    (void)self;
    for (unsigned n = 0; n < 100; n++) {
        up();
        al_yield();
        down();
        al_yield();
    }
    return AL_OK;
}

static void t31(void)
{
    bool done = true;

    pair_init(5, 10);
    (void)al_task_set_prio(al_task_id_self(), 20);
    for (unsigned n = 0; n < 10; n++) {
        done = done && !hand_do(all[n], job_up_down, NULL, 0);
    }
    CHECK(done, "31: ten begin together");
    (void)al_task_set_prio(al_task_id_self(), JUDGE_PRIO);
    for (unsigned n = 0; n < 10; n++) {
        done = done && all[n]->done;
    }
    CHECK(done && al_sem_count(&pair.units) == 5 &&
                    al_sem_count(&pair.room) == 5,
            "31: 1000 of each later the count is %d",
            (int)al_sem_count(&pair.units));
    pair_end();
}

static void by_priority(const char *name, al_status (*waits)(struct hand *self),
        void (*serve)(void))
{
    bool waited;

    journal_clear();
    times = 1;
    waited = !hand_do(&a_hand, waits, NULL, 0);
    waited = !hand_do(&c_hand, waits, NULL, 0) && waited;
    waited = !hand_do(&b_hand, waits, NULL, 0) && waited;
    CHECK(waited && journal_is(""), "%s: three wait", name);
    for (unsigned n = 0; n < 3; n++) {
        serve();
    }
    CHECK(journal_is("cba"), "%s: served by priority: %s", name, journal());
}

static volatile al_status handler_status;

static void handler_up(void)
{
    handler_status = al_sem_try_take(&pair.room);
    (void)al_irq_sem_give(&pair.units);
}

static void handler_down(void)
{
    handler_status = al_sem_try_take(&pair.units);
    (void)al_irq_sem_give(&pair.room);
}

static void from_handler(const char *name,
        al_status (*waits)(struct hand *self), void (*act)(void), bool locked)
{
    times = 1;
    for (unsigned n = 0; n < 3; n++) {
        bool waited = !hand_do(&a_hand, waits, NULL, 0);

        in_handler(act, locked);
        CHECK(waited && a_hand.done && handler_status == AL_OK,
                "%s: it waits, a handler wakes it: %u, locked %d", name, n,
                locked);
    }
}

static void judge_main(void)
{
    rig_start();
    t23();
    t24();
    tries("25, 26", 3, 3);
    tries("27", 2, 5);
    tries("28", 3, 5);
    t29();
    t30();
    t31();
    pair_init(0, 3);
    by_priority("32", job_down, up);
    from_handler("34", job_down, handler_up, false);
    from_handler("34", job_down, handler_up, true);
    pair_end();
    pair_init(3, 3);
    by_priority("33", job_up, down);
    from_handler("35", job_up, handler_down, false);
    from_handler("35", job_up, handler_down, true);
    pair_end();
    CHECK(rig_check() == NULL, "kernel: %s", kernel());
    test_done();
}

AL_TASK(judge, judge_main, JUDGE_PRIO, 2048);
