/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes. The slot is written by everybody, by load-linked and
 * store-conditional; the two queues belong to the kernel lock.
 *
 * A mailbox is settled when no receiver waits at a full slot, and no sender at
 * an empty one. Whenever a task runs that does not hold the lock, every mailbox
 * is settled: who fills or empties the slot while somebody waits, or may be
 * about to, hands over, or posts. So a task that finds the slot as it needs it,
 * and nobody waiting for what it does, need not take the lock: if an interrupt
 * comes, its store fails.
 *
 * Handlers only fill the slot. At most one hand-over is owed at a time: it
 * takes as long for one waiter as for many.
 */
#include <alula/mailbox.h>

#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "time.h"

/* What a task waits with: wanted[0] is a sender's item, or what a receiver was
 * handed; wanted[1] where in the mailbox its queue lies. */

static bool is_mailbox(const struct al_mailbox *mailbox)
{
    return *(const volatile uint32_t *)&mailbox->post.tag ==
           AL_TAG(AL_KIND_MAILBOX);
}

static struct al_mailbox *mailbox_of(struct al_post *post)
{
    return (struct al_mailbox *)(void *)((char *)post -
                                         offsetof(struct al_mailbox, post));
}

static void *slot_look(struct al_mailbox *mailbox)
{
    return (void *)arch_load_linked(&mailbox->item);
}

static bool slot_store(struct al_mailbox *mailbox, void *item)
{
    return arch_store_if(&mailbox->item, (uintptr_t)item);
}

/* Puts an item in, or takes what is there out by NULL. */
static void *slot_swap(struct al_mailbox *mailbox, void *item)
{
    void *before;

    do {
        before = slot_look(mailbox);
    } while (!slot_store(mailbox, item));
    return before;
}

/* Puts an item in if the slot is empty. */
static bool slot_fill(struct al_mailbox *mailbox, void *item)
{
    do {
        if (slot_look(mailbox) != NULL) {
            return false;
        }
    } while (!slot_store(mailbox, item));
    return true;
}

static bool has_waiter(const struct al_waitq *queue)
{
    return *(struct al_task *const volatile *)&queue->head != NULL;
}

void al_mailbox_init(struct al_mailbox *mailbox)
{
    mailbox->item = NULL;
    mailbox->receivers.head = NULL;
    mailbox->senders.head = NULL;
    mailbox->post.next = NULL;
    mailbox->post.pending = 0;
    mailbox->post.tag = AL_TAG(AL_KIND_MAILBOX);
}

/* ---- handing over ---- */

static void wake_held(struct al_task *waiter)
{
    wait_remove_held(waiter);
    sched_wake_held(waiter);
}

/* Hands over once, if anything is owed; false: it is settled. */
static bool hand_over_held(struct al_mailbox *mailbox)
{
    struct al_task *receiver = wait_first_held(&mailbox->receivers);
    struct al_task *sender = wait_first_held(&mailbox->senders);

    if (receiver != NULL) {
        void *item = slot_swap(mailbox, NULL);

        if (item != NULL) {
            receiver->wanted[0] = (uintptr_t)item;
            wake_held(receiver);
            return true;
        }
    }
    if (sender == NULL || !slot_fill(mailbox, (void *)sender->wanted[0])) {
        return false;
    }
    wake_held(sender);
    return true;
}

void mailbox_settle_held(struct al_post *post)
{
    while (hand_over_held(mailbox_of(post))) {
        if (!softlock_inbox_is_empty()) {
            softlock_irq_post(post); /* others first, then the rest */
            return;
        }
    }
}

/* Its deadline passed. What was put in before that is handed over first. */
bool mailbox_cancel_held(struct al_task *task)
{
    struct al_mailbox *mailbox =
            (struct al_mailbox *)(void *)((char *)task->waitq -
                                          task->wanted[1]);

    while (hand_over_held(mailbox)) {
    }
    if (task->waitq == NULL) {
        return false;
    }
    wait_remove_held(task);
    return true;
}

/* Waits in the queue at `offset` of the mailbox. */
static al_status wait_held(
        struct al_mailbox *mailbox, size_t offset, al_time deadline)
{
    al_core.current->wanted[1] = offset;
    time_wait_held((struct al_waitq *)(void *)((char *)mailbox + offset),
            AL_KIND_MAILBOX, deadline);
    return sched_give_way_held(AL_OK);
}

/* ---- sending ---- */

/* Full, or somebody receives, or a mistake, at the look. */
al_status al_mailbox_send_slow(
        struct al_mailbox *mailbox, void *item, al_time deadline);

__attribute__((noinline)) al_status al_mailbox_send_slow(
        struct al_mailbox *mailbox, void *item, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);

    CALLER_MUST(MAILBOX, 1, !arch_in_handler());
    CALLER_MUST(MAILBOX, 2, is_mailbox(mailbox));
    CALLER_MUST(MAILBOX, 3, item != NULL);
    softlock_take();
    if (!is_mailbox(mailbox)) {
        softlock_leave();
        return AL_E_DESTROYED;
    }
    if (slot_fill(mailbox, item)) {
        (void)hand_over_held(mailbox);
        return softlock_leave_and_switch(AL_OK);
    }
    if (past) {
        softlock_leave();
        return AL_E_TIMEOUT;
    }
    al_core.current->wanted[0] = (uintptr_t)item;
    return wait_held(mailbox, offsetof(struct al_mailbox, senders), deadline);
}

al_status al_mailbox_send_until(
        struct al_mailbox *mailbox, void *item, al_time deadline)
{
    do {
        if (slot_look(mailbox) != NULL || has_waiter(&mailbox->receivers) ||
                item == NULL || !is_mailbox(mailbox) || arch_in_handler()) {
            return al_mailbox_send_slow(mailbox, item, deadline);
        }
    } while (!slot_store(mailbox, item));
    return AL_OK;
}

/* Somebody receives, or a mistake, at the look. */
void *al_mailbox_overwrite_slow(struct al_mailbox *mailbox, void *item);

__attribute__((noinline)) void *al_mailbox_overwrite_slow(
        struct al_mailbox *mailbox, void *item)
{
    void *before;

    CALLER_MUST(MAILBOX, 1, !arch_in_handler());
    CALLER_MUST(MAILBOX, 2, is_mailbox(mailbox));
    CALLER_MUST(MAILBOX, 3, item != NULL);
    softlock_take();
    before = slot_swap(mailbox, item);
    (void)hand_over_held(mailbox);
    (void)softlock_leave_and_switch(AL_OK);
    return before;
}

void *al_mailbox_overwrite(struct al_mailbox *mailbox, void *item)
{
    void *before;

    do {
        before = slot_look(mailbox);
        if (has_waiter(&mailbox->receivers) || item == NULL ||
                !is_mailbox(mailbox) || arch_in_handler()) {
            return al_mailbox_overwrite_slow(mailbox, item);
        }
    } while (!slot_store(mailbox, item));
    return before;
}

/* A handler has filled the slot. */
static void filled_in_handler(struct al_mailbox *mailbox)
{
    if (softlock_is_taken()) {
        softlock_irq_post(&mailbox->post); /* one may be about to receive */
    } else if (has_waiter(&mailbox->receivers)) {
        softlock_irq_take();
        (void)hand_over_held(mailbox);
        softlock_irq_leave();
    }
}

al_status al_irq_mailbox_post(struct al_mailbox *mailbox, void *item)
{
    if (!is_mailbox(mailbox)) {
        return AL_E_DESTROYED;
    }
    if (item == NULL) {
        return AL_E_STATE;
    }
    if (!slot_fill(mailbox, item)) {
        return AL_E_FULL;
    }
    filled_in_handler(mailbox);
    return AL_OK;
}

al_status al_irq_mailbox_overwrite(
        struct al_mailbox *mailbox, void *item, void **displaced)
{
    void *before;

    if (!is_mailbox(mailbox)) {
        return AL_E_DESTROYED;
    }
    if (item == NULL) {
        return AL_E_STATE;
    }
    before = slot_swap(mailbox, item);
    filled_in_handler(mailbox);
    if (displaced != NULL) {
        *displaced = before;
    }
    return AL_OK;
}

/* ---- receiving ---- */

/* Empty, or somebody sends, or a mistake, at the look. */
al_status al_mailbox_receive_slow(
        struct al_mailbox *mailbox, void **item, al_time deadline);

/* Takes out what is in, unless it is for somebody who waits: false. */
static bool take_held(struct al_mailbox *mailbox, void **found)
{
    do {
        *found = slot_look(mailbox);
        if (*found == NULL) {
            return true;
        }
        if (has_waiter(&mailbox->receivers)) {
            return false;
        }
    } while (!slot_store(mailbox, NULL));
    return true;
}

/* The item, if any, is in the task's wanted[0]. */
static al_status receive_held(
        struct al_mailbox *mailbox, bool past, al_time deadline)
{
    void *found = NULL;

    while (is_mailbox(mailbox) && !take_held(mailbox, &found)) {
        /* It came just now, by a handler: who waits is first. */
        softlock_leave();
        softlock_take();
    }
    if (!is_mailbox(mailbox) || (found == NULL && past)) {
        softlock_leave();
        return is_mailbox(mailbox) ? AL_E_TIMEOUT : AL_E_DESTROYED;
    }
    if (found == NULL) {
        return wait_held(
                mailbox, offsetof(struct al_mailbox, receivers), deadline);
    }
    al_core.current->wanted[0] = (uintptr_t)found;
    (void)hand_over_held(mailbox);
    return softlock_leave_and_switch(AL_OK);
}

__attribute__((noinline)) al_status al_mailbox_receive_slow(
        struct al_mailbox *mailbox, void **item, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    al_status status;

    CALLER_MUST(MAILBOX, 1, !arch_in_handler());
    CALLER_MUST(MAILBOX, 2, is_mailbox(mailbox));
    softlock_take();
    status = receive_held(mailbox, past, deadline);
    *item = status == AL_OK ? (void *)al_core.current->wanted[0] : NULL;
    return status;
}

al_status al_mailbox_receive_until(
        struct al_mailbox *mailbox, void **item, al_time deadline)
{
    void *found;

    do {
        found = slot_look(mailbox);
        if (found == NULL || has_waiter(&mailbox->senders) ||
                !is_mailbox(mailbox) || arch_in_handler()) {
            return al_mailbox_receive_slow(mailbox, item, deadline);
        }
    } while (!slot_store(mailbox, NULL));
    *item = found;
    return AL_OK;
}

void *al_mailbox_peek(const struct al_mailbox *mailbox)
{
    return is_mailbox(mailbox) ? *(void *const volatile *)&mailbox->item : NULL;
}

/* ---- ending ---- */

void al_mailbox_destroy(struct al_mailbox *mailbox)
{
    struct al_task *waiter;

    CALLER_MUST(MAILBOX, 1, !arch_in_handler());
    CALLER_MUST(MAILBOX, 2, is_mailbox(mailbox));
    mailbox->post.tag = 0; /* nobody new waits, and no post does anything */
    AL_BARRIER();
    do {
        softlock_take();
        waiter = wait_first_held(&mailbox->receivers);
        if (waiter == NULL) {
            waiter = wait_first_held(&mailbox->senders);
        }
        if (waiter != NULL) {
            arch_set_result(waiter, AL_E_DESTROYED);
            wake_held(waiter);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (waiter != NULL);
    mailbox->item = NULL;
    softlock_forget(&mailbox->post);
}
