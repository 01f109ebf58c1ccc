/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two parts that every object shares: a queue of waiting tasks, and a post,
 * by which an interrupt that finds the kernel lock taken leaves work for its
 * holder. Their fields belong to the kernel; an application only places them.
 */

#include <alula/types.h>

AL_EXTERN_C_BEGIN

struct al_task;

/*
 * Waiters, most urgent first, first come first served within a priority. One
 * ring per priority that is present; the first member of each ring is also
 * in the list of rings. Entering walks that list: one bounded step per
 * distinct priority, whatever the number of waiters.
 */
struct al_waitq {
    struct al_task *head; /* first of the most urgent ring; NULL when empty */
};

#define AL_WAITQ_INIT \
  {                   \
    NULL              \
  }

/* What the holder of the kernel lock does for a post. */
enum al_post_kind {
    AL_POST_RESCHED,
    AL_POST_TIMER,
    AL_POST_SEM
};

/* On the inbox at most once: whoever moves `pending` from 0 to 1 pushes it. */
struct al_post {
    struct al_post *next; /* inbox link; the pusher's, then the drainer's */
    uint32_t pending;     /* atomic; 1 from the push until it is looked at */
    uint32_t kind;        /* const; enum al_post_kind */
};

#define AL_POST_INIT(kind) \
  {                        \
    NULL, 0, (kind)        \
  }

AL_EXTERN_C_END
