/* SPDX-License-Identifier: MIT */
/*
 * Claim: a suspended task does everything but run; and a task's own priority can
 * be changed whatever it does, with the place and the inheritance that follow.
 *   1. suspend one that is ready, that runs, that waits (semaphore, mutex, join,
 *      asleep, parked): it does not run before al_task_resume(), and what came
 *      meanwhile, or the time-out, is what its wait ends with
 *   2. twice is once; who is not suspended, and who has ended: AL_E_STATE,
 *      AL_E_STALE; made suspended
 *   3. priority of the running task: first of its level; ready and first: first;
 *      ready and not first: last; asleep; suspended
 *   4. of one that waits: the order of wake-ups changes; whoever holds what it
 *      waits for is raised and lowered, along a chain
 *   5. a holder keeps what it inherits; a restart is at the definition's priority
 * Fails if: a wake puts a suspended task into the ready queue, or a changed
 * waiter keeps its place.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../support/hands.c
 */
#include "../support/hands.h"

HAND(a, 6);
HAND(b, 8);
HAND(c, 8);
HAND(d, 10);

static struct al_sem sem = AL_SEM_INIT(0, 10);
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex second = AL_MUTEX_INIT;

static struct al_task_id id_a, id_b, id_c, id_d;

static enum al_task_state state_of(const struct al_task *task)
{
    struct al_task_info info;

    al_task_read(task, &info);
    return info.state;
}

static bool suspend(struct al_task_id id)
{
    return al_task_suspend(id) == AL_OK &&
           state_of(id.task) == AL_TASK_SUSPENDED;
}

static bool resume(struct al_task_id id)
{
    return al_task_resume(id) == AL_OK &&
           state_of(id.task) != AL_TASK_SUSPENDED;
}

/* ---- 1, 2 ---- */

static void ready_and_running(void)
{
    CHECK(suspend(id_a) && state_of(&a) == AL_TASK_SUSPENDED, "waits for work");
    CHECK(!hand_do(&a_hand, hand_nothing, NULL, 0),
            "work comes: it does not run");
    CHECK(suspend(id_a) && !a_hand.done, "suspended again, ready by now: %s",
            kernel());
    CHECK(resume(id_a) && a_hand.done, "resumed once: it ran");
    CHECK(al_task_resume(id_a) == AL_E_STATE, "not suspended: AL_E_STATE");
}

static al_status suspend_self(struct hand *self)
{
    (void)self;
    return al_task_suspend(al_task_id_self());
}

static al_status suspend_other(struct hand *self)
{
    return al_task_suspend(self->id);
}

static void itself(void)
{
    a_hand.status = AL_E_FULL;
    CHECK(!hand_do(&a_hand, suspend_self, NULL, 0) &&
                    state_of(&a) == AL_TASK_SUSPENDED,
            "it suspends itself: %s", kernel());
    CHECK(resume(id_a) && a_hand.done && a_hand.status == AL_OK,
            "and comes back with AL_OK");
    /* a is preempted, and so ready, when d suspends it. */
    d_hand.id = id_a;
    a_hand.job = hand_nothing;
    a_hand.done = false;
    d_hand.job = suspend_other;
    d_hand.done = false;
    (void)al_task_suspend(id_d);
    (void)al_sem_give(&d_hand.go);
    (void)al_task_suspend(id_a);
    (void)al_sem_give(&a_hand.go);
    (void)al_task_set_prio(al_task_id_self(), 20);
    (void)al_task_resume(id_a);
    (void)al_task_resume(id_d);
    (void)al_task_set_prio(al_task_id_self(), 2);
    CHECK(d_hand.done && d_hand.status == AL_OK && !a_hand.done &&
                    state_of(&a) == AL_TASK_SUSPENDED,
            "ready, and suspended before its turn: %s", kernel());
    CHECK(resume(id_a) && a_hand.done, "and resumed");
}

static void give_sem(void)
{
    (void)al_irq_sem_give(&sem);
}

static void waits_for_sem(void)
{
    CHECK(!hand_do(&a_hand, hand_take, &sem, AL_FOREVER) && suspend(id_a),
            "it waits for a semaphore");
    CHECK(al_sem_give(&sem) == AL_OK && !a_hand.done && al_sem_count(&sem) == 0,
            "given: it has the unit, and does not run: %s", kernel());
    CHECK(resume(id_a) && a_hand.done && a_hand.status == AL_OK, "resumed");
    for (unsigned locked = 0; locked < 2; locked++) {
        CHECK(!hand_do(&a_hand, hand_take, &sem, al_in(3)) && suspend(id_a),
                "locked %u: with a deadline", locked);
        in_handler(give_sem, locked != 0);
        ticks(5);
        CHECK(!a_hand.done && al_sem_count(&sem) == 0,
                "locked %u: given by a handler: %s", locked, kernel());
        CHECK(resume(id_a) && a_hand.done && a_hand.status == AL_OK,
                "locked %u: resumed, late: it has the unit", locked);
    }
    CHECK(!hand_do(&a_hand, hand_take, &sem, al_in(3)) && suspend(id_a),
            "its deadline");
    ticks(3);
    CHECK(!a_hand.done && sem.waiting == 0, "passes meanwhile: %s", kernel());
    (void)al_sem_give(&sem);
    CHECK(resume(id_a) && a_hand.done && a_hand.status == AL_E_TIMEOUT &&
                    al_sem_count(&sem) == 1,
            "resumed: AL_E_TIMEOUT, and the unit stays");
    al_sem_take(&sem);
    CHECK(!hand_do(&a_hand, hand_take, &sem, al_in(3)) && suspend(id_a) &&
                    resume(id_a) && !a_hand.done && sem.waiting == 1,
            "resumed while it waits: %s", kernel());
    (void)al_sem_give(&sem);
    CHECK(a_hand.done && a_hand.status == AL_OK, "it waited on");
}

static void waits_for_mutex(void)
{
    CHECK(hand_do(&a_hand, hand_lock, &mutex, AL_FOREVER) &&
                    !hand_do(&d_hand, hand_lock, &mutex, AL_FOREVER) &&
                    suspend(id_d) && a.prio == 10,
            "it waits for a mutex: the holder inherits from it");
    CHECK(hand_do(&a_hand, hand_unlock, &mutex, 0) && !d_hand.done &&
                    al_mutex_is_held(&mutex) && a.prio == 6,
            "it holds the mutex, and does not run: %s", kernel());
    CHECK(resume(id_d) && d_hand.done && d_hand.status == AL_OK &&
                    hand_do(&d_hand, hand_unlock, &mutex, 0),
            "resumed");
    CHECK(hand_do(&a_hand, hand_lock, &mutex, AL_FOREVER) &&
                    !hand_do(&d_hand, hand_lock, &mutex, al_in(2)) &&
                    suspend(id_d),
            "with a deadline");
    ticks(2);
    CHECK(a.prio == 6 && !d_hand.done && mutex.waiters.head == NULL,
            "passed: the holder is at its own priority: %s", kernel());
    CHECK(resume(id_d) && d_hand.status == AL_E_TIMEOUT &&
                    hand_do(&a_hand, hand_unlock, &mutex, 0),
            "resumed: AL_E_TIMEOUT");
}

static void others(void)
{
    CHECK(!hand_do(&a_hand, hand_sleep, NULL, al_in(2)) && suspend(id_a),
            "asleep");
    ticks(3);
    CHECK(!a_hand.done && resume(id_a) && a_hand.done, "it slept: %s",
            kernel());
    CHECK(!hand_do(&a_hand, hand_sleep, NULL, al_in(3)) && suspend(id_a) &&
                    resume(id_a) && !a_hand.done,
            "resumed asleep");
    ticks(2);
    CHECK(!a_hand.done && (ticks(1), a_hand.done), "it slept on");
    CHECK(!hand_do(&a_hand, hand_park, NULL, AL_FOREVER) && suspend(id_a) &&
                    al_task_wake(id_a) == AL_OK && !a_hand.done,
            "parked, and woken: %s", kernel());
    CHECK(resume(id_a) && a_hand.done && a_hand.status == AL_OK, "resumed");
    CHECK(!hand_do(&a_hand, hand_park, NULL, al_in(1)) && suspend(id_a) &&
                    (ticks(1), resume(id_a)) && a_hand.status == AL_E_TIMEOUT,
            "parked, and timed out: %s", kernel());
}

static char kid_stack[1024] __attribute__((aligned(8)));
static struct al_spawn kid_memory;
static volatile unsigned kid_runs;

static void kid_main(void *args)
{
    (void)args;
    kid_runs++;
}

static void made_suspended(void)
{
    struct al_task_params params = {"kid", kid_main, NULL, 0, kid_stack,
            sizeof(kid_stack), 9, true, NULL};
    struct al_task_id id;

    al_task_create(&kid_memory, &params, &id);
    CHECK(kid_runs == 0 && state_of(id.task) == AL_TASK_SUSPENDED,
            "made suspended: %s", kernel());
    d_hand.id = id;
    CHECK(!hand_do(&d_hand, hand_join, NULL, AL_FOREVER) && suspend(id_d),
            "joined, and the joiner suspended");
    CHECK(al_task_resume(id) == AL_OK && kid_runs == 1, "it ran and ended");
    CHECK(!d_hand.done && resume(id_d) && d_hand.status == AL_OK,
            "the joiner knows: %s", kernel());
    CHECK(al_task_suspend(id) == AL_E_STALE &&
                    al_task_resume(id) == AL_E_STALE &&
                    al_task_set_prio(id, 3) == AL_E_STALE,
            "it is stale");
}

/* ---- 3 ---- */

/* Has d (the most urgent) begin with `job`, while a, b and c are made ready in
 * that order at priority 8; returns when all have run. */
static void row(al_status (*job)(struct hand *self))
{
    journal_clear();
    (void)al_task_set_prio(al_task_id_self(), 20);
    (void)hand_do(&a_hand, hand_nothing, NULL, 0);
    (void)hand_do(&b_hand, hand_nothing, NULL, 0);
    (void)hand_do(&c_hand, hand_nothing, NULL, 0);
    (void)hand_do(&d_hand, job, NULL, 0);
    (void)al_task_set_prio(al_task_id_self(), 2);
}

static al_status ready_first(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_a, 9);
    return al_task_set_prio(id_a, 8); /* the first of 9, then of 8 */
}

static al_status ready_last(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_a, 9);
    return al_task_set_prio(id_c, 9); /* not the first: behind a */
}

static al_status ready_all(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_b, 9);
    (void)al_task_set_prio(id_c, 9); /* the first of 8 by now: before b */
    return al_task_set_prio(id_a, 9);
}

static al_status ready_same(struct hand *self)
{
    (void)self;
    return al_task_set_prio(id_b, 8);
}

static al_status ready_behind(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_c, 9);  /* not the first: the last of 9 */
    return al_task_set_prio(id_c, 8); /* the first of 9: the first of 8 */
}

static al_status lower_self(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_d, 8); /* the first of its new level: goes on */
    return journal_is("") ? AL_OK : AL_E_STATE;
}

static al_status lower_self_below(struct hand *self)
{
    (void)self;
    (void)al_task_set_prio(id_d, 7);
    return journal_is("bc") ? AL_OK : AL_E_STATE;
}

static void runs_and_ready(void)
{
    row(hand_nothing);
    CHECK(journal_is("dbca"), "as they are: %s", journal());
    row(ready_first);
    CHECK(journal_is("dabc"), "ready and first: first of its new level: %s",
            journal());
    (void)al_task_set_prio(id_a, 6);
    row(ready_last);
    CHECK(journal_is("dacb"), "ready and not first: the last: %s", journal());
    (void)al_task_set_prio(id_a, 6);
    (void)al_task_set_prio(id_c, 8);
    row(ready_all);
    CHECK(journal_is("dacb"), "each the first of its level: %s", journal());
    CHECK(al_task_set_prio(id_a, 6) == AL_OK &&
                    al_task_set_prio(id_b, 8) == AL_OK &&
                    al_task_set_prio(id_c, 8) == AL_OK,
            "back: %s", kernel());
    row(ready_same);
    CHECK(journal_is("dbca"), "to the same: it stays: %s", journal());
    row(ready_behind);
    CHECK(journal_is("dcba"), "first of 9, first of 8: %s", journal());
    row(lower_self);
    CHECK(journal_is("dbca") && d_hand.status == AL_OK,
            "running: first of its new level: %s", journal());
    (void)al_task_set_prio(id_d, 10);
    row(lower_self_below);
    CHECK(journal_is("bcda") && d_hand.status == AL_OK,
            "running: preempted there, and before its equals: %s", journal());
    (void)al_task_set_prio(id_d, 10);
    CHECK(suspend(id_a) && al_task_set_prio(id_a, 9) == AL_OK &&
                    !hand_do(&a_hand, hand_nothing, NULL, 0) &&
                    al_task_set_prio(id_a, 6) == AL_OK && resume(id_a) &&
                    a_hand.done && a.prio == 6,
            "suspended: %s", kernel());
    CHECK(!hand_do(&a_hand, hand_sleep, NULL, al_in(1)) &&
                    al_task_set_prio(id_a, 9) == AL_OK &&
                    (ticks(1), a_hand.done) && a.prio == 9 &&
                    al_task_set_prio(id_a, 6) == AL_OK,
            "asleep: %s", kernel());
}

/* ---- 4 ---- */

static void wakes_in_order(const char *expected)
{
    journal_clear();
    for (unsigned i = 0; i < 4; i++) {
        (void)al_sem_give(&sem);
    }
    CHECK(journal_is(expected), "order of wake-ups %s: %s", expected,
            journal());
}

static void all_wait(void)
{
    (void)hand_do(&a_hand, hand_take, &sem, AL_FOREVER);
    (void)hand_do(&b_hand, hand_take, &sem, AL_FOREVER);
    (void)hand_do(&c_hand, hand_take, &sem, AL_FOREVER);
    (void)hand_do(&d_hand, hand_take, &sem, AL_FOREVER);
}

static void waits_in_order(void)
{
    all_wait();
    wakes_in_order("dbca");
    all_wait();
    (void)al_task_set_prio(id_a, 11);
    (void)al_task_set_prio(id_d, 8);
    CHECK(sem.waiting == 4, "changed while they wait: %s", kernel());
    wakes_in_order("abcd");
    (void)al_task_set_prio(id_a, 6);
    (void)al_task_set_prio(id_d, 10);
    all_wait();
    (void)al_task_set_prio(id_b, 6); /* behind a */
    (void)al_task_set_prio(id_b, 8); /* behind c */
    wakes_in_order("dcba");
    all_wait();
    (void)al_task_set_prio(id_b, 8); /* nothing changes */
    wakes_in_order("dbca");
}

static void holders(void)
{
    /* a holds the first; b holds the second and waits for the first; d waits
     * for the second. */
    bool right = hand_do(&a_hand, hand_lock, &mutex, AL_FOREVER) &&
                 hand_do(&b_hand, hand_lock, &second, AL_FOREVER) &&
                 !hand_do(&b_hand, hand_lock, &mutex, AL_FOREVER) &&
                 !hand_do(&d_hand, hand_lock, &second, AL_FOREVER);

    CHECK(right && a.prio == 10 && b.prio == 10, "a chain of two");
    (void)al_task_set_prio(id_d, 15);
    CHECK(a.prio == 15 && b.prio == 15 && b.base_prio == 8, "raised: %s",
            kernel());
    (void)al_task_set_prio(id_d, 7);
    CHECK(a.prio == 8 && b.prio == 8, "lowered: %s", kernel());
    (void)al_task_set_prio(id_b, 3);
    CHECK(a.prio == 7 && b.prio == 7 && b.base_prio == 3, "in the middle: %s",
            kernel());
    (void)al_task_set_prio(id_a, 12);
    CHECK(a.prio == 12 && b.prio == 7, "the holder itself: %s", kernel());
    (void)al_task_set_prio(id_a, 4);
    CHECK(a.prio == 7 && a.base_prio == 4, "it keeps what it inherits: %s",
            kernel());
    CHECK(hand_do(&a_hand, hand_unlock, &mutex, 0) && b_hand.done &&
                    a.prio == 4 && b.prio == 7,
            "its own when it lets go: %s", kernel());
    CHECK(hand_do(&b_hand, hand_unlock, &second, 0) && d_hand.done &&
                    b.prio == 3 && hand_do(&b_hand, hand_unlock, &mutex, 0) &&
                    hand_do(&d_hand, hand_unlock, &second, 0),
            "and the other: %s", kernel());
}

/* ---- 5 ---- */

static al_status die(struct hand *self)
{
    (void)self;
    al_panic("to start again");
}

static void restarts(void)
{
    CHECK(b.prio == 3 && b.base_prio == 3, "at another priority");
    CHECK(!hand_do(&b_hand, die, NULL, 0) && b.prio == 8 && b.base_prio == 8,
            "a restart is at the definition's: %s", kernel());
    (void)al_task_set_prio(id_a, 6);
    (void)al_task_set_prio(id_d, 10);
    CHECK(al_task_set_prio(id_b, 9) == AL_OK && b.prio == 9 &&
                    al_task_set_prio(id_b, 8) == AL_OK,
            "the id survives it");
}

static void judge_main(void)
{
    id_a = al_task_id_of(&a);
    id_b = al_task_id_of(&b);
    id_c = al_task_id_of(&c);
    id_d = al_task_id_of(&d);
    rig_start();
    ready_and_running();
    itself();
    waits_for_sem();
    waits_for_mutex();
    others();
    made_suspended();
    runs_and_ready();
    waits_in_order();
    holders();
    restarts();
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
