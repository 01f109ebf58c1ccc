/* SPDX-License-Identifier: MIT */
/*
 * Mutexes: n waiters, n held, chains of n holders. See scale.h.
 */
#include "scale.h"

static struct al_mutex door = AL_MUTEX_INIT;
static struct al_sem let_go = AL_SEM_INIT(0, 1);
static unsigned held; /* how many `extra` is to take */

static void lock(struct al_mutex *mutex)
{
    al_status status = al_mutex_lock(mutex);

    AL_ASSERT(status == AL_OK);
}

static void pass_door(struct worker *self)
{
    (void)self;
    lock(&door);
    al_mutex_unlock(&door);
}

static void hold_door(struct worker *self)
{
    (void)self;
    lock(&door);
    al_sem_take(&let_go);
    COUNT_OPEN();
    al_mutex_unlock(&door);
    scale_note(COUNT_CLOSE());
}

/* Handing over to the most urgent of n waiters, of 27 priorities. */
void scale_mutex_unlock(unsigned n)
{
    worker_start(&extra, hold_door);
    workers_start(n, pass_door);
    worker_prio(&extra, 31);
    (void)al_sem_give(&let_go);
    worker_prio(&extra, 0);
}

/* Unlocking one of n that the task holds, and nobody waits for. */
void scale_mutex_unlock_newest(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        lock(&workers[i].mutex);
    }
    for (unsigned i = n; i-- > 0;) {
        COUNT_OPEN();
        al_mutex_unlock(&workers[i].mutex);
        scale_note(COUNT_CLOSE());
    }
}

/* There is always one that is newer. */
void scale_mutex_unlock_oldest(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        lock(&workers[i].mutex);
    }
    lock(&door);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        al_mutex_unlock(&workers[i].mutex);
        scale_note(COUNT_CLOSE());
    }
    al_mutex_unlock(&door);
}

/* From the middle to the newest but one, then from there to the oldest. */
void scale_mutex_unlock_middle(unsigned n)
{
    unsigned middle = n / 2;

    for (unsigned i = 0; i < n; i++) {
        lock(&workers[i].mutex);
    }
    lock(&door);
    for (unsigned i = 0; i < n; i++) {
        unsigned which = i < n - middle ? middle + i : n - 1 - i;

        COUNT_OPEN();
        al_mutex_unlock(&workers[which].mutex);
        scale_note(COUNT_CLOSE());
    }
    al_mutex_unlock(&door);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* A block's scope within another's, n deep. */
void scale_mutex_unlock_below(unsigned n)
{
    struct al_scope blocks[SCALE_MOST];

    lock(&door);
    for (unsigned i = 0; i < n; i++) {
        al_scope_open(&blocks[i], nothing, NULL);
    }
    COUNT_OPEN();
    al_mutex_unlock(&door);
    scale_note(COUNT_CLOSE());
    for (unsigned i = n; i-- > 0;) {
        al_scope_close(&blocks[i]);
    }
}

/* Takes `held` workers' mutexes, and measures how it unlocks each. */
static void hold_many(struct worker *self)
{
    (void)self;
    for (unsigned i = 0; i < held; i++) {
        lock(&workers[i].mutex);
    }
    al_sem_take(&let_go);
    for (unsigned i = held; i-- > 0;) {
        COUNT_OPEN();
        al_mutex_unlock(&workers[i].mutex);
        scale_note(COUNT_CLOSE());
    }
}

static void pass_own(struct worker *self)
{
    lock(&self->mutex);
    al_mutex_unlock(&self->mutex);
}

/* Unlocking one of n that the task holds, each with a waiter. */
void scale_mutex_unlock_contended(unsigned n)
{
    held = n;
    worker_start(&extra, hold_many);
    workers_start(n, pass_own);
    worker_prio(&extra, 31);
    (void)al_sem_give(&let_go);
    worker_prio(&extra, 0);
}

static void block_at_own(struct worker *self)
{
    COUNT_OPEN();
    lock(&self->mutex);
    al_mutex_unlock(&self->mutex);
}

static void hold_measure_nothing(struct worker *self)
{
    (void)self;
    for (unsigned i = 0; i < held; i++) {
        lock(&workers[i].mutex);
    }
    al_sem_take(&let_go);
    for (unsigned i = held; i-- > 0;) {
        al_mutex_unlock(&workers[i].mutex);
    }
}

/* A task of little urgency waits for one of n mutexes of one holder; more
 * urgent ones, of 27 priorities, wait for all the others. */
void scale_mutex_lock_contended(unsigned n)
{
    held = n;
    worker_start(&extra, hold_measure_nothing);
    worker_prio(&workers[0], 3);
    for (unsigned i = n; i-- > 1;) {
        worker_prio(&workers[i], (al_prio)(4 + i % 27));
        worker_start(&workers[i], pass_own);
    }
    workers[0].job = block_at_own;
    (void)al_sem_give(&workers[0].go);
    scale_note(COUNT_CLOSE());
    worker_prio(&extra, 31);
    (void)al_sem_give(&let_go);
    worker_prio(&extra, 0);
    workers_prio(n, 0);
}

/* Holds its own and waits for the one before; the first for `let_go`. */
static void link_chain(struct worker *self)
{
    lock(&self->mutex);
    if (self->index == 0) {
        al_sem_take(&let_go);
    } else {
        lock(&self[-1].mutex);
        al_mutex_unlock(&self[-1].mutex);
    }
    al_mutex_unlock(&self->mutex);
}

static void block_at_chain(struct worker *self)
{
    (void)self;
    COUNT_OPEN();
    lock(&workers[held - 1].mutex);
    al_mutex_unlock(&workers[held - 1].mutex);
}

/* A more urgent task waits for the last of a chain of n holders that wait for
 * each other: all of them inherit. */
void scale_mutex_inherit_chain(unsigned n)
{
    held = n;
    workers_prio(n, 2);
    workers_start(n, link_chain);
    worker_prio(&extra, 30);
    extra.job = block_at_chain;
    (void)al_sem_give(&extra.go);
    scale_note(COUNT_CLOSE());
    (void)al_sem_give(&let_go);
    worker_prio(&extra, 0);
    workers_prio(n, 0);
}
