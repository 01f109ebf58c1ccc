/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wait for a condition lets go of the mutex and takes it again, and
 * is woken once per signal, most urgent first, or once by a broadcast.
 *   1. seven waiters of four priorities: each signal wakes one, the right one,
 *      whether the one that signals holds the mutex or not; a signal for
 *      nobody is gone
 *   2. a broadcast wakes all in that order, and nobody twice: those that wait
 *      again at once stay, also when one of them broadcasts or signals
 *      meanwhile
 *   3. while it waits the mutex is free; at the return the caller holds it,
 *      whatever it is told; what it inherited ends with the release
 *   4. deadlines: in the past, at the tick, signal and tick in both orders
 *   5. the mutex poisoned, destroyed, the condition destroyed while waited for,
 *      and which status comes first
 * Fails if: the mutex is released before the task is queued, a broadcast wakes
 * who came later, or a status is told without the mutex.
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/workers.c
 */
#include "../interleave/rig.h"
#include "../support/workers.h"

#include "journal.h"
#include "test.h"

static struct al_cond cond = AL_COND_INIT;
static struct al_cond made;
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex other = AL_MUTEX_INIT;

static volatile unsigned inside; /* tasks that believe they hold the mutex */
static volatile bool twice;      /* there were two */

static void enter(void)
{
    inside++;
    twice = twice || inside != 1 || !al_mutex_is_mine(&mutex);
}

static void leave(void)
{
    twice = twice || inside != 1 || !al_mutex_is_mine(&mutex);
    inside--;
}

static void lock(void)
{
    al_status status = al_mutex_lock(&mutex);

    twice = twice || status != AL_OK;
    enter();
}

static void unlock(void)
{
    leave();
    al_mutex_unlock(&mutex);
}

/* worker->got: how often it was woken; worker->mask: how often it waits. */
static void wait_job(struct worker *worker)
{
    worker->got = 0;
    lock();
    for (uint32_t i = 0; i < worker->mask; i++) {
        leave();
        worker->status = al_cond_wait_until(&cond, &mutex, worker->deadline);
        enter();
        worker->got++;
        if (worker->mode == 1 && i == 0) {
            al_cond_broadcast(&cond);
        } else if (worker->mode == 2 && i == 0) {
            al_cond_signal(&cond);
        }
    }
    unlock();
}

static void begin(char letter, uint32_t times, uint32_t mode, al_time deadline)
{
    struct worker *worker = worker_of(letter);

    worker->mask = times;
    worker->mode = mode;
    worker->deadline = deadline;
    worker_begin(letter, wait_job);
    workers_give_way();
}

static void begin_all(const char *who, uint32_t times)
{
    journal_clear();
    for (; *who != '\0'; who++) {
        begin(*who, times, 0, AL_FOREVER);
    }
}

static void signals(bool held)
{
    al_cond_signal(&cond);
    begin_all("gacbefd", 1);
    CHECK(workers_busy() == 7, "held %d: a signal for nobody is gone", held);
    for (unsigned i = 1; i <= 7; i++) {
        if (held) {
            lock();
        }
        al_cond_signal(&cond);
        if (held) {
            CHECK(workers_busy() == 8 - i, "held: woken, not yet back, %u", i);
            unlock();
        }
        workers_give_way();
        CHECK(workers_busy() == 7 - i, "held %d: signal %u wakes one", held, i);
    }
    CHECK(journal_is("dbfaceg"), "held %d: the most urgent first: %s", held,
            journal());
}

static void broadcasts(bool held)
{
    unsigned once = 0;

    begin_all("gacbefd", 2);
    for (unsigned i = 1; i <= 2; i++) {
        if (held) {
            lock();
        }
        al_cond_broadcast(&cond);
        if (held) {
            unlock();
        }
        workers_give_way();
        once = 0;
        for (char who = 'a'; who <= 'g'; who++) {
            once += worker_of(who)->got == i;
        }
        CHECK(once == 7, "held %d: broadcast %u wakes each once: %u", held, i,
                once);
    }
    CHECK(journal_is("dbfaceg"), "held %d: the most urgent first: %s", held,
            journal());
    al_cond_broadcast(&cond);
}

/* d, the first that is woken, does something while the judge broadcasts. */
static void broadcast_in_broadcast(void)
{
    begin_all("gacbef", 2);
    begin('d', 2, 1, AL_FOREVER);
    al_cond_broadcast(&cond);
    workers_give_way();
    for (char who = 'a'; who <= 'g'; who++) {
        CHECK(worker_of(who)->got == 1, "two broadcasts: %c was woken %u times",
                who, (unsigned)worker_of(who)->got);
    }
    al_cond_broadcast(&cond);
    workers_give_way();
    CHECK(workers_busy() == 0, "the next one wakes all");
    /* d and b wait again when the second d's signal comes: it wakes the first
     * of those. */
    begin_all("ac", 1);
    begin('d', 1, 2, AL_FOREVER);
    al_cond_broadcast(&cond);
    CHECK(journal_is("dac"), "a signal in a broadcast: %s", journal());
    begin_all("a", 1);
    CHECK(workers_busy() == 1, "is not kept for who comes later");
    al_cond_signal(&cond);
    CHECK(workers_busy() == 0, "who is woken by the next");
}

/* ---- the mutex ---- */

static void lock_job(struct worker *worker)
{
    worker->status = al_mutex_lock_until(&other, AL_FOREVER);
    if (worker->status == AL_OK) {
        al_mutex_unlock(&other);
    }
}

static void wait_other_job(struct worker *worker)
{
    struct al_task_info info;

    worker->status = al_mutex_lock(&other);
    worker_begin('d', lock_job); /* it waits, g runs at 12 */
    al_task_read(al_task_self(), &info);
    worker->got = info.prio;
    worker->status = al_cond_wait(&cond, &other);
    al_task_read(al_task_self(), &info);
    worker->got = worker->got << 8 | info.prio;
    al_mutex_unlock(&other);
}

static void released(void)
{
    const struct worker *g = worker_of('g');

    journal_clear();
    worker_begin('g', wait_other_job);
    workers_give_way();
    CHECK(journal_is("d") && !al_mutex_is_held(&other),
            "who waits has let go of the mutex: %s", journal());
    lock();
    al_cond_signal(&cond);
    unlock();
    workers_give_way();
    CHECK(journal_is("dg") && g->status == AL_OK && g->got == 0x0c03,
            "what it inherited ended: %x", (unsigned)g->got);
}

/* ---- time ---- */

static void deadlines(void)
{
    const struct worker *a = worker_of('a');
    al_status status;

    lock();
    status = al_cond_wait_until(&cond, &mutex, AL_POLL);
    CHECK(status == AL_E_TIMEOUT && al_mutex_is_mine(&mutex), "a poll");
    status = al_cond_wait_until(&cond, &mutex, al_now());
    CHECK(status == AL_E_TIMEOUT && al_mutex_is_mine(&mutex), "the past");
    unlock();
    begin('a', 1, 0, al_in(2));
    rig_pend_tick();
    CHECK(a->busy, "one tick before");
    rig_pend_tick();
    CHECK(!a->busy && a->status == AL_E_TIMEOUT, "the tick");
    begin('a', 1, 0, al_in(1));
    al_cond_signal(&cond);
    rig_pend_tick();
    CHECK(!a->busy && a->status == AL_OK, "the signal, then the tick");
    begin('a', 1, 0, al_in(1));
    begin('c', 1, 0, AL_FOREVER);
    rig_pend_tick();
    al_cond_signal(&cond);
    CHECK(!a->busy && a->status == AL_E_TIMEOUT && workers_busy() == 0,
            "the tick, then the signal: the next has it");
    begin('a', 1, 0, al_in(1));
    lock();
    rig_pend_tick();
    CHECK(a->busy && a->status == AL_E_TIMEOUT,
            "late, and the mutex is held by another");
    rig_pend_tick();
    unlock();
    CHECK(!a->busy && a->status == AL_E_TIMEOUT, "late, and back with it");
    begin('a', 1, 0, al_in(1));
    lock();
    al_cond_signal(&cond);
    rig_pend_tick();
    rig_pend_tick();
    unlock();
    CHECK(!a->busy && a->status == AL_OK,
            "signalled: the deadline does not limit the lock");
}

/* ---- ends ---- */

static void die_job(struct worker *worker)
{
    worker->status = al_mutex_lock(&other);
    worker->busy = false;
    al_panic("as it should");
}

static void wait_plain_job(struct worker *worker)
{
    worker->status = al_mutex_lock(&other);
    if (worker->status == AL_E_POISONED) {
        al_mutex_heal(&other);
    }
    worker->status = al_cond_wait_until(&cond, &other, worker->deadline);
    worker->got = al_mutex_is_mine(&other);
    if (worker->got != 0) {
        al_mutex_heal(&other);
        al_mutex_unlock(&other);
    }
}

static void begin_plain(char letter, al_time deadline)
{
    worker_of(letter)->deadline = deadline;
    worker_begin(letter, wait_plain_job);
}

static bool ended(char letter, al_status status, bool mine)
{
    const struct worker *worker = worker_of(letter);

    return !worker->busy && worker->status == status && worker->got == mine;
}

static void poisoned(void)
{
    begin_plain('a', AL_FOREVER);
    worker_begin('d', die_job);
    CHECK(al_crash_count() == 1 && !al_mutex_is_held(&other),
            "the mutex is poisoned");
    al_cond_signal(&cond);
    CHECK(ended('a', AL_E_POISONED, true), "a signal, and poisoned");
    begin_plain('a', al_in(1));
    worker_begin('d', die_job);
    rig_pend_tick();
    CHECK(ended('a', AL_E_POISONED, true), "too late, and poisoned");
    begin_plain('a', AL_FOREVER);
    worker_begin('d', die_job);
    al_cond_destroy(&cond);
    CHECK(ended('a', AL_E_DESTROYED, true), "destroyed, and poisoned");
    al_cond_init(&cond);
}

static void destroyed(void)
{
    journal_clear();
    for (const char *who = "acbefd"; *who != '\0'; who++) {
        begin_plain(*who, AL_FOREVER);
    }
    al_cond_destroy(&cond);
    CHECK(journal_is("dbface"), "destroy wakes all: %s", journal());
    for (char who = 'a'; who <= 'f'; who++) {
        CHECK(ended(who, AL_E_DESTROYED, true), "%c is told, with the mutex",
                who);
    }
    al_cond_init(&cond);
    begin_plain('a', AL_FOREVER);
    al_cond_signal(&cond);
    CHECK(ended('a', AL_OK, true), "made anew");
    begin_plain('a', AL_FOREVER);
    al_mutex_destroy(&other);
    al_cond_signal(&cond);
    CHECK(ended('a', AL_E_DESTROYED, false), "the mutex was destroyed");
    al_mutex_init(&other, true);
    begin_plain('a', AL_FOREVER);
    CHECK(al_mutex_lock(&other) == AL_OK, "a recursive one is free");
    al_cond_signal(&cond);
    al_mutex_destroy(&other);
    CHECK(ended('a', AL_E_DESTROYED, false),
            "destroyed while it takes it again");
    al_cond_init(&made);
    al_cond_signal(&made);
    al_cond_broadcast(&made);
    al_cond_destroy(&made);
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    signals(false);
    signals(true);
    broadcasts(false);
    broadcasts(true);
    broadcast_in_broadcast();
    released();
    deadlines();
    poisoned();
    destroyed();
    CHECK(!twice, "never two, and never none, behind the mutex");
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, WORKERS_JUDGE_PRIO, 2560);
