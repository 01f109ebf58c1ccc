/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two parts that every object shares: a queue of waiting tasks, and a post,
 * by which an interrupt that finds the kernel lock taken leaves work for its
 * holder. Their fields belong to the kernel; an application only places them.
 *
 * The post also carries the object's tag: its kind, four times, so that memory
 * which is no object, or no longer one, is told from one that is. All zeros is
 * no object of any kind.
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

/* What an object is; what a task waits for; what a post asks for. */
enum al_kind {
    AL_KIND_NONE = 0, /* of a wait: time only; of a post: a look, no more */
    AL_KIND_SEM = 1,
    AL_KIND_MUTEX = 2,
    AL_KIND_COND = 3,
    AL_KIND_EVENT = 4,
    AL_KIND_CHAN = 5,
    AL_KIND_MAILBOX = 6,
    AL_KIND_TIMER = 7,
    AL_KIND_TASK = 8, /* a task parks */
    AL_KIND_CLOCK = 9,
    AL_KIND_JOIN = 10, /* a task waits for the end of another */
    AL_KIND_KILL = 11, /* of a timer: killed tasks are looked after */
    AL_KIND_GUARD = 12,
};

/* The tag of an object of a kind; an immediate of the processor's compare. */
#define AL_TAG(kind) (0xa0a0a0a0u + 0x01010101u * (uint32_t)(kind))

/* On the inbox at most once: whoever moves `pending` from 0 to 1 pushes it. */
struct al_post {
    struct al_post *next; /* inbox link; the pusher's, then the drainer's */
    uint32_t pending;     /* atomic; 1 from the push until it is looked at */
    uint32_t tag;         /* AL_TAG of the object; 0: destroyed */
};

#define AL_POST_INIT(kind)  \
  {                         \
    NULL, 0, AL_TAG((kind)) \
  }

AL_EXTERN_C_END
