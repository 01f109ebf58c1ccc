/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Mailboxes: one slot for one pointer, or a word in its place, from tasks and
 * interrupts to tasks.
 *
 * The slot is one atomic word, and NULL is an empty slot: so a handler posts at
 * any moment and knows at once whether the slot was free, and nothing else needs
 * to be kept. What a pointer points to belongs to the receiver once it is in.
 * A word is sent as (void *)(uintptr_t)word; 0 cannot be.
 *
 * Two uses: hand over, where a full slot makes the sender wait or turns it
 * away; and the latest value, where what is in the slot is replaced.
 *
 * Not here: more than one slot, and messages by value (chan.h).
 */

#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

AL_EXTERN_C_BEGIN

/* Fields belong to the kernel; define one with AL_MAILBOX_INIT. All zeros is no
 * mailbox: using it is found out. */
struct al_mailbox {
    void *item;                /* atomic; NULL: empty */
    struct al_post post;       /* an interrupt asks the holder to hand over */
    struct al_waitq receivers; /* under the kernel lock */
    struct al_waitq senders;   /* under the kernel lock */
};

#define AL_MAILBOX_INIT                                               \
  {                                                                   \
    NULL, AL_POST_INIT(AL_KIND_MAILBOX), AL_WAITQ_INIT, AL_WAITQ_INIT \
  }

/**
 * Make a mailbox at run time, in memory that is none; it is empty.
 *
 * @param[out] mailbox  must outlive its users
 * @context   any
 */
void al_mailbox_init(struct al_mailbox *mailbox);

/**
 * End a mailbox. Tasks that wait for it get AL_E_DESTROYED; no interrupt may
 * use it any more (one that does is told). What is in it is forgotten: receive
 * it before, if it must not be.
 *
 * @context   task; may switch
 * @panics    MAILBOX.1  called from an interrupt handler
 * @panics    MAILBOX.2  no mailbox: destroyed, or never initialised
 * @cost      a step per task that waits, other tasks may run in between
 */
void al_mailbox_destroy(struct al_mailbox *mailbox);

/**
 * Put `item` in; wait while the slot is full. The most urgent receiver that
 * waits gets it. Senders that wait are served most urgent first.
 *
 * @param[in,out] mailbox  must outlive every task that waits for it
 * @param[in] item         not NULL
 * @param[in] deadline     see time.h
 * @context   task; may switch, waits
 * @return    AL_OK           it is in, or received
 * @return    AL_E_TIMEOUT    the slot stayed full; the item is the caller's
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited; the item
 *                            is the caller's
 * @panics    MAILBOX.1  called from an interrupt handler
 * @panics    MAILBOX.2  destroyed, or never initialised
 * @panics    MAILBOX.3  the item is NULL
 * @unwind    an item that is in stays in
 * @cost      constant when empty; blocking: one bounded step per distinct
 *            priority among the senders
 */
AL_MUST_USE al_status al_mailbox_send_until(
        struct al_mailbox *mailbox, void *item, al_time deadline);

/**
 * Put `item` in, in place of what is there; never waits. The most urgent
 * receiver that waits gets it. Senders that wait go on waiting.
 *
 * @param[in,out] mailbox
 * @param[in] item  not NULL
 * @context   task; may switch
 * @return    what was in the slot, the caller's now; NULL when it was empty
 * @panics    MAILBOX.1  called from an interrupt handler
 * @panics    MAILBOX.2  destroyed, or never initialised
 * @panics    MAILBOX.3  the item is NULL
 * @cost      constant
 */
void *al_mailbox_overwrite(struct al_mailbox *mailbox, void *item);

/**
 * Take out what is in; wait while the slot is empty. The most urgent sender
 * that waits gets the slot.
 *
 * @param[in,out] mailbox  must outlive every task that waits for it
 * @param[out] item        what was received; NULL when nothing was
 * @param[in] deadline     see time.h
 * @context   task; may switch, waits
 * @return    AL_OK           received
 * @return    AL_E_TIMEOUT    the slot stayed empty
 * @return    AL_E_DESTROYED  it was destroyed while the caller waited
 * @panics    MAILBOX.1  called from an interrupt handler
 * @panics    MAILBOX.2  destroyed, or never initialised
 * @unwind    a received item is not put back: use a scope where it must be
 * @cost      constant when full; blocking: one bounded step per distinct
 *            priority among the receivers
 */
AL_MUST_USE al_status al_mailbox_receive_until(
        struct al_mailbox *mailbox, void **item, al_time deadline);

/**
 * Look at what is in, and leave it there.
 *
 * @context   any
 * @return    the item; NULL when it is empty, or no mailbox
 */
void *al_mailbox_peek(const struct al_mailbox *mailbox);

/**
 * Put `item` in, from an interrupt handler of any priority at any moment.
 *
 * A task that waits to receive takes it out when nobody holds the kernel lock:
 * until then the slot is full, also for a second handler.
 *
 * @param[in,out] mailbox
 * @param[in] item  not NULL
 * @context   irq
 * @return    AL_OK           it is in: it cannot be lost
 * @return    AL_E_FULL       the slot is full; nothing changed
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @return    AL_E_STATE      the item is NULL
 * @cost      constant
 */
al_status al_irq_mailbox_post(struct al_mailbox *mailbox, void *item);

/**
 * The same, in place of what is there.
 *
 * @param[in,out] mailbox
 * @param[in] item       not NULL
 * @param[out] displaced  what was in the slot, the caller's now; NULL when it
 *                        was empty. May be NULL
 * @context   irq
 * @return    AL_OK           it is in
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @return    AL_E_STATE      the item is NULL
 * @cost      constant
 */
al_status al_irq_mailbox_overwrite(
        struct al_mailbox *mailbox, void *item, void **displaced);

AL_EXTERN_C_END
