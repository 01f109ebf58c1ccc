/* SPDX-License-Identifier: MIT */
/*
 * Claim: five tasks that lock, try and unlock four mutexes in random order have
 * at each step the holders, the waiters and the priorities of a plain model.
 *   1. each step tells one task that does not wait to do something that closes
 *      no cycle; then everybody comes to rest
 *   2. the model: a task's priority is the largest of its own and of those who
 *      wait for what it holds; a mutex goes to the most urgent waiter, among
 *      equals to the one that has been at that priority longest
 *   3. compared: holder of each mutex, priority and answer of each task; all
 *      kernel structures
 * SEED is printed; another one: flags -DSEED=n.
 * Fails if: a release forgets what else the task holds, or a raised waiter
 * stays at its old place.
 * sources: ../interleave/rig.c
 * timeout: 120
 */
#include "../interleave/rig.h"

#include "test.h"

#ifndef SEED
#  define SEED 20240229u
#endif
#define STEPS   5000u
#define WORKERS 5
#define MUTEXES 4
#define NOBODY  (-1)

enum order {
    LOCK,
    TRY,
    UNLOCK
};

static struct al_mutex mutex[MUTEXES] = {
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};

static struct worker {
    struct al_sem go;
    enum order order;
    unsigned which;
    al_status status;
    volatile bool done;
} workers[WORKERS] = {
        {.go = AL_SEM_INIT(0, 1), .done = true},
        {.go = AL_SEM_INIT(0, 1), .done = true},
        {.go = AL_SEM_INIT(0, 1), .done = true},
        {.go = AL_SEM_INIT(0, 1), .done = true},
        {.go = AL_SEM_INIT(0, 1), .done = true},
};

static void worker(unsigned n)
{
    struct worker *self = &workers[n];

    for (;;) {
        al_sem_take(&self->go);
        switch (self->order) {
        case LOCK:
            self->status = al_mutex_lock(&mutex[self->which]);
            break;
        case TRY:
            self->status = al_mutex_try_lock(&mutex[self->which]);
            break;
        case UNLOCK:
            al_mutex_unlock(&mutex[self->which]);
            break;
        }
        self->done = true;
    }
}

#define WORKER(n, prio)         \
  static void w##n##_main(void) \
  {                             \
    worker(n);                  \
  }                             \
  AL_TASK(w##n, w##n##_main, prio, 1024)

WORKER(0, 2);
WORKER(1, 4);
WORKER(2, 4);
WORKER(3, 7);
WORKER(4, 9);

static struct al_task *const tasks[WORKERS] = {&w0, &w1, &w2, &w3, &w4};
static const unsigned bases[WORKERS] = {2, 4, 4, 7, 9};

static struct {
    int holder[MUTEXES];
    int waits_for[WORKERS]; /* a mutex, or NOBODY */
    unsigned prio[WORKERS];
    unsigned since[WORKERS]; /* at this place of the queue */
    unsigned clock;
} model;

static uint32_t random_state = SEED;

static uint32_t random_below(uint32_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % below;
}

static void model_settle(void)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (int n = 0; n < WORKERS; n++) {
            unsigned most = bases[n];

            for (int w = 0; w < WORKERS; w++) {
                int m = model.waits_for[w];

                if (m != NOBODY && model.holder[m] == n &&
                        model.prio[w] > most) {
                    most = model.prio[w];
                }
            }
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
        model.waits_for[heir] = NOBODY;
    }
    model_settle();
}

static void model_lock(int n, int m)
{
    if (model.holder[m] == NOBODY) {
        model.holder[m] = n;
        return;
    }
    model.waits_for[n] = m;
    model.clock++;
    model.since[n] = model.clock;
    model_settle();
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
        if (workers[n].done != (model.waits_for[n] == NOBODY)) {
            return "another one waits";
        }
    }
    return rig_check();
}

static unsigned locks, waits, unlocks, longest_chain;

static void tell(int n, enum order order, int m)
{
    workers[n].order = order;
    workers[n].which = (unsigned)m;
    workers[n].done = false;
    al_sem_give(&workers[n].go);
    al_sleep(1);
    al_sleep(1);
}

static const char *step(void)
{
    int n = (int)random_below(WORKERS);
    int m = (int)random_below(MUTEXES);
    unsigned chain = 0;

    while (model.waits_for[n] != NOBODY) {
        n = (n + 1) % WORKERS; /* without a cycle somebody does not wait */
    }
    if (model.holder[m] == n) {
        if (random_below(4) == 0) {
            tell(n, TRY, m);
            return workers[n].status == AL_E_BUSY ? compare() : "try: its own";
        }
        unlocks++;
        model_unlock(m);
        tell(n, UNLOCK, m);
        return compare();
    }
    if (closes_cycle(n, m) || random_below(3) == 0) {
        bool free = model.holder[m] == NOBODY;

        if (free) {
            model.holder[m] = n;
        }
        tell(n, TRY, m);
        return workers[n].status == (free ? AL_OK : AL_E_BUSY)
                       ? compare()
                       : "try: another answer";
    }
    locks++;
    model_lock(n, m);
    for (int w = n; model.waits_for[w] != NOBODY;
            w = model.holder[model.waits_for[w]]) {
        chain++;
    }
    waits += chain > 0;
    longest_chain = chain > longest_chain ? chain : longest_chain;
    tell(n, LOCK, m);
    return compare();
}

static void judge_main(void)
{
    const char *wrong = NULL;
    unsigned at = 0;

    test_note("SEED=%u", (unsigned)SEED);
    for (int m = 0; m < MUTEXES; m++) {
        model.holder[m] = NOBODY;
    }
    for (int n = 0; n < WORKERS; n++) {
        model.waits_for[n] = NOBODY;
        model.prio[n] = bases[n];
    }
    al_sleep(1);
    while (at < STEPS && wrong == NULL) {
        at++;
        wrong = step();
    }
    CHECK(wrong == NULL, "step %u: %s", at, wrong != NULL ? wrong : "right");
    CHECK(waits > STEPS / 20 && unlocks > STEPS / 10 && longest_chain >= 3,
            "%u locks, %u waited, %u unlocks, chains up to %u", locks, waits,
            unlocks, longest_chain);
    test_done();
}

AL_TASK(judge, judge_main, 20, 2048);
