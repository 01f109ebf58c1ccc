/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Seven tasks that do what the judge (the test's own task, priority 5) hands
 * them, one job each at a time, and note their letter in the journal (journal.h)
 * when they have done it.
 *
 *   a 10   b 11   c 10   d 12   e 10   f 11   g 3
 *
 * Take it in by `sources: ../support/workers.c` in the test's head comment.
 */

#include <alula/alula.h>

#define WORKERS_JUDGE_PRIO 5

struct worker {
    void (*job)(struct worker *worker);
    volatile bool busy;
    /* The job's own. */
    uint32_t mask;
    uint32_t mode;
    al_time deadline;
    void *item;
    uint32_t got;
    al_status status;
};

/* The worker of this letter. */
struct worker *worker_of(char letter);

/* Hands it a job: all but g, who is less urgent, are in it, or done, when this
 * returns. */
void worker_begin(char letter, void (*job)(struct worker *worker));

/* Lets g run as well; for the judge. */
void workers_give_way(void);

/* How many have a job. */
unsigned workers_busy(void);
