/* SPDX-License-Identifier: MIT */
/*
 * Claim: the holder of a mutex runs at the priority of its most urgent waiter,
 * through every chain of holders, and at its own again exactly when it has
 * unlocked what that one waited for.
 *   1. low holds, high waits: mid does not run before high has it
 *   2. a chain of three mutexes: the last holder is raised when the first link
 *      is closed, whether the waiter comes first or last
 *   3. several mutexes with waiters of several priorities, unlocked in every
 *      order: the priority falls step by step
 *   4. handed over to the most urgent waiter, equals by arrival
 *   5. try_lock: free, held by another, held by itself
 *   6. a raised waiter moves up in the queue it waits in, of a mutex and of a
 *      semaphore; a raised holder that is preempted runs first in its level
 *   7. the mutex remembers its taker's stack pointer
 * Fails if: a release sets the base priority, or inheritance stops after one
 * link, or a holder that was lowered goes to the tail of its level.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

#define WORKERS 6
#define MUTEXES 3

static struct al_mutex mutex[MUTEXES] = {
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};
static struct al_sem sem = AL_SEM_INIT(0, 10);

/* What a worker is told to do next. */
enum order {
    LOCK,
    UNLOCK,
    TRY,
    TAKE
};

static struct worker {
    struct al_sem go;
    enum order order;
    unsigned which;
    al_status status;
    volatile bool done;
} workers[WORKERS] = {
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)},
};
static char journal[16];
static volatile unsigned length;

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
        case TAKE:
            al_sem_take(&sem);
            break;
        }
        if (length < sizeof(journal) - 1) {
            journal[length] = (char)('0' + n);
            length++;
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
WORKER(2, 6);
WORKER(3, 8);
WORKER(4, 8);
WORKER(5, 2);

static struct al_task *const tasks[WORKERS] = {&w0, &w1, &w2, &w3, &w4, &w5};

/* True when the worker has done it by the time that nobody can go on. */
static bool tell(unsigned n, enum order order, unsigned which)
{
    workers[n].order = order;
    workers[n].which = which;
    workers[n].done = false;
    al_sem_give(&workers[n].go);
    al_sleep(2);
    return workers[n].done;
}

static bool prios_are(
        unsigned p0, unsigned p1, unsigned p2, unsigned p3, unsigned p4)
{
    const unsigned expected[WORKERS] = {p0, p1, p2, p3, p4, 2};

    for (unsigned n = 0; n < WORKERS; n++) {
        struct al_task_info info;

        al_task_read(tasks[n], &info);
        if (info.prio != expected[n]) {
            test_note("worker %u has %u, not %u", n, (unsigned)info.prio,
                    expected[n]);
            return false;
        }
    }
    return true;
}

static bool idle(void)
{
    const char *wrong = rig_check();

    if (wrong != NULL) {
        test_note("%s", wrong);
    }
    for (unsigned m = 0; m < MUTEXES; m++) {
        if (al_mutex_is_held(&mutex[m])) {
            return false;
        }
    }
    return wrong == NULL && prios_are(2, 4, 6, 8, 8);
}

static void one_link(void)
{
    CHECK(tell(0, LOCK, 0) && workers[0].status == AL_OK, "free: taken");
    CHECK(prios_are(2, 4, 6, 8, 8), "free: nobody is raised");
    CHECK(!tell(1, LOCK, 0) && prios_are(4, 4, 6, 8, 8), "raised to 4");
    CHECK(!tell(3, LOCK, 0) && prios_are(8, 4, 6, 8, 8), "raised to 8");
    CHECK(!tell(2, LOCK, 0) && prios_are(8, 4, 6, 8, 8), "not lowered to 6");
    CHECK(tell(0, UNLOCK, 0) && prios_are(2, 4, 6, 8, 8) && workers[3].done,
            "the most urgent has it, the holder its own priority");
    CHECK(!workers[1].done && !workers[2].done, "the others wait");
    CHECK(tell(3, UNLOCK, 0) && workers[2].done && !workers[1].done,
            "the next most urgent");
    CHECK(tell(2, UNLOCK, 0) && workers[1].done, "and the last");
    CHECK(tell(1, UNLOCK, 0) && idle(), "all as it was");
}

/* w0 holds 0, w1 holds 1 and waits for 0, w2 holds 2 and waits for 1. */
static void chain(bool last_link_first)
{
    bool built = tell(0, LOCK, 0) && tell(1, LOCK, 1) && tell(2, LOCK, 2);

    if (last_link_first) {
        built = built && !tell(3, LOCK, 2) && !tell(2, LOCK, 1) &&
                prios_are(2, 8, 8, 8, 8) && !tell(1, LOCK, 0);
    } else {
        built = built && !tell(1, LOCK, 0) && prios_are(4, 4, 6, 8, 8) &&
                !tell(2, LOCK, 1) && prios_are(6, 6, 6, 8, 8) &&
                !tell(3, LOCK, 2);
    }
    CHECK(built && prios_are(8, 8, 8, 8, 8), "chain %d: all are raised",
            last_link_first);
    CHECK(tell(0, UNLOCK, 0) && prios_are(2, 8, 8, 8, 8) && workers[1].done,
            "chain %d: the first link", last_link_first);
    CHECK(tell(1, UNLOCK, 1) && prios_are(2, 4, 8, 8, 8) && workers[2].done,
            "chain %d: the second", last_link_first);
    CHECK(tell(1, UNLOCK, 0) && tell(2, UNLOCK, 1) && tell(2, UNLOCK, 2) &&
                    prios_are(2, 4, 6, 8, 8) && workers[3].done,
            "chain %d: the third", last_link_first);
    CHECK(tell(3, UNLOCK, 2) && idle(), "chain %d: all as it was",
            last_link_first);
}

/* w0 holds all three; w1, w2, w3 (4, 6, 8) wait for one each. */
static void any_order(unsigned x, unsigned y, unsigned z)
{
    static const unsigned waits_at[3] = {4, 6, 8};
    unsigned order[3] = {x, y, z};
    unsigned held = 7;
    bool right = tell(0, LOCK, 0) && tell(0, LOCK, 1) && tell(0, LOCK, 2) &&
                 !tell(1, LOCK, 0) && !tell(2, LOCK, 1) && !tell(3, LOCK, 2) &&
                 prios_are(8, 4, 6, 8, 8);

    for (unsigned i = 0; i < 3; i++) {
        unsigned most = 2;

        held &= ~(1u << order[i]);
        for (unsigned m = 0; m < 3; m++) {
            if ((held >> m & 1) != 0 && waits_at[m] > most) {
                most = waits_at[m];
            }
        }
        right = right && tell(0, UNLOCK, order[i]) &&
                prios_are(most, 4, 6, 8, 8) && workers[order[i] + 1].done;
    }
    CHECK(right, "unlocked in order %u%u%u", x, y, z);
    for (unsigned n = 1; n < 4; n++) {
        right = right && tell(n, UNLOCK, n - 1);
    }
    CHECK(right && idle(), "order %u%u%u: all as it was", x, y, z);
}

static void handover(void)
{
    bool right = tell(0, LOCK, 0) && !tell(4, LOCK, 0) && !tell(3, LOCK, 0) &&
                 !tell(2, LOCK, 0) && tell(0, UNLOCK, 0);

    CHECK(right && workers[4].done && !workers[3].done,
            "equals: the first that came");
    CHECK(tell(4, UNLOCK, 0) && workers[3].done && !workers[2].done,
            "then the second");
    CHECK(tell(3, UNLOCK, 0) && workers[2].done && tell(2, UNLOCK, 0) && idle(),
            "then the less urgent");
}

static void tries(void)
{
    CHECK(tell(0, TRY, 0) && workers[0].status == AL_OK, "try: free");
    CHECK(tell(1, TRY, 0) && workers[1].status == AL_E_BUSY, "try: held");
    CHECK(prios_are(2, 4, 6, 8, 8), "try: nobody is raised");
    CHECK(tell(0, TRY, 0) && workers[0].status == AL_E_BUSY,
            "try: held by itself");
    CHECK(tell(0, UNLOCK, 0) && idle(), "try: all as it was");
}

static void moves_up(void)
{
    bool right;

    /* w0 and w1 wait for mutex 1, w0 raised over w1 while it waits. */
    right = tell(2, LOCK, 1) && tell(0, LOCK, 0) && !tell(1, LOCK, 1) &&
            !tell(0, LOCK, 1) && !tell(3, LOCK, 0) &&
            prios_are(8, 4, 8, 8, 8) && tell(2, UNLOCK, 1);
    CHECK(right && workers[0].done && !workers[1].done,
            "a raised waiter moves up at a mutex");
    right = tell(0, UNLOCK, 0) && tell(3, UNLOCK, 0) && tell(0, UNLOCK, 1) &&
            tell(1, UNLOCK, 1);
    CHECK(right && idle(), "mutex: all as it was");

    right = tell(0, LOCK, 0) && !tell(1, TAKE, 0) && !tell(0, TAKE, 0) &&
            !tell(3, LOCK, 0) && prios_are(8, 4, 6, 8, 8);
    al_sem_give(&sem);
    al_sleep(2);
    CHECK(right && workers[0].done && !workers[1].done,
            "a raised waiter moves up at a semaphore");
    right = tell(0, UNLOCK, 0) && tell(3, UNLOCK, 0);
    al_sem_give(&sem);
    al_sleep(2);
    CHECK(right && workers[1].done && idle(), "semaphore: all as it was");
}

/* Nobody in between runs before the most urgent waiter has the mutex. */
static void no_inversion(void)
{
    bool right = tell(0, LOCK, 0);

    length = 0;
    workers[3].order = LOCK;
    workers[3].which = 0;
    workers[0].order = UNLOCK;
    workers[0].which = 0;
    workers[2].order = TRY;
    workers[2].which = 1;
    al_sem_give(&workers[0].go);
    al_sem_give(&workers[2].go);
    al_sem_give(&workers[3].go);
    al_sleep(2);
    /* w3 waits and raises w0 over w2; w0 notes only after its unlock. */
    CHECK(right && length == 3 && journal[0] == '3' && journal[1] == '2' &&
                    journal[2] == '0',
            "no inversion: %c%c%c", journal[0], journal[1], journal[2]);
    CHECK(tell(2, UNLOCK, 1) && tell(3, UNLOCK, 0) && idle(),
            "inversion: all as it was");
}

/* The holder, raised and lowered again, still goes before its equal. */
static void keeps_place(void)
{
    bool right = tell(0, LOCK, 0);

    length = 0;
    workers[0].order = UNLOCK;
    workers[0].which = 0;
    workers[5].order = TRY;
    workers[5].which = 1;
    workers[3].order = LOCK;
    workers[3].which = 0;
    al_sem_give(&workers[0].go);
    al_sem_give(&workers[5].go);
    al_sem_give(&workers[3].go);
    al_sleep(2);
    CHECK(right && length == 3 && journal[0] == '3' && journal[1] == '0' &&
                    journal[2] == '5',
            "lowered, before its equal: %c%c%c", journal[0], journal[1],
            journal[2]);
    CHECK(tell(5, UNLOCK, 1) && tell(3, UNLOCK, 0) && idle(),
            "place: all as it was");
}

/* Recovery orders a lock among frames by the stack pointer at its take. */
static void knows_its_frame(void)
{
    uintptr_t sp;
    al_status status;

    __asm__ volatile("mov %0, sp" : "=r"(sp));
    status = al_mutex_lock(&mutex[0]);
    CHECK(status == AL_OK && (uintptr_t)mutex[0].scope.arg == sp,
            "a lock knows where it was taken");
    al_mutex_unlock(&mutex[0]);
    status = al_mutex_try_lock(&mutex[0]);
    CHECK(status == AL_OK && (uintptr_t)mutex[0].scope.arg == sp,
            "a lock that was tried, too");
    al_mutex_unlock(&mutex[0]);
}

static void judge_main(void)
{
    al_sleep(1);
    one_link();
    chain(false);
    chain(true);
    any_order(0, 1, 2);
    any_order(0, 2, 1);
    any_order(1, 0, 2);
    any_order(1, 2, 0);
    any_order(2, 0, 1);
    any_order(2, 1, 0);
    handover();
    tries();
    moves_up();
    no_inversion();
    keeps_place();
    knows_its_frame();
    test_done();
}

AL_TASK(judge, judge_main, 20, 2048);
