/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How costs grow with the number of tasks, waiters, timers, blocks: what the
 * parts of the scale bench share. Each operation is a function that is given n,
 * measures, and leaves everything as it found it.
 *
 * The conductor runs at priority 1: whatever worker it starts runs at once,
 * until it waits. With scale_urgent(true) it is the most urgent task: whatever
 * it wakes is ready, and does not run. Workers have priorities 3 to 29, in turn,
 * `extra` has 2, unless an operation says otherwise.
 */

#include <alula/alula.h>

#include "count.h"
#include "say.h"

#define SCALE_MOST 1000u

struct worker {
    struct al_spawn memory;
    struct al_sem go;
    void (*job)(struct worker *self);
    struct al_mutex mutex;
    al_time when;
    struct worker *self; /* its argument */
    struct al_task_id id;
    unsigned index;
};

extern struct worker workers[SCALE_MOST];
extern struct worker extra; /* one more */

/* Does `job` once, in the worker. */
void worker_start(struct worker *worker, void (*job)(struct worker *self));
void workers_start(unsigned n, void (*job)(struct worker *self));

/* Priority of one, or of the first n; 0: their own. */
void worker_prio(struct worker *worker, al_prio prio);
void workers_prio(unsigned n, al_prio prio);

void scale_urgent(bool urgent);

/* Notes what was counted since COUNT_OPEN(); the operation's figure is the
 * largest. */
void scale_note(uint32_t to);
void scale_note_insns(uint32_t insns);

#define SCALE_ICSR           (*(volatile uint32_t *)0xe000ed04u)
#define SCALE_ICSR_PENDSTSET (1u << 26)

/* SCALE(name in the results, needs n ...): docs/numbers.md says what each is. */
#define SCALE_OPS(SCALE)        \
  SCALE(sem_give)               \
  SCALE(irq_sem_give)           \
  SCALE(sem_take_block)         \
  SCALE(yield)                  \
  SCALE(wake_among_ready)       \
  SCALE(mutex_unlock)           \
  SCALE(mutex_unlock_newest)    \
  SCALE(mutex_unlock_oldest)    \
  SCALE(mutex_unlock_middle)    \
  SCALE(mutex_unlock_below)     \
  SCALE(mutex_unlock_contended) \
  SCALE(mutex_lock_contended)   \
  SCALE(mutex_inherit_chain)    \
  SCALE(sleep)                  \
  SCALE(tick_idle)              \
  SCALE(tick_wake)              \
  SCALE(tick_wake_all)          \
  SCALE(heap_alloc)             \
  SCALE(heap_free)              \
  SCALE(chan_send)              \
  SCALE(cond_signal)            \
  SCALE(event_set)              \
  SCALE(timer_start)            \
  SCALE(timer_stop)             \
  SCALE(task_create)

#define SCALE_DECLARE_(name) void scale_##name(unsigned n);
SCALE_OPS(SCALE_DECLARE_)
