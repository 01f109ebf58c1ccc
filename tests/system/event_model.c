/* SPDX-License-Identifier: MIT */
/*
 * Claim: an event set that tasks and handlers use in random order does what a
 * plain model does: the same bits, the same waiters served, in each step.
 *   1. each step sets or clears random bits, lets an idle one of six tasks of
 *      three priorities wait for a random mask in a random mode, with a deadline
 *      or without, or ticks; a set comes from a task, from a handler, or from
 *      one that finds the lock taken, with a tick behind it or before it
 *   2. the model: after each set, waiters are judged in the order of priority,
 *      then arrival; a tick ends the waits that are late and not satisfied
 *   3. compared: the bits, and each task's state, status and what it got
 * SEED is printed.
 * Fails if: any rule of event.h is broken.
 * builds: gcc-O2 clang-O2
 * sources: ../interleave/rig.c ../support/workers.c
 */
#include "../interleave/rig.h"
#include "../support/workers.h"

#include "test.h"

#define TASKS 6
#define STEPS 4000u

static struct al_event event = AL_EVENT_INIT;
static const unsigned prios[TASKS] = {10, 11, 10, 12, 10, 11};

static struct {
    uint32_t bits;
    unsigned clock;
    struct {
        bool waits;
        unsigned since;
        uint32_t mask, mode;
        al_time deadline;
        al_status status;
        uint32_t got;
    } task[TASKS];
} model;

static uint32_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

/* ---- the model ---- */

/* The waiter that comes after `before` in order; TASKS: none. */
static unsigned next_waiter(unsigned before)
{
    unsigned best = TASKS;

    for (unsigned i = 0; i < TASKS; i++) {
        bool after = before == TASKS || prios[i] < prios[before] ||
                     (prios[i] == prios[before] &&
                             model.task[i].since > model.task[before].since);

        if (model.task[i].waits && after &&
                (best == TASKS || prios[i] > prios[best] ||
                        (prios[i] == prios[best] &&
                                model.task[i].since <
                                        model.task[best].since))) {
            best = i;
        }
    }
    return best;
}

static bool model_take(unsigned i)
{
    uint32_t hit = model.bits & model.task[i].mask;

    if (hit == 0 || ((model.task[i].mode & AL_EVENT_ALL) != 0 &&
                            hit != model.task[i].mask)) {
        return false;
    }
    if ((model.task[i].mode & AL_EVENT_KEEP) == 0) {
        model.bits &= ~hit;
    }
    model.task[i].waits = false;
    model.task[i].status = AL_OK;
    model.task[i].got = hit;
    return true;
}

static void model_set(uint32_t bits)
{
    model.bits |= bits;
    for (unsigned i = next_waiter(TASKS); i != TASKS; i = next_waiter(i)) {
        (void)model_take(i);
    }
}

static void model_late(unsigned i)
{
    model.task[i].waits = false;
    model.task[i].status = AL_E_TIMEOUT;
    model.task[i].got = 0;
}

static void model_tick(al_time now)
{
    for (unsigned i = 0; i < TASKS; i++) {
        if (model.task[i].waits && model.task[i].deadline <= now) {
            model_late(i);
        }
    }
}

static void model_wait(unsigned i, uint32_t mask, uint32_t mode, al_time when)
{
    model.clock++;
    model.task[i].since = model.clock;
    model.task[i].mask = mask;
    model.task[i].mode = mode;
    model.task[i].deadline = when;
    model.task[i].waits = true;
    if (!model_take(i) && when <= al_now()) {
        model_late(i);
    }
}

/* ---- the kernel's ---- */

static void wait_job(struct worker *worker)
{
    worker->got = 0xdead;
    worker->status = al_event_wait(
            &event, worker->mask, worker->mode, worker->deadline, &worker->got);
}

static uint32_t to_set;

static void set(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_event_set(&event, to_set);
}

/* With a tick in the same hold of the lock, before the set or behind it: the
 * set is delivered first. */
static void set_locked(uint32_t bits, uint32_t order)
{
    to_set = bits;
    *(volatile uint32_t *)&al_core.locked = 1;
    if (order == 1) {
        rig_pend_tick();
    }
    rig_pend(0, set);
    if (order == 2) {
        rig_pend_tick();
    }
    *(volatile uint32_t *)&al_core.locked = 0;
    rig_pend_switch();
    model_set(bits);
    if (order != 0) {
        model_tick(al_now());
    }
}

static void step_set(void)
{
    uint32_t bits = random_below(16);

    switch (random_below(5)) {
    case 0:
        al_event_set(&event, bits);
        model_set(bits);
        break;
    case 1:
        to_set = bits;
        rig_pend(0, set);
        model_set(bits);
        break;
    default:
        set_locked(bits, random_below(3));
        break;
    }
}

static void step_wait(void)
{
    unsigned i = random_below(TASKS);
    struct worker *worker = worker_of((char)('a' + i));
    uint32_t ticks = random_below(5);

    if (model.task[i].waits) {
        return;
    }
    worker->mask = 1 + random_below(15);
    worker->mode = random_below(4);
    worker->deadline = ticks == 4 ? AL_FOREVER : al_in(ticks);
    model_wait(i, worker->mask, worker->mode, worker->deadline);
    worker_begin((char)('a' + i), wait_job);
}

static void step(void)
{
    uint32_t bits = random_below(16);

    switch (random_below(8)) {
    case 0:
        (void)al_event_clear(&event, bits);
        model.bits &= ~bits;
        break;
    case 1:
        rig_pend_tick();
        model_tick(al_now());
        break;
    case 2:
    case 3:
        step_set();
        break;
    default:
        step_wait();
        break;
    }
}

static bool is_same(void)
{
    bool same = al_event_get(&event) == model.bits && rig_check() == NULL &&
                event.post.pending == 0 && event.next == NULL;

    for (unsigned i = 0; i < TASKS; i++) {
        const struct worker *worker = worker_of((char)('a' + i));

        same = same && worker->busy == model.task[i].waits &&
               (worker->busy || (worker->status == model.task[i].status &&
                                        worker->got == model.task[i].got));
    }
    return same;
}

static void judge_main(void)
{
    unsigned n = 0;

    random_state = test_seed(20261120);
    rig_start();
    for (char who = 'a'; who < 'a' + TASKS; who++) {
        worker_of(who)->status = AL_OK;
    }
    while (n < STEPS && is_same()) {
        step();
        n++;
    }
    CHECK(n == STEPS && is_same(), "%u steps as the model does", n);
    test_done();
}

AL_TASK(judge, judge_main, WORKERS_JUDGE_PRIO, 2560);
