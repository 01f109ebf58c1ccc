/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt handlers. AL_IRQ defines one under its vector's name; its body is
 * ordinary checked C that runs on the interrupt stack and may call whatever
 * says "irq" or "any" in its contract. One that dies ends, and nothing
 * else does: what it opened (AL_DEFER) is undone, and its line is enabled as
 * before until it has died too often. AL_IRQ_RAW defines one that begins at its
 * vector, without a stack check; it may call the inline al_irq_raw_ functions
 * and nothing else. The kernel never masks an interrupt: every one outranks it.
 */

#include <alula/chan.h>
#include <alula/event.h>
#include <alula/mailbox.h>
#include <alula/sem.h>
#include <alula/status.h>
#include <alula/task.h>
#include <alula/timer.h>
#include <alula/types.h>
#include <alula/wait.h>

#include <arch/port.h>

AL_EXTERN_C_BEGIN

/* AL_PRIO_IRQ(0) .. AL_PRIO_IRQ(AL_IRQ_LEVELS-1) may be used. */
#define AL_IRQ_LEVELS ARCH_IRQ_LEVELS

/**
 * Define the handler of an interrupt; a body in braces follows.
 *
 * @param vector  the vector's name in the chip's table, e.g. TIM2_IRQHandler
 * @unwind    as a task's; it does not start again: the next interrupt finds it
 *            as it always was
 * @cost      5 instructions before the body, 2 after it
 */
#define AL_IRQ(vector)                            \
  AL_EXTERN_C_BEGIN                               \
  void vector(void);                              \
  __attribute__((used)) void vector##_body(void); \
  AL_EXTERN_C_END                                 \
  ARCH_IRQ_VENEER(vector, vector##_body)          \
  void vector##_body(void)

/**
 * Define a raw handler of an interrupt; a body in braces follows. It runs at
 * the latency of the hardware, and its stack depth is counted at the link
 * instead of being checked.
 *
 * It may call inline functions only, of the kernel's those that begin with
 * al_irq_raw_: a call that leaves it fails the link, as does a frame of no
 * fixed size. It cannot open scopes; if it dies, it ends.
 *
 * @param vector  the vector's name in the chip's table, e.g. TIM2_IRQHandler
 * @cost      nothing before the body, nothing after it
 */
#define AL_IRQ_RAW(vector)                 \
  AL_EXTERN_C_BEGIN                        \
  __attribute__((used)) void vector(void); \
  AL_INLINE void vector##_raw(void);       \
  void vector(void)                        \
  {                                        \
    ARCH_IRQ_RAW(vector);                  \
    vector##_raw();                        \
  }                                        \
  AL_EXTERN_C_END                          \
  AL_INLINE void vector##_raw(void)

/**
 * Enable interrupt line `line` at priority `prio`.
 *
 * @param[in] line  number of the line in the chip's interrupt controller
 * @param[in] prio  AL_PRIO_IRQ(0) .. AL_PRIO_IRQ(AL_IRQ_LEVELS-1)
 * @context   any
 * @panics    IRQ.1  priority out of range
 * @panics    IRQ.3  the chip has no such line
 */
void al_irq_enable(uint32_t line, al_prio prio);

/**
 * Disable interrupt line `line`; a handler that runs is let finish.
 *
 * @context   any
 * @panics    IRQ.3  the chip has no such line
 */
void al_irq_disable(uint32_t line);

/**
 * Called when line `line` was disabled, because its handler died as often as
 * AL_CFG_IRQ_DEATHS says within a second. Defined by the application, if it
 * wants to know; checked code.
 *
 * @context   irq: in the handler that died, at the end of its recovery
 */
void al_irq_storm_hook(uint32_t line) __attribute__((weak));

/**
 * Tell the kernel of a tick: by the handler of the tick's interrupt, when the
 * application defines that itself (AL_IRQ with its vector's name), because it
 * has other uses for it. The kernel programs the tick at start-up all the same.
 *
 * @context   the handler of the tick's interrupt
 * @panics    IRQ.2  called from anywhere else
 */
void al_irq_tick(void);

/* The kernel's state, as far as raw handlers reach into it: the inbox. */
extern char al_core_state[] __asm__("al_core");
#define AL_CORE_LOCKED 4
#define AL_CORE_INBOX  8

/* Is somebody in the kernel? Whatever is set then is posted. */
AL_INLINE bool al_irq_raw_is_kernel_busy(void)
{
    return *(const volatile uint32_t *)(const void *)(al_core_state +
                                                      AL_CORE_LOCKED) != 0;
}

/*
 * Have the kernel look at an object, as soon as nobody holds its lock and no
 * handler runs. For the raw functions of objects: what the look is to find must
 * be there before.
 */
AL_INLINE void al_irq_raw_post(struct al_post *post)
{
    do {
        if (arch_load_linked(&post->pending) != 0) {
            arch_pend_switch_irq(); /* it may have been left behind */
            return;
        }
    } while (!arch_store_if(&post->pending, 1));
    do {
        post->next = (struct al_post *)arch_load_linked_at(
                al_core_state, AL_CORE_INBOX);
    } while (!arch_store_if_at(al_core_state, AL_CORE_INBOX, post));
    arch_pend_switch_irq();
}

/**
 * Give one unit to `sem` from a raw handler, or any other, of any priority at
 * any moment.
 *
 * @param[in,out] sem
 * @context   irq
 * @return    AL_OK      given; whoever gets it wakes when the last handler has
 *                       ended
 * @return    AL_E_FULL  the count is at its maximum; nothing changed
 * @return    AL_E_DESTROYED  no semaphore any more, or never initialised
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_sem_give(struct al_sem *sem)
{
    int32_t count;

    do {
        count = (int32_t)arch_load_linked(&sem->count);
        if (count >= *(const volatile int32_t *)&sem->max) {
            return sem->post.tag == AL_TAG(AL_KIND_SEM) ? AL_E_FULL
                                                        : AL_E_DESTROYED;
        }
    } while (!arch_store_if(&sem->count, (uint32_t)count + 1));
    if (count < 0) {
        if (sem->post.tag != AL_TAG(AL_KIND_SEM)) {
            return AL_E_DESTROYED; /* a post of such memory would do damage */
        }
        al_irq_raw_post(&sem->post);
    }
    return AL_OK;
}

/**
 * Set bits of `event` from a raw handler, or any other, of any priority at any
 * moment.
 *
 * @param[in,out] event
 * @param[in] bits
 * @context   irq
 * @return    AL_OK           set; whoever is satisfied by them wakes when the
 *                            last handler has ended
 * @return    AL_E_DESTROYED  destroyed, or never initialised; nothing changed
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_event_set(struct al_event *event, uint32_t bits)
{
    if (*(const volatile uint32_t *)&event->post.tag != AL_TAG(AL_KIND_EVENT)) {
        return AL_E_DESTROYED;
    }
    while (!arch_store_if(
            &event->bits, arch_load_linked(&event->bits) | bits)) {
    }
    /* Somebody waits, or may be about to. */
    if (*(struct al_task *const volatile *)&event->waiters.head != NULL ||
            al_irq_raw_is_kernel_busy()) {
        al_irq_raw_post(&event->post);
    }
    return AL_OK;
}

/**
 * Put `item` into `mailbox` from a raw handler, or any other, of any priority
 * at any moment.
 *
 * @param[in,out] mailbox
 * @param[in] item  not NULL
 * @context   irq
 * @return    AL_OK           it is in; who waits to receive wakes when the last
 *                            handler has ended
 * @return    AL_E_FULL       the slot is full; nothing changed
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @return    AL_E_STATE      the item is NULL
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_mailbox_post(
        struct al_mailbox *mailbox, void *item)
{
    if (*(const volatile uint32_t *)&mailbox->post.tag !=
            AL_TAG(AL_KIND_MAILBOX)) {
        return AL_E_DESTROYED;
    }
    if (item == NULL) {
        return AL_E_STATE;
    }
    do {
        if (arch_load_linked(&mailbox->item) != 0) {
            return AL_E_FULL;
        }
    } while (!arch_store_if(&mailbox->item, (uintptr_t)item));
    /* Somebody waits to receive, or may be about to. */
    if (*(struct al_task *const volatile *)&mailbox->receivers.head != NULL ||
            al_irq_raw_is_kernel_busy()) {
        al_irq_raw_post(&mailbox->post);
    }
    return AL_OK;
}

/* For al_irq_raw_chan_send(). */
AL_INLINE al_status al_irq_raw_chan_send_words(
        struct al_chan *chan, const uint32_t *item)
{
    if (*(const volatile uint32_t *)&chan->post.tag != AL_TAG(AL_KIND_CHAN)) {
        return AL_E_DESTROYED;
    }
    if (*(const volatile uint8_t *)&chan->closed != 0) {
        return AL_E_CLOSED;
    }
    if (!al_chan_put(chan, item)) {
        return AL_E_FULL;
    }
    /* One that comes to wait looks again before it does. */
    if (*(struct al_task *const volatile *)&chan->waiters[AL_CHAN_RECEIVER]
                    .head != NULL) {
        al_irq_raw_post(&chan->post);
    }
    return AL_OK;
}

/**
 * Put an item into the channel from a raw handler, or any other, of any
 * priority at any moment.
 *
 * @param[in,out] c
 * @param[in] value  the item, of the channel's type. In a raw handler the link
 *                   refuses one that the compiler copies by a call: Clang at
 *                   -O0 does above 16 bytes
 * @context   irq
 * @return    AL_OK           it is in; a task that waits for it wakes when the
 *                            last handler has ended
 * @return    AL_E_FULL       as many items as its capacity are in it
 * @return    AL_E_CLOSED     closed
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @cost      constant, but for one repeat for each handler that comes between
 */
#define al_irq_raw_chan_send(c, value)                                     \
  AL_CHAN_SEND_(c, value, al_irq_raw_chan_send_words(al_chan_, al_words_), \
          al_irq_raw_chan_send_words(al_chan_, al_words_))

/**
 * Wake a task from where it parks, or will, from a raw handler, or any other,
 * of any priority at any moment.
 *
 * @param[in] id  of a task, or of one that was
 * @context   irq
 * @return    AL_OK       woken; it goes on when the last handler has ended
 * @return    AL_E_STALE  it has ended, or is no task
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_task_wake(struct al_task_id id)
{
    struct al_task *task = id.task;

    if (task == NULL ||
            *(const volatile uint32_t *)&task->post.tag !=
                    AL_TAG(AL_KIND_TASK) ||
            *(const volatile uint32_t *)&task->spawns != id.spawn ||
            id.spawn % 2 == 0) {
        return AL_E_STALE;
    }
    *(volatile uint32_t *)&task->woken = 1;
    /* It parks, or may be about to, or another instance of it. */
    if (*(const volatile uint8_t *)&task->state == AL_TASK_WAITING ||
            (*(const volatile uint8_t *)&task->flags & AL_FLAG_CONCURRENT) !=
                    0 ||
            al_irq_raw_is_kernel_busy()) {
        al_irq_raw_post(&task->post);
    }
    return AL_OK;
}

/* The clock, as far as raw handlers read it: kernel/time.c. */
extern char al_clock_state[] __asm__("al_clock");
#define AL_CLOCK_INDEX 16 /* behind two counts, of which bit 0 names one */

/**
 * Read the time in a raw handler, or any other.
 *
 * @context   irq
 * @return    ticks since boot; never torn
 * @cost      constant, but for one repeat for each tick that comes between
 */
AL_INLINE al_time al_irq_raw_now(void)
{
    const volatile uint32_t *index =
            (const volatile uint32_t *)(const void *)(al_clock_state +
                                                      AL_CLOCK_INDEX);
    const volatile al_time *count =
            (const volatile al_time *)(const void *)al_clock_state;
    uint32_t before;
    al_time now;

    do {
        before = *index;
        now = count[before & 1];
    } while (before != *index);
    return now;
}

/**
 * Start a timer from a raw handler, or any other, of any priority at any
 * moment.
 *
 * @param[in,out] timer
 * @param[in] delay   from now, whenever the kernel gets to it, which is when the
 *                    last handler has ended
 * @param[in] period  as al_timer_start()
 * @context   irq
 * @return    AL_OK           it runs
 * @return    AL_E_DESTROYED  destroyed, or never initialised
 * @return    AL_E_STATE      a period above AL_TIMER_PERIOD_MAX; nothing changed
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_timer_start(
        struct al_timer *timer, uint32_t delay, uint32_t period)
{
    if (*(const volatile uint32_t *)&timer->post.tag != AL_TAG(AL_KIND_TIMER)) {
        return AL_E_DESTROYED;
    }
    if (period > AL_TIMER_PERIOD_MAX) {
        return AL_E_STATE;
    }
    al_timer_ask_start(timer, al_irq_raw_now() + delay, period);
    /* What the post asks for is in the image, whoever else names it. */
    ARCH_NEEDS(al_irq_timer_settle);
    al_irq_raw_post(&timer->post);
    return AL_OK;
}

AL_EXTERN_C_END
