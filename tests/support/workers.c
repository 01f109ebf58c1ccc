/* SPDX-License-Identifier: MIT */
/* The workers. See workers.h. */
#include "workers.h"

#include "journal.h"

#define COUNT 7

static struct worker workers[COUNT];
static struct al_sem go[COUNT] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};

struct worker *worker_of(char letter)
{
    return &workers[letter - 'a'];
}

void worker_begin(char letter, void (*job)(struct worker *worker))
{
    struct worker *worker = worker_of(letter);

    AL_ASSERT(!worker->busy);
    worker->job = job;
    worker->busy = true;
    (void)al_sem_give(&go[letter - 'a']);
}

void workers_give_way(void)
{
    (void)al_task_set_prio(al_task_id_self(), 2);
    (void)al_task_set_prio(al_task_id_self(), WORKERS_JUDGE_PRIO);
}

unsigned workers_busy(void)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < COUNT; i++) {
        busy += workers[i].busy;
    }
    return busy;
}

static void work(unsigned n)
{
    for (;;) {
        al_sem_take(&go[n]);
        workers[n].job(&workers[n]);
        workers[n].busy = false;
        journal_note((char)('a' + n));
    }
}

#define WORKER(n, letter, prio)            \
  static void worker_##letter##_main(void) \
  {                                        \
    work(n);                               \
  }                                        \
  AL_TASK(worker_##letter, worker_##letter##_main, prio, 1280)

WORKER(0, a, 10);
WORKER(1, b, 11);
WORKER(2, c, 10);
WORKER(3, d, 12);
WORKER(4, e, 10);
WORKER(5, f, 11);
WORKER(6, g, 3);
