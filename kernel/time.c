/* SPDX-License-Identifier: MIT */
/*
 * The clock is two copies of a 64-bit count and an index, whose bit 0 names the
 * valid one. The tick handler, its only writer, fills the other copy and then
 * counts the index up by one store. Who reads looks at the index before and
 * after: in a handler above the tick, and in a task that was kept from running
 * for two ticks in the middle, when the copy that it reads is written again.
 *
 * The tick looks at one word, the low half of the next expiry, without the
 * kernel lock. Sleepers enter under the lock, set that word, and read the
 * clock again after it: a tick before the store is seen by that second look, a
 * tick after it sees the store. A word that is due too early costs a look
 * under the lock and nothing else.
 *
 * An interrupt pends once, however many periods it was held off. So the tick
 * looks at a counter that never stops and is never written: a tick that comes
 * within a period after it was due is one tick; any other is counted out, whole
 * periods as that many ticks, and what is left of the last one is not lost.
 */
#include "time.h"

#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "timer.h"

/* The longest time the tick is left without a look: keeps the 32-bit
 * comparison of the expiry clear of its wrap. */
#define LOOK_AGAIN_TICKS 0x40000000u

static struct {
    al_time count[2];         /* tick handler writes; index says which */
    volatile uint32_t index;  /* tick handler writes; bit 0 says which */
    volatile uint32_t expiry; /* low half of the next expiry; under the lock */
    struct timer_tree tree;   /* sleepers; under the lock */
    struct al_post post;      /* expiry that met a taken lock */
    uint32_t due;             /* counter at the next tick; tick handler */
    uint32_t period;  /* counts a tick lasts; 0: catch_up() to be asked */
    uint32_t counts;  /* the same, never 0; const after boot */
    uint32_t skipped; /* atomic; ticks that al_time_skip() adds */
} clock __attribute__((section(".bss.alula.state")));

void time_boot(void)
{
    clock.expiry = LOOK_AGAIN_TICKS;
    clock.post.kind = AL_POST_TIMER;
}

al_time time_now(void)
{
    uint32_t index;
    al_time now;

    do {
        index = clock.index;
        AL_BARRIER();
        now = clock.count[index & 1];
        AL_BARRIER();
    } while (index != clock.index);
    return now;
}

al_time al_now(void)
{
    return time_now();
}

void time_start(uint32_t counter, uint32_t counts)
{
    clock.due = counter + counts;
    clock.period = counts;
    clock.counts = counts;
}

/*
 * Ticks that have passed although the handler was called only now; those that
 * a task skips are among them. The tick and the counter may tell the end of a
 * period apart by a little: the tick that comes right behind one that was
 * counted by the counter is the same one.
 */
__attribute__((noinline)) static uint32_t catch_up(uint32_t counter)
{
    uint32_t little = clock.counts / 64;
    uint32_t since = counter - clock.due + clock.counts + little;
    uint32_t passed = since / clock.counts;
    uint32_t skipped = clock.skipped;

    clock.skipped = 0;
    clock.period = clock.counts;
    clock.due += passed * clock.counts;
    if ((passed == 0 && skipped == 0 && since >= 2 * little) ||
            (passed > 1 && arch_overslept())) {
        /* Early: whoever pended it by hand wants it counted. */
        clock.due = counter + clock.counts;
        passed = 1;
    }
    return passed + skipped;
}

void time_tick(uint32_t counter)
{
    uint32_t index = clock.index;
    uint32_t next = index + 1;
    al_time now = clock.count[index & 1];

    if (__builtin_expect(counter - clock.due < clock.period, 1)) {
        clock.due += clock.period;
        now++;
    } else {
        now += catch_up(counter);
    }
    clock.count[next & 1] = now;
    AL_BARRIER();
    clock.index = next;
    if ((int32_t)((uint32_t)now - clock.expiry) < 0) {
        return;
    }
    if (softlock_is_taken()) {
        softlock_irq_post(&clock.post);
        return;
    }
    softlock_take();
    time_expire_held();
    softlock_irq_leave();
}

static struct al_task *task_of(struct al_timer *timer)
{
    return (struct al_task *)(void *)((char *)timer -
                                      offsetof(struct al_task, timer));
}

/* The next look at the tree: at its root's time, or a long while from now. */
static void expiry_set(al_time now)
{
    const struct al_timer *root = clock.tree.root;
    al_time next = now + LOOK_AGAIN_TICKS;

    if (root != NULL && root->when < next) {
        next = root->when;
    }
    clock.expiry = (uint32_t)next;
}

/* Wakes every task whose time has come, and sets the next expiry. */
void time_expire_held(void)
{
    al_time now;

    /* Read the clock again after the expiry is set: see the head. */
    do {
        now = time_now();
        while (clock.tree.root != NULL && clock.tree.root->when <= now) {
            struct al_timer *timer = clock.tree.root;

            timer_remove_held(&clock.tree, timer);
            sched_wake_held(task_of(timer));
        }
        expiry_set(now);
        AL_BARRIER();
    } while (clock.tree.root != NULL && clock.tree.root->when <= time_now());
}

void time_sleep_held(al_time when)
{
    struct al_task *self = al_core.current;

    self->timer.when = when;
    timer_insert_held(&clock.tree, &self->timer);
    time_expire_held();
    (void)arch_switch(0, sched_top_held());
}

void al_sleep_until(al_time when)
{
    struct al_task *self = al_core.current;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    if (when <= al_now()) {
        return;
    }
    softlock_take();
    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    time_sleep_held(when);
}

void al_sleep(uint32_t ticks)
{
    al_sleep_until(al_now() + ticks);
}

void al_time_skip(uint32_t ticks)
{
    uint32_t skipped;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    if (ticks == 0) {
        return;
    }
    do {
        skipped = (uint32_t)arch_load_linked(&clock.skipped);
        CALLER_MUST(TIME, 8, ticks <= AL_TIME_SKIP_MAX - skipped);
    } while (!arch_store_if(&clock.skipped, skipped + ticks));
    clock.period = 0;
    arch_pend_tick();
}

void al_time_test_set(al_time now, uint32_t index, uint32_t counter)
{
    clock.count[index & 1] = now;
    clock.count[~index & 1] = now - 1;
    clock.index = index;
    clock.expiry = (uint32_t)now + 1; /* too early is allowed: it looks */
    clock.due = counter + clock.counts;
}

void al_time_test_by_hand(void)
{
    clock.period = UINT32_MAX;
}
