/* SPDX-License-Identifier: MIT */
/*
 * Claim: what raw handlers do to an object works in an image in which no other
 * function of that object's is linked, and to one that others use.
 *   1. a handler sets an event, fills a mailbox, a semaphore and a channel, wakes
 *      a task that never parks, with the kernel lock free, then taken: each
 *      status is exact, and the look that it asks for does no harm
 *   2. a handler starts a timer, which nobody else names: it expires at its
 *      tick
 *   3. the time in the handler is that of the task around it
 * Fails if: a post of an object whose module is not in the image is the kernel
 * stop, or a raw start leaves the timer's module out.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os
 */
#include <alula/irq.h>

#include <board.h>

#include "test.h"

#if BOARD_INSN_NS == 16 /* stm32f405 */
#  define RAW_LINE    40u
#  define RAW_HANDLER EXTI15_10_IRQHandler
#else
#  define RAW_LINE    20u
#  define RAW_HANDLER UARTRX4_Handler
#endif

struct wide {
    uint32_t words[3];
};

static struct al_sem sem = AL_SEM_INIT(0, 2);
static struct al_sem due = AL_SEM_INIT(0, 2);
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
AL_CHAN(words, uint32_t, 2);
AL_CHAN(wides, struct wide, 2);
static struct al_timer timer = AL_TIMER_INIT_SEM(&due);

static void judge_main(void);
AL_TASK(judge, judge_main, 4, 2048);

static const struct al_task_id judges = {&judge, 1};
static volatile bool start;

/* What the handler was told, in order. */
#define CALLS 6
static volatile al_status said[CALLS];
static volatile al_time now;
static volatile bool ran;

#define RAW_OF(vector) AL_IRQ_RAW(vector)

RAW_OF(RAW_HANDLER)
{
    struct wide wide = {{4, 5, 6}};

    now = al_irq_raw_now();
    if (start) {
        said[0] = al_irq_raw_timer_start(&timer, 2, 0);
    } else {
        said[0] = al_irq_raw_sem_give(&sem);
        said[1] = al_irq_raw_event_set(&event, 1);
        said[2] = al_irq_raw_mailbox_post(&mailbox, &sem);
        said[3] = al_irq_raw_chan_send(&words, 3);
        said[4] = al_irq_raw_chan_send(&wides, wide);
        said[5] = al_irq_raw_task_wake(judges);
    }
    ran = true;
}

/* The handler has run when this returns. */
static void pend(void)
{
    ran = false;
    *(volatile uint32_t *)(0xe000e200u + RAW_LINE / 32 * 4) = 1u
                                                              << RAW_LINE % 32;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static bool all_said(const al_status *expected)
{
    for (unsigned i = 0; i < CALLS; i++) {
        if (said[i] != expected[i]) {
            return false;
        }
    }
    return ran;
}

static void judge_main(void)
{
    static const al_status first[CALLS] = {0};
    static const al_status third[CALLS] = {
            AL_E_FULL, AL_OK, AL_E_FULL, AL_E_FULL, AL_E_FULL, AL_OK};
    al_time before;

    al_irq_enable(RAW_LINE, AL_PRIO_IRQ(3));
    pend();
    CHECK(all_said(first), "the lock free: all is done");
    *(volatile uint32_t *)&al_core.locked = 1;
    mailbox.item = NULL;
    pend();
    *(volatile uint32_t *)&al_core.locked = 0;
    arch_pend_switch_irq();
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    CHECK(all_said(first), "the lock taken: all is done");
    CHECK(al_core.inbox == NULL && event.post.pending == 0 &&
                    mailbox.post.pending == 0 && judge.post.pending == 0,
            "and looked at");
    pend();
    CHECK(all_said(third), "a third time: what is full is told");
    CHECK(sem.count == 2 && event.bits == 1 && mailbox.item == &sem &&
                    words.slots[0] == 3 && words.slots[1] == 3 &&
                    wides.slots[5] == 6 && judge.woken == 1,
            "all of it is there");

    start = true;
    before = al_now();
    pend();
    CHECK(said[0] == AL_OK && now - before <= 1 && al_now() - now <= 1,
            "a timer is started; the handler's time is right");
    while (al_now() < now + 2) {
    }
    /* Missed: nobody in this image could take what it gives. */
    CHECK(timer.expiries + timer.missed == 1 && !al_timer_is_running(&timer),
            "it expires at its tick");
    test_done();
}
