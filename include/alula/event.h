/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Event sets: 32 bits that tasks and interrupts set, and tasks wait for.
 *
 * The bits are one atomic word, so an interrupt sets them at any moment and
 * knows that they are set. A task waits for any of a mask of bits, or for all
 * of them. Bits are consumed only when a wait is satisfied, and then all that
 * it asked for at once: a wait for all of three bits takes none while one is
 * missing. When bits come, the waiters are looked at one by one, most urgent
 * first, in order of arrival among equals; each that is satisfied by the bits as
 * they are at its turn gets them, and what it consumed is gone for the next.
 *
 * Not here: how often a bit was set (sem.h), data (mailbox.h).
 */

#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* How a wait is satisfied: one of the first two, with the third or without. */
#define AL_EVENT_ANY  0u /* when one bit of the mask is set, or more */
#define AL_EVENT_ALL  1u /* when all of them are */
#define AL_EVENT_KEEP 2u /* nothing is consumed */

/* Fields belong to the kernel; define one with AL_EVENT_INIT. All zeros is no
 * event set: using it is found out. */
struct al_event {
    uint32_t bits;           /* atomic */
    struct al_post post;     /* an interrupt asks the holder to look */
    struct al_waitq waiters; /* under the kernel lock, as all below */
    /* A look that let posts through goes on here; NULL: none is under way. */
    struct al_task *next;
    uint32_t hurry; /* priority of a task that waits for the look's end */
    uint32_t seen;  /* whoever was passed had at least these bits */
};

#define AL_EVENT_INIT                                         \
  {                                                           \
    0, AL_POST_INIT(AL_KIND_EVENT), AL_WAITQ_INIT, NULL, 0, 0 \
  }

/**
 * Make an event set at run time, in memory that is none; no bit is set.
 *
 * @param[out] event  must outlive its users
 * @context   any
 */
void al_event_init(struct al_event *event);

/**
 * End an event set. Tasks that wait for it get AL_E_DESTROYED; no interrupt may
 * use it any more (one that does is told).
 *
 * @context   task; may switch
 * @panics    EVENT.1  called from an interrupt handler
 * @panics    EVENT.2  no event set: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_event_destroy(struct al_event *event);

/**
 * Set bits; whoever waits for them and is more urgent runs before this returns.
 *
 * @param[in,out] event
 * @param[in] bits  to be set; those that are set stay set
 * @context   task; may switch
 * @panics    EVENT.1  called from an interrupt handler
 * @panics    EVENT.2  destroyed, or never initialised
 * @cost      constant when nobody waits; else a step per task that waits,
 *            interrupts' posts are dealt with in between
 */
void al_event_set(struct al_event *event, uint32_t bits);

/**
 * The same, from an interrupt handler of any priority at any moment. Waiters
 * are looked at when the last handler has ended and nobody holds the kernel
 * lock.
 *
 * @param[in,out] event
 * @param[in] bits
 * @context   irq
 * @return    AL_OK           they are set
 * @return    AL_E_DESTROYED  destroyed, or never initialised; nothing changed
 * @cost      constant
 */
al_status al_irq_event_set(struct al_event *event, uint32_t bits);

/**
 * Clear bits. A wait that they had satisfied already stays satisfied.
 *
 * @param[in,out] event
 * @param[in] bits  to be cleared
 * @context   any
 * @return    the bits that were set before, all 32; for a handler that names no
 *            event set 0
 * @panics    EVENT.2  destroyed, or never initialised; not in a handler
 * @cost      constant
 */
uint32_t al_event_clear(struct al_event *event, uint32_t bits);

/**
 * Read the bits.
 *
 * @context   any
 * @return    those that are set now
 */
uint32_t al_event_get(const struct al_event *event);

/**
 * Wait for bits.
 *
 * @param[in,out] event  must outlive every task that waits for it
 * @param[in] mask       the bits; at least one
 * @param[in] mode       AL_EVENT_ANY or AL_EVENT_ALL; | AL_EVENT_KEEP
 * @param[in] deadline   see time.h
 * @param[out] got       the bits of the mask that were set when the wait was
 *                       satisfied; without AL_EVENT_KEEP they are clear now. 0
 *                       when it was not. May be NULL
 * @context   task; may switch, waits
 * @return    AL_OK           satisfied
 * @return    AL_E_TIMEOUT    not before the deadline; nothing was consumed
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited
 * @panics    EVENT.1  called from an interrupt handler
 * @panics    EVENT.2  destroyed, or never initialised
 * @panics    EVENT.3  no bit in the mask, or a mode that does not exist
 * @unwind    what was consumed stays consumed
 * @cost      constant when satisfied; else one bounded step per distinct
 *            priority among the waiters, and with a deadline at most 32 steps
 *            through the timer tree
 */
AL_MUST_USE al_status al_event_wait(struct al_event *event, uint32_t mask,
        uint32_t mode, al_time deadline, uint32_t *got);

AL_EXTERN_C_END
