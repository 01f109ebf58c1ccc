/* SPDX-License-Identifier: MIT */
/*
 * Claim: five tasks that lock, try and unlock four mutexes in random order, with
 * and without deadlines, while their priorities change, have at each step the
 * holders, the waiters and the priorities of a plain model.
 *   1. each step is one of: a task that does not wait does something that closes
 *      no cycle; a task's own priority changes; a tick comes
 *   2. the model: a task's priority is the largest of its own and of those who
 *      wait for what it holds; a mutex goes to the most urgent waiter, among
 *      equals to the one that has been at that priority longest; two of the
 *      mutexes are recursive; a wait ends at its deadline's tick
 *   3. compared: holder of each mutex, priority and answer of each task; all
 *      kernel structures
 * Fails if: a release forgets what else the task holds, a raised waiter stays at
 * its old place, or a time-out leaves the holder raised.
 * builds: gcc-Os-small gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../support/hands.c
 * timeout: 120
 */
#include "../support/hands.h"

#define STEPS   8000u
#define WORKERS 5
#define MUTEXES 4
#define NOBODY  (-1)
#define LEAST   2u /* priorities: above the judge's */
#define LEVELS  9u

static struct al_mutex mutex[MUTEXES] = {AL_MUTEX_INIT, AL_MUTEX_INIT,
        AL_MUTEX_INIT_RECURSIVE, AL_MUTEX_INIT_RECURSIVE};

HAND(a, 2);
HAND(b, 4);
HAND(c, 4);
HAND(d, 7);
HAND(e, 9);

static struct hand *const hands[WORKERS] = {
        &a_hand, &b_hand, &c_hand, &d_hand, &e_hand};
static struct al_task *const tasks[WORKERS] = {&a, &b, &c, &d, &e};

static struct {
    int holder[MUTEXES];
    unsigned depth[MUTEXES];
    unsigned base[WORKERS];
    int waits_for[WORKERS]; /* a mutex, or NOBODY */
    al_time until[WORKERS]; /* no two of them at one tick */
    al_status says[WORKERS];
    unsigned prio[WORKERS];
    unsigned since[WORKERS]; /* at this place of the queue */
    unsigned clock;
} model;

static uint32_t random_state;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static bool is_recursive(int m)
{
    return m >= 2;
}

static unsigned deserved(int n)
{
    unsigned most = model.base[n];

    for (int w = 0; w < WORKERS; w++) {
        int m = model.waits_for[w];

        if (m != NOBODY && model.holder[m] == n && model.prio[w] > most) {
            most = model.prio[w];
        }
    }
    return most;
}

static void model_settle(void)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (int n = 0; n < WORKERS; n++) {
            unsigned most = deserved(n);

            if (model.prio[n] != most) {
                model.prio[n] = most;
                model.clock++;
                model.since[n] = model.clock;
                changed = true;
            }
        }
    }
}

static void model_unlock(int m)
{
    int heir = NOBODY;

    model.depth[m]--;
    if (model.depth[m] != 0) {
        return;
    }
    for (int w = 0; w < WORKERS; w++) {
        if (model.waits_for[w] == m &&
                (heir == NOBODY || model.prio[w] > model.prio[heir] ||
                        (model.prio[w] == model.prio[heir] &&
                                model.since[w] < model.since[heir]))) {
            heir = w;
        }
    }
    model.holder[m] = heir;
    if (heir != NOBODY) {
        model.depth[m] = 1;
        model.waits_for[heir] = NOBODY;
        model.says[heir] = AL_OK;
    }
    model_settle();
}

/* True when it is had at once. */
static bool model_take(int n, int m)
{
    if (model.holder[m] != NOBODY &&
            (model.holder[m] != n || !is_recursive(m))) {
        return false;
    }
    model.holder[m] = n;
    model.depth[m]++;
    model.says[n] = AL_OK;
    return true;
}

static void model_lock(int n, int m, al_time until)
{
    if (model_take(n, m)) {
        return;
    }
    model.waits_for[n] = m;
    model.until[n] = until;
    model.clock++;
    model.since[n] = model.clock;
    model_settle();
}

static void model_tick(al_time now)
{
    for (int n = 0; n < WORKERS; n++) {
        if (model.waits_for[n] != NOBODY && model.until[n] <= now) {
            model.waits_for[n] = NOBODY;
            model.says[n] = AL_E_TIMEOUT;
            model_settle();
        }
    }
}

/* Would n, waiting for m, wait for itself? */
static bool closes_cycle(int n, int m)
{
    while (m != NOBODY && model.holder[m] != NOBODY) {
        if (model.holder[m] == n) {
            return true;
        }
        m = model.waits_for[model.holder[m]];
    }
    return false;
}

static const char *compare(void)
{
    for (int m = 0; m < MUTEXES; m++) {
        const void *holder =
                model.holder[m] == NOBODY ? NULL : tasks[model.holder[m]];

        if ((mutex[m].owner & ~(uintptr_t)AL_MUTEX_BITS) != (uintptr_t)holder) {
            return "another holder";
        }
    }
    for (int n = 0; n < WORKERS; n++) {
        if (tasks[n]->prio != model.prio[n]) {
            return "another priority";
        }
        if (hands[n]->done != (model.waits_for[n] == NOBODY)) {
            return "another one waits";
        }
        if (hands[n]->done && hands[n]->status != model.says[n]) {
            return "another answer";
        }
    }
    return rig_check();
}

static struct {
    unsigned waits, timed, time_outs, unlocks, again, changes, longest_chain;
} seen;

/* A deadline that nobody else has, 1 to 20 ticks ahead. */
static al_time some_deadline(void)
{
    al_time until = al_now() + 1 + random_below(12);

    for (int n = 0; n < WORKERS; n++) {
        if (model.waits_for[n] != NOBODY && model.until[n] == until) {
            until++;
            n = -1;
        }
    }
    return until;
}

static void lock_step(int n, int m)
{
    al_time until = AL_FOREVER;
    unsigned chain = 0;

    switch (random_below(4)) {
    case 0:
        break;
    case 1:
        until = random_below(2) == 0 ? AL_POLL : al_now();
        break;
    default:
        until = some_deadline();
        break;
    }
    seen.again += model.holder[m] == n;
    if (until <= al_now()) {
        model.says[n] = AL_E_TIMEOUT;
        (void)model_take(n, m);
    } else {
        model_lock(n, m, until);
    }
    for (int w = n; model.waits_for[w] != NOBODY;
            w = model.holder[model.waits_for[w]]) {
        chain++;
    }
    seen.waits += chain > 0;
    seen.timed += chain > 0 && until != AL_FOREVER;
    seen.longest_chain =
            chain > seen.longest_chain ? chain : seen.longest_chain;
    (void)hand_do(hands[n], hand_lock, &mutex[m], until);
}

static void task_step(void)
{
    int n = (int)random_below(WORKERS);
    int m = (int)random_below(MUTEXES);

    while (model.waits_for[n] != NOBODY) {
        n = (n + 1) % WORKERS; /* without a cycle somebody does not wait */
    }
    if (model.holder[m] == n && random_below(3) != 0) {
        seen.unlocks++;
        model.says[n] = AL_OK;
        model_unlock(m);
        (void)hand_do(hands[n], hand_unlock, &mutex[m], 0);
    } else if (random_below(4) == 0 ||
               (closes_cycle(n, m) &&
                       !(model.holder[m] == n && is_recursive(m)))) {
        if (!model_take(n, m)) {
            model.says[n] = AL_E_BUSY;
        }
        (void)hand_do(hands[n], hand_try, &mutex[m], 0);
    } else {
        lock_step(n, m);
    }
}

static void step(void)
{
    uint32_t what = random_below(10);

    if (what == 0) {
        int n = (int)random_below(WORKERS);

        model.base[n] = LEAST + random_below(LEVELS);
        model_settle();
        seen.changes++;
        (void)al_task_set_prio(al_task_id_of(tasks[n]), (al_prio)model.base[n]);
    } else if (what < 3) {
        unsigned waited = 0;

        for (int n = 0; n < WORKERS; n++) {
            waited += model.waits_for[n] != NOBODY;
        }
        model_tick(al_now() + 1);
        for (int n = 0; n < WORKERS; n++) {
            waited -= model.waits_for[n] != NOBODY;
        }
        seen.time_outs += waited;
        ticks(1);
    } else {
        task_step();
    }
}

static void judge_main(void)
{
    const char *wrong = NULL;
    unsigned at = 0;

    random_state = test_seed(20240229u);
    for (int m = 0; m < MUTEXES; m++) {
        model.holder[m] = NOBODY;
    }
    for (int n = 0; n < WORKERS; n++) {
        model.waits_for[n] = NOBODY;
        model.base[n] = tasks[n]->base_prio;
        model.prio[n] = model.base[n];
        hands[n]->done = true;
    }
    rig_start();
    while (at < STEPS && wrong == NULL) {
        at++;
        step();
        wrong = compare();
    }
    CHECK(wrong == NULL, "step %u: %s", at, wrong != NULL ? wrong : "right");
    CHECK(seen.waits > STEPS / 20 && seen.unlocks > STEPS / 10 &&
                    seen.longest_chain >= 3,
            "%u waited, %u unlocks, chains up to %u", seen.waits, seen.unlocks,
            seen.longest_chain);
    CHECK(seen.time_outs > STEPS / 50 && seen.again > STEPS / 50 &&
                    seen.changes > STEPS / 20,
            "%u of %u deadlines passed, %u taken again, %u changes",
            seen.time_outs, seen.timed, seen.again, seen.changes);
    test_done();
}

AL_TASK(judge, judge_main, 1, 3072);
