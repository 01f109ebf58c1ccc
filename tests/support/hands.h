/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Hands: tasks that do one thing after another for the test's own task, which
 * must be less urgent than all of them: when hand_do() comes back, everybody is
 * where nobody can go on. Ticks come by hand (rig.h).
 *
 * Take it in by `sources: ../support/hands.c ../interleave/rig.c`.
 */

#include "../interleave/rig.h"

#include "journal.h"
#include "test.h"

struct hand {
    struct al_sem go;
    char letter; /* in the journal, when the job is done */
    al_status (*job)(struct hand *self);
    void *object;
    al_time deadline;
    struct al_task_id id; /* of the job's object, where that is a task */
    al_status status;     /* what the job came back with */
    volatile bool done;
};

#define HAND(name, priority)                            \
  static struct hand name##_hand = {                    \
          .go = AL_SEM_INIT(0, 1), .letter = #name[0]}; \
  static void name##_main(void)                         \
  {                                                     \
    hand_loop(&name##_hand);                            \
  }                                                     \
  AL_TASK_POLICY(name, name##_main, priority, 1536, &hand_policy)

/* Restarts without limit, at once. */
extern const struct al_restart_policy hand_policy;

AL_NORETURN void hand_loop(struct hand *hand);

/* Has `hand` do `job`; true when it is done by the time that this returns. */
bool hand_do(struct hand *hand, al_status (*job)(struct hand *self),
        void *object, al_time deadline);

/* What hands do. Those without a status come back with AL_OK. */
al_status hand_take(struct hand *self);
al_status hand_give(struct hand *self);
al_status hand_lock(struct hand *self);
al_status hand_try(struct hand *self);
al_status hand_unlock(struct hand *self);
al_status hand_park(struct hand *self);
al_status hand_sleep(struct hand *self);
al_status hand_join(struct hand *self);
al_status hand_nothing(struct hand *self);

/* All of the kernel's structures: "right", or what is wrong. */
const char *kernel(void);

/* n ticks, one by one. */
void ticks(unsigned n);

/* Runs `action` in a handler, at once; with the kernel lock taken by the caller
 * meanwhile, or free. */
void in_handler(void (*action)(void), bool locked);
