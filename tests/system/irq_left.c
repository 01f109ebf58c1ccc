/* SPDX-License-Identifier: MIT */
/*
 * Claim: what goes on in steps is left behind a more urgent task that was woken
 * with it, and is done before any task that is not more urgent goes on.
 *   1. with the lock taken, a handler gives to `top`, and a tick is due for two
 *      sleepers, or two wait for an event that is set: top runs first
 *   2. a sleeper, or a waiter, made more urgent than top runs at once
 *   3. bits that top clears have satisfied the waiters that they were set for
 *   4. the same event set, which top ends: both waiters are told
 *   5. a software timer that top starts, due now, acts before it goes on, though
 *      the sleepers are due before it
 *   6. a look at an event set goes no further than waiters that are not less
 *      urgent than top
 *   7. when top waits, the rest is done before a task below it goes on
 * Fails if: a change of priority, the end of an object or a timer keeps the mark
 * on the inbox, bits are cleared that waiters have not been judged by, or
 * nothing is left behind.
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

#include <alula/event.h>

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem sleep_now[2] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};
static struct al_sem wait_now[2] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};
static struct al_event event = AL_EVENT_INIT;
static volatile unsigned slept[2];
static volatile unsigned satisfied[2];
static volatile unsigned destroyed;
static volatile unsigned acted;
static void (*volatile top_job)(void);
static volatile bool left;

static bool is_left(void)
{
    return ((uintptr_t)al_core.inbox & 1) != 0;
}

static void top_main(void)
{
    for (;;) {
        al_sem_take(&go);
        left = is_left();
        top_job();
    }
}

AL_TASK(top, top_main, 20, 1024);

static void sleep_main(uint32_t which)
{
    for (;;) {
        al_sem_take(&sleep_now[which]);
        al_sleep(1);
        slept[which]++;
    }
}

static void wait_main(uint32_t which)
{
    for (;;) {
        al_sem_take(&wait_now[which]);
        if (al_event_wait(&event, 1, AL_EVENT_ALL | AL_EVENT_KEEP, AL_FOREVER,
                    NULL) == AL_OK) {
            satisfied[which]++;
        } else {
            destroyed++;
        }
    }
}

static void sleep0_main(void)
{
    sleep_main(0);
}

static void sleep1_main(void)
{
    sleep_main(1);
}

static void wait0_main(void)
{
    wait_main(0);
}

static void wait1_main(void)
{
    wait_main(1);
}

/* More urgent than top: what its timer gives to, and who waits for more bits
 * than are set. */
static struct al_sem act_now = AL_SEM_INIT(0, 1);
static struct al_sem want_more = AL_SEM_INIT(0, 1);
static struct al_timer timer = AL_TIMER_INIT_SEM(&act_now);

static void actor_main(void)
{
    for (;;) {
        al_sem_take(&act_now);
        acted++;
    }
}

static void more_main(void)
{
    for (;;) {
        al_sem_take(&want_more);
        (void)al_event_wait(&event, 3, AL_EVENT_ALL, AL_FOREVER, NULL);
    }
}

AL_TASK(actor, actor_main, 25, 1024);
AL_TASK(more, more_main, 24, 1024);
AL_TASK(sleep0, sleep0_main, 8, 1024);
AL_TASK(sleep1, sleep1_main, 9, 1024);
AL_TASK(wait0, wait0_main, 8, 1024);
AL_TASK(wait1, wait1_main, 9, 1024);

static void act_give(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_sem_give(&go);
}

static void act_set(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_event_set(&event, 1);
    (void)al_irq_sem_give(&go);
}

/* A kernel operation in whose lock hold this comes. */
static void contend(rig_action action, bool tick)
{
    *(volatile uint32_t *)&al_core.locked = 1;
    rig_pend(0, action);
    if (tick) {
        rig_pend_tick();
    }
    al_yield(); /* lets go of the lock */
}

/* ---- what top does ---- */

static unsigned seen[2];

static void see_sleepers(void)
{
    seen[0] = slept[0];
    seen[1] = slept[1];
}

static void see_waiters(void)
{
    seen[0] = satisfied[0];
    seen[1] = satisfied[1];
}

static void raise_sleeper(void)
{
    (void)al_task_set_prio(al_task_id_of(&sleep0), 21);
    see_sleepers();
    (void)al_task_set_prio(al_task_id_of(&sleep0), 8);
}

static void clear_bits(void)
{
    (void)al_event_clear(&event, 1);
    see_waiters();
}

static void raise_waiter(void)
{
    (void)al_task_set_prio(al_task_id_of(&wait0), 21);
    seen[0] = satisfied[0];
}

static void end_event(void)
{
    al_event_destroy(&event);
    al_event_init(&event);
    see_waiters();
}

static void start_timer(void)
{
    (void)al_timer_start(&timer, 0, 0);
    seen[0] = acted;
    seen[1] = slept[0] + slept[1];
}

static void see_states(void)
{
    struct al_task_info info;

    al_task_read(&wait0, &info);
    seen[0] = info.state == AL_TASK_WAITING;
    al_task_read(&wait1, &info);
    seen[1] = info.state != AL_TASK_WAITING;
}

/* ---- the cases ---- */

static void begin(struct al_sem *first, struct al_sem *second)
{
    (void)al_sem_give(first);
    (void)al_sem_give(second);
    slept[0] = 0;
    slept[1] = 0;
    satisfied[0] = 0;
    satisfied[1] = 0;
    destroyed = 0;
    acted = 0;
    left = false;
}

static void sleepers(const char *name, void (*job)(void), unsigned early)
{
    begin(&sleep_now[0], &sleep_now[1]);
    top_job = job;
    contend(act_give, true);
    CHECK(left && seen[0] == early && seen[1] == 0,
            "%s: top runs before them (%u %u)", name, seen[0], seen[1]);
    CHECK(slept[0] == 1 && slept[1] == 1 && rig_check() == NULL &&
                    al_core.inbox == NULL,
            "%s: and they before the rest", name);
}

static void waiters(const char *name, void (*job)(void), unsigned early)
{
    begin(&wait_now[0], &wait_now[1]);
    top_job = job;
    contend(act_set, false);
    CHECK(left && seen[0] == early && seen[1] == 0,
            "%s: top runs before them (%u %u)", name, seen[0], seen[1]);
    CHECK(satisfied[0] == 1 && satisfied[1] == 1 && rig_check() == NULL &&
                    al_core.inbox == NULL,
            "%s: and they before the rest", name);
    (void)al_event_clear(&event, 1);
}

static void event_ends(void)
{
    begin(&wait_now[0], &wait_now[1]);
    top_job = end_event;
    contend(act_set, false);
    CHECK(left && destroyed == 2 && rig_check() == NULL &&
                    al_core.inbox == NULL,
            "an event that ends: both are told (%u)", destroyed);
}

static void judge_main(void)
{
    rig_start();
    sleepers("a tick", see_sleepers, 0);
    sleepers("a tick, one made urgent", raise_sleeper, 1);
    waiters("an event", see_waiters, 0);
    waiters("an event, cleared", clear_bits, 0);
    waiters("an event, one made urgent", raise_waiter, 1);
    (void)al_task_set_prio(al_task_id_of(&wait0), 8);
    event_ends();
    sleepers("a tick, a timer started", start_timer, 1);
    (void)al_sem_give(&want_more);
    waiters("an event, one wants more", see_states, 1);
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
