/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler that calls a function of the kernel with little left of the
 * interrupt stack dies at that call before anything has changed, or gets what it
 * asked for; a task that waits is never left asleep by it.
 *   1. each function that wakes, with a task waiting, and each distance from
 *      the limit: the handler dies and the task waits on, or it comes back and
 *      the task has been woken
 *   2. in either case the next call, with enough stack, wakes the task
 *   3. from some distance on none dies, and some do below it
 * Fails if: a function changes its object before its stack check.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * options: AL_CFG_IRQ_DEATHS=200; timeout: 120
 * recovers: overflow | handler |
 *     at the entry of each function that wakes a task: before anything has
 *     changed | irq_panic_return unwind_frame unwind_scope
 */
#include "../interleave/rig.h"

#include "test.h"

#define FAR  320u /* bytes above the limit: enough for any of them */
#define STEP 8u

extern char __al_irq_limit[];

static struct al_sem sem = AL_SEM_INIT(0, 5);
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
AL_CHAN(words, uint32_t, 2);
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_task_id waiter_id;

static volatile unsigned which;     /* of rows[] */
static volatile uint32_t wakes;     /* waits of the waiter that ended well */
static volatile uint32_t came_back; /* calls of the handler that did */
static volatile uint32_t distance;  /* at the call, about */
static struct al_sem go = AL_SEM_INIT(0, 1);

static void give(void)
{
    (void)al_irq_sem_give(&sem);
}

static void wait_sem(void)
{
    al_sem_take(&sem);
}

static void set(void)
{
    (void)al_irq_event_set(&event, 1);
}

static void wait_event(void)
{
    uint32_t got;

    (void)al_event_wait(&event, 1, AL_EVENT_ANY, AL_FOREVER, &got);
}

static void post(void)
{
    (void)al_irq_mailbox_post(&mailbox, &sem);
}

static void wait_mailbox(void)
{
    void *item;

    (void)al_mailbox_receive_until(&mailbox, &item, AL_FOREVER);
}

static void send(void)
{
    (void)al_irq_chan_send(&words, 7);
}

static void wait_chan(void)
{
    uint32_t item;

    (void)al_chan_recv_until(&words, &item, AL_FOREVER);
}

static void wake(void)
{
    (void)al_irq_task_wake(waiter_id);
}

static void park(void)
{
    (void)al_task_park(AL_FOREVER);
}

static void start(void)
{
    (void)al_irq_timer_start(&timer, 0, 0);
}

static const struct {
    const char *name;
    void (*call)(void);
    void (*wait)(void);
    bool at_the_tick; /* it wakes at the next one */
} rows[] = {
        {"al_irq_sem_give", give, wait_sem, false},
        {"al_irq_event_set", set, wait_event, false},
        {"al_irq_mailbox_post", post, wait_mailbox, false},
        {"al_irq_chan_send", send, wait_chan, false},
        {"al_irq_task_wake", wake, park, false},
        {"al_irq_timer_start", start, wait_sem, true},
};
#define ROWS (sizeof rows / sizeof rows[0])

static void waiter_main(void)
{
    waiter_id = al_task_id_self();
    for (;;) {
        al_sem_take(&go);
        rows[which].wait();
        wakes++;
    }
}

AL_TASK(waiter, waiter_main, 7, 1024);

/* Its frame is small: it may lie below the limit, and what it calls dies. */
__attribute__((noinline)) static void call_from_below(void)
{
    volatile char used[40];

    used[0] = 1;
    rows[which].call();
    came_back += (uint32_t)used[0];
}

static void calls_near_the_limit(unsigned n, const struct rig_hit *hit)
{
    uint32_t bytes = arch_sp() - (uint32_t)__al_irq_limit - distance;

    (void)n;
    (void)hit;
    {
        volatile char used[bytes];

        used[0] = 0;
        call_from_below();
        came_back += (uint32_t)used[0];
    }
}

static void calls(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rows[which].call();
}

static void settle(void)
{
    if (rows[which].at_the_tick) {
        al_time_skip(1);
        rig_pend_tick();
    }
}

/* False: the handler died. */
static bool one(void)
{
    uint32_t woken = wakes;
    uint32_t back = came_back;
    uint32_t deaths = al_crash_count();
    bool lives;

    (void)al_sem_give(&go);
    rig_pend(1, calls_near_the_limit);
    settle();
    lives = came_back != back;
    if ((al_crash_count() != deaths + !lives) || (wakes != woken + lives)) {
        CHECK(false, "%s, %u bytes: %s, %u records, %u wakes", rows[which].name,
                (unsigned)distance, lives ? "came back" : "died",
                (unsigned)(al_crash_count() - deaths),
                (unsigned)(wakes - woken));
    }
    if (!lives) {
        rig_pend(1, calls);
        settle();
        if (wakes != woken + 1) {
            CHECK(false, "%s, %u bytes: after a death the next call wakes",
                    rows[which].name, (unsigned)distance);
        }
    }
    al_time_skip(AL_TICK_HZ / 50); /* deaths are counted per second */
    return lives;
}

static void judge_main(void)
{
    rig_start();
    for (which = 0; which < ROWS; which++) {
        uint32_t died = 0;
        uint32_t last = 0; /* distance at which one died */

        for (distance = 0; distance <= FAR; distance += STEP) {
            if (!one()) {
                died++;
                last = distance;
            }
        }
        CHECK(died > 0 && last < FAR, "%s: %u deaths, the last at %u bytes",
                rows[which].name, (unsigned)died, (unsigned)last);
    }
    CHECK(rig_check() == NULL, "the kernel is whole");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
