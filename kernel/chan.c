/* SPDX-License-Identifier: MIT */
/*
 * Channels: a ring of slots (ring.c), and two queues of tasks that wait.
 *
 * Tasks wait under the kernel lock. Whoever sends while a task waits to receive
 * owes a wake, and the other way round; a task must not be preempted between
 * the item and that wake. So each end has a bit in its index, OPEN, that lets
 * tasks do it without the lock: it is clear while the other end has somebody
 * waiting, or news to tell, and in a channel that is closed, destroyed or none.
 * Handlers do not look at it: they act first, then serve who waits, or post.
 *
 * Settled, under the lock: a task that waits to receive finds no item, one that
 * waits to send no room. Each who changes that, or may have overlooked it,
 * serves or posts. Items and room that are owed to waiting tasks are not there
 * for tasks that come later; an interrupt may take them.
 *
 * The item of a task that waits is copied from and to its own memory, under the
 * lock: what it points to has been read, or written, before.
 */
#include <alula/chan.h>

#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "time.h"
#include "weak.h"

#include "core/ring.h"

static struct al_chan *chan_of(struct al_post *post)
{
    return (struct al_chan *)(void *)((char *)post -
                                      offsetof(struct al_chan, post));
}

static bool is_chan(const struct al_chan *chan)
{
    return *(const volatile uint32_t *)&chan->post.tag == AL_TAG(AL_KIND_CHAN);
}

/* ---- the queues ---- */

static inline struct al_task *waiter_held(const struct al_chan *chan, int end)
{
    return wait_first_held(&chan->waiters[end]);
}

static void gate_held(uint32_t *index, bool open)
{
    uint32_t now;

    do {
        now = (uint32_t)arch_load_linked(index) & ~OPEN;
    } while (!arch_store_if(index, open ? now | OPEN : now));
}

/* After each change of what a bit depends on: the bit of one end depends on who
 * waits at the other. */
static void send_gate_held(struct al_chan *chan)
{
    gate_held(
            &chan->tail, is_chan(chan) && chan->closed == 0 &&
                                 waiter_held(chan, AL_CHAN_RECEIVER) == NULL &&
                                 chan->restarts[AL_CHAN_SENDER] == 0);
}

static void recv_gate_held(struct al_chan *chan)
{
    gate_held(&chan->head, is_chan(chan) &&
                                   waiter_held(chan, AL_CHAN_SENDER) == NULL &&
                                   chan->restarts[AL_CHAN_RECEIVER] == 0);
}

static void gates_held(struct al_chan *chan)
{
    send_gate_held(chan);
    recv_gate_held(chan);
}

static inline void other_gate_held(struct al_chan *chan, int end)
{
    if (end == AL_CHAN_RECEIVER) {
        send_gate_held(chan);
    } else {
        recv_gate_held(chan);
    }
}

static inline void wake_held(
        struct al_chan *chan, int end, struct al_task *waiter, al_status status)
{
    wait_remove_held(waiter);
    arch_set_result(waiter, status);
    other_gate_held(chan, end);
    sched_wake_held(waiter);
}

/* Where a waiting task's item is. */
static uint32_t *item_of(const struct al_task *waiter)
{
    return (uint32_t *)waiter->wanted[0];
}

/* Each serves one task, if there is one to serve. */
static bool serve_receiver_held(struct al_chan *chan)
{
    struct al_task *waiter = waiter_held(chan, AL_CHAN_RECEIVER);

    if (waiter == NULL) {
        return false;
    }
    if (ring_take(chan, item_of(waiter))) {
        wake_held(chan, AL_CHAN_RECEIVER, waiter, AL_OK);
        return true;
    }
    if (chan->closed != 0) {
        wake_held(chan, AL_CHAN_RECEIVER, waiter, AL_E_CLOSED);
        return true;
    }
    return false;
}

static bool serve_sender_held(struct al_chan *chan)
{
    struct al_task *waiter = waiter_held(chan, AL_CHAN_SENDER);

    if (waiter == NULL) {
        return false;
    }
    if (chan->closed != 0) {
        wake_held(chan, AL_CHAN_SENDER, waiter, AL_E_CLOSED);
        return true;
    }
    if (ring_put(chan, item_of(waiter))) {
        wake_held(chan, AL_CHAN_SENDER, waiter, AL_OK);
        return true;
    }
    return false;
}

static bool serve_one_held(struct al_chan *chan)
{
    return serve_receiver_held(chan) || serve_sender_held(chan);
}

void chan_settle_held(struct al_post *post)
{
    while (serve_one_held(chan_of(post))) {
        if (!softlock_inbox_is_empty()) {
            softlock_irq_post(post); /* others first, then the rest */
            return;
        }
    }
}

/* Its deadline passed. What it was owed before that is delivered first. */
bool chan_cancel_held(struct al_task *task)
{
    struct al_chan *chan = (struct al_chan *)task->wanted[1];

    while (task->waitq != NULL && serve_one_held(chan)) {
    }
    if (task->waitq == NULL) {
        return false;
    }
    wait_remove_held(task);
    gates_held(chan);
    return true;
}

/* Lets the current task wait at an end; what came since it looked is found by
 * the post. */
static al_status wait_held(
        struct al_chan *chan, int end, uint32_t *item, al_time deadline)
{
    struct al_task *self = al_core.current;

    self->wanted[0] = (uintptr_t)item;
    self->wanted[1] = (uintptr_t)chan;
    time_wait_held(&chan->waiters[end], AL_KIND_CHAN, deadline);
    other_gate_held(chan, end);
    if (end == AL_CHAN_SENDER ? !ring_is_full_at(chan, ring_look(&chan->tail))
                              : !ring_is_empty(chan)) {
        softlock_irq_post(&chan->post);
    }
    return sched_give_way_held(AL_OK);
}

/* Is there something to tell an end? Tells it. */
static bool hear_held(struct al_chan *chan, int end)
{
    if (chan->restarts[end] == 0) {
        return false;
    }
    chan->restarts[end]--;
    gates_held(chan);
    return true;
}

/* ---- sending ---- */

static al_status send_held(struct al_chan *chan, const uint32_t *item)
{
    if (!is_chan(chan)) {
        return AL_E_DESTROYED;
    }
    if (chan->closed != 0) {
        return AL_E_CLOSED;
    }
    if (hear_held(chan, AL_CHAN_SENDER)) {
        return AL_E_PEER_RESTARTED;
    }
    if (waiter_held(chan, AL_CHAN_SENDER) != NULL || !ring_put(chan, item)) {
        return AL_E_FULL;
    }
    (void)serve_receiver_held(chan);
    return AL_OK;
}

al_status al_chan_send_words(
        struct al_chan *chan, const uint32_t *item, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    al_status status;

    CALLER_MUST(CHAN, 1, !arch_in_handler());
    CALLER_MUST(CHAN, 2, is_chan(chan));
    for (uint32_t i = 0; i < chan->words; i++) {
        (void)ring_look(
                &item[i]); /* a bad address is the caller's death, here */
    }
    softlock_take();
    status = send_held(chan, item);
    if (status == AL_E_FULL && !past) {
        return wait_held(
                chan, AL_CHAN_SENDER, (uint32_t *)(uintptr_t)item, deadline);
    }
    return softlock_leave_and_switch(
            status == AL_E_FULL ? AL_E_TIMEOUT : status);
}

/* The short way is not open, or an interrupt came. */
al_status al_chan_send_word_slow(
        struct al_chan *chan, uint32_t value, al_time deadline);

__attribute__((noinline)) al_status al_chan_send_word_slow(
        struct al_chan *chan, uint32_t value, al_time deadline)
{
    return al_chan_send_words(chan, &value, deadline);
}

al_status al_chan_send_word(struct al_chan *chan, uint32_t value)
{
    if (RING_RARELY(!ring_put_word(chan, value))) {
        return al_chan_send_word_slow(chan, value, AL_FOREVER);
    }
    return AL_OK;
}

al_status al_chan_send_word_until(
        struct al_chan *chan, uint32_t value, al_time deadline)
{
    if (RING_RARELY(!ring_put_word(chan, value))) {
        return al_chan_send_word_slow(chan, value, deadline);
    }
    return AL_OK;
}

/* ---- receiving ---- */

static al_status recv_held(struct al_chan *chan, uint32_t *item)
{
    if (!is_chan(chan)) {
        return AL_E_DESTROYED;
    }
    if (hear_held(chan, AL_CHAN_RECEIVER)) {
        return AL_E_PEER_RESTARTED;
    }
    if (waiter_held(chan, AL_CHAN_RECEIVER) == NULL && ring_take(chan, item)) {
        (void)serve_sender_held(chan);
        return AL_OK;
    }
    return chan->closed != 0 ? AL_E_CLOSED : AL_E_EMPTY;
}

al_status al_chan_recv_words(
        struct al_chan *chan, uint32_t *item, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    al_status status;

    CALLER_MUST(CHAN, 1, !arch_in_handler());
    CALLER_MUST(CHAN, 2, is_chan(chan));
    for (uint32_t i = 0; i < chan->words; i++) {
        *(volatile uint32_t *)&item[i] = 0; /* as for sending */
    }
    softlock_take();
    status = recv_held(chan, item);
    if (status == AL_E_EMPTY && !past) {
        return wait_held(chan, AL_CHAN_RECEIVER, item, deadline);
    }
    return softlock_leave_and_switch(
            status == AL_E_EMPTY ? AL_E_TIMEOUT : status);
}

static inline uint64_t pair(al_status status, uint32_t value)
{
    return (uint64_t)value << 32 | (uint32_t)status;
}

uint64_t al_chan_recv_word_slow(struct al_chan *chan, al_time deadline);

__attribute__((noinline)) uint64_t al_chan_recv_word_slow(
        struct al_chan *chan, al_time deadline)
{
    uint32_t value;
    al_status status = al_chan_recv_words(chan, &value, deadline);

    return pair(status, value);
}

uint64_t al_chan_recv_word(struct al_chan *chan)
{
    uint32_t value;

    if (RING_RARELY(!ring_take_word(chan, &value))) {
        return al_chan_recv_word_slow(chan, AL_FOREVER);
    }
    return pair(AL_OK, value);
}

uint64_t al_chan_recv_word_until(struct al_chan *chan, al_time deadline)
{
    uint32_t value;

    if (RING_RARELY(!ring_take_word(chan, &value))) {
        return al_chan_recv_word_slow(chan, deadline);
    }
    return pair(AL_OK, value);
}

/* ---- handlers ---- */

/* A task may wait for what a handler has just done. */
static void irq_settle(struct al_chan *chan)
{
    if (softlock_is_taken()) {
        softlock_irq_post(&chan->post);
        return;
    }
    softlock_irq_take();
    chan_settle_held(&chan->post);
    softlock_irq_leave();
}

al_status al_irq_chan_send_words(struct al_chan *chan, const uint32_t *item)
{
    if (!is_chan(chan)) {
        return AL_E_DESTROYED;
    }
    if (*(volatile uint8_t *)&chan->closed != 0) {
        return AL_E_CLOSED;
    }
    if (!ring_put(chan, item)) {
        return AL_E_FULL;
    }
    if (waiter_held(chan, AL_CHAN_RECEIVER) != NULL) {
        irq_settle(chan);
    }
    return AL_OK;
}

al_status al_irq_chan_recv_words(struct al_chan *chan, uint32_t *item)
{
    if (!is_chan(chan)) {
        return AL_E_DESTROYED;
    }
    if (!ring_take(chan, item)) {
        return *(volatile uint8_t *)&chan->closed != 0 ? AL_E_CLOSED
                                                       : AL_E_EMPTY;
    }
    if (waiter_held(chan, AL_CHAN_SENDER) != NULL) {
        irq_settle(chan);
    }
    return AL_OK;
}

uint32_t al_chan_items(const struct al_chan *chan)
{
    uint32_t tail;
    uint32_t head;

    do {
        tail = ring_look(&chan->tail);
        head = ring_look(&chan->head);
    } while (tail != ring_look(&chan->tail));
    return ((tail | OPEN) - (head | OPEN)) / NEXT;
}

/* ---- making and ending ---- */

void al_chan_make(struct al_chan *chan, uint32_t words, uint32_t capacity)
{
    CALLER_MUST(CHAN, 3,
            capacity != 0 && (capacity & (capacity - 1)) == 0 &&
                    capacity <= AL_CHAN_CAPACITY_MAX && words != 0 &&
                    words <= AL_CHAN_ITEM_MAX / sizeof(uint32_t));
    chan->head = OPEN;
    chan->tail = OPEN;
    chan->mask = (capacity - 1) * NEXT;
    chan->words = (uint8_t)words;
    chan->closed = 0;
    for (int end = 0; end < 2; end++) {
        chan->waiters[end].head = NULL;
        chan->restarts[end] = 0;
    }
    chan->post.next = NULL;
    chan->post.pending = 0;
    chan->post.tag = AL_TAG(AL_KIND_CHAN);
}

void al_chan_shut(struct al_chan *chan)
{
    bool served;

    CALLER_MUST(CHAN, 1, !arch_in_handler());
    CALLER_MUST(CHAN, 2, is_chan(chan));
    do {
        softlock_take();
        served = false;
        if (is_chan(chan)) {
            chan->closed = 1;
            gates_held(chan);
            served = serve_one_held(chan);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (served);
}

void al_chan_end(struct al_chan *chan)
{
    struct al_task *waiter;
    int end;

    CALLER_MUST(CHAN, 1, !arch_in_handler());
    CALLER_MUST(CHAN, 2, is_chan(chan));
    chan->post.tag = 0; /* nobody new waits, and no post does anything */
    AL_BARRIER();
    do {
        softlock_take();
        gates_held(chan);
        end = AL_CHAN_RECEIVER;
        waiter = waiter_held(chan, end);
        if (waiter == NULL) {
            end = AL_CHAN_SENDER;
            waiter = waiter_held(chan, end);
        }
        if (waiter != NULL) {
            wake_held(chan, end, waiter, AL_E_DESTROYED);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (waiter != NULL);
    softlock_forget(&chan->post);
}

/* ---- peers ---- */

/* The scope of a peer ends: because it died, or in peace. */
static void left(struct al_chan *chan, int other_end)
{
    struct al_task *waiter;

    if (al_core.current->state != AL_TASK_RECOVERING || !is_chan(chan)) {
        return;
    }
    softlock_take();
    waiter = waiter_held(chan, other_end);
    if (waiter != NULL) {
        wake_held(chan, other_end, waiter, AL_E_PEER_RESTARTED);
    } else if (chan->restarts[other_end] != UINT16_MAX) {
        chan->restarts[other_end]++;
        gates_held(chan);
    }
    (void)softlock_leave_and_switch(AL_OK);
}

void al_chan_sender_left(void *chan)
{
    left((struct al_chan *)chan, AL_CHAN_RECEIVER);
}

void al_chan_receiver_left(void *chan)
{
    left((struct al_chan *)chan, AL_CHAN_SENDER);
}

LINKED(chan)
