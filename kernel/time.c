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
 *
 * A look deals with what is due, timer by timer; when an interrupt has posted
 * in between, the clock posts itself behind that, so that nobody waits for
 * more than one timer.
 *
 * A deadline is a timer of the task that waits. Whoever wakes the task takes it
 * out of the tree; when it expires first, the object that the task waits for
 * takes the task out of its books, or says that the task has been served.
 */
#include "time.h"

#include "arch.h"
#include "core/most.h"
#include "core/timer.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "weak.h"

#include <alula/irq.h>

/* The longest time the tick is left without a look: keeps the 32-bit
 * comparison of the expiry clear of its wrap. */
#define LOOK_AGAIN_TICKS 0x40000000u

/* Raw handlers read the first two. */
struct time_clock {
    al_time count[2];         /* tick handler writes; index says which */
    volatile uint32_t index;  /* tick handler writes; bit 0 says which */
    volatile uint32_t expiry; /* low half of the next expiry; under the lock */
    struct timer_tree tree;   /* sleepers; under the lock */
    struct al_post post;      /* expiry that met a taken lock, or goes on */
    uint32_t due;             /* counter at the next tick; tick handler */
    uint32_t period;        /* counts a tick lasts; 0: catch_up() to be asked */
    uint32_t counts;        /* the same, never 0; const after boot */
    uint32_t skipped;       /* atomic; ticks that al_time_skip() adds */
    struct al_task *sliced; /* who ran at the last tick; tick handler */
    uint32_t slice_left;    /* ticks; tick handler */
    struct al_task *slice_over; /* who is to give way; NULL: nobody */
    uint32_t timers;            /* in the tree, no tasks'; under the lock */
    struct most most;           /* of the tasks in the tree; under the lock */
};
struct time_clock clock __asm__("al_clock")
        __attribute__((aligned(16), section(".bss.alula.state")));

AL_STATIC_ASSERT(offsetof(struct time_clock, count) == 0 &&
                         offsetof(struct time_clock, index) == AL_CLOCK_INDEX,
        "al_irq_raw_now() knows the clock so");

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
    clock.expiry = LOOK_AGAIN_TICKS;
    clock.post.tag = AL_TAG(AL_KIND_CLOCK);
    clock.due = counter + counts;
    clock.period = counts;
    clock.counts = counts;
}

/* Tick handler: has the running task had its turn? */
static inline bool slice_is_over(void)
{
    struct al_task *running = al_core.current;

    if (AL_CFG_TIME_SLICE == 0) {
        return false;
    }
    if (running != clock.sliced) {
        clock.sliced = running;
        clock.slice_left = AL_CFG_TIME_SLICE;
    }
    clock.slice_left--;
    if (clock.slice_left != 0) {
        return false;
    }
    clock.slice_left = AL_CFG_TIME_SLICE;
    clock.slice_over = running;
    return true;
}

/* The running task gives way to its equals, if it is still the one that had its
 * turn; one that ends (task_end) is let finish. */
static inline void slice_end_held(void)
{
    struct al_task *running = al_core.current;

    if (AL_CFG_TIME_SLICE == 0 || clock.slice_over == NULL) {
        return;
    }
    if (clock.slice_over == running && running->spawns % 2 != 0 &&
            *sched_level_held(running->prio) == running) {
        *sched_level_held(running->prio) = running->next;
    }
    clock.slice_over = NULL;
}

/*
 * Ticks that have passed by the counter, those that a task skips among them;
 * none if the handler was called for these. The tick and the counter may tell the
 * end of a period apart by a little.
 */
__attribute__((noinline)) static uint32_t catch_up(uint32_t counter)
{
    uint32_t since = counter - clock.due + clock.counts;
    uint32_t passed = (since + clock.counts / 64) / clock.counts;
    uint32_t skipped = clock.skipped;

    clock.skipped = 0;
    clock.period = clock.counts;
    clock.due += passed * clock.counts;
    if (passed > 1 && arch_overslept()) {
        passed = 1;
    }
    return passed + skipped;
}

static bool expire_until_held(al_time now);

/* Something is due by `now`: look at once, or have the lock's holder look. */
__attribute__((noinline)) static void tick_look(al_time now)
{
    if (softlock_is_taken()) {
        softlock_irq_post(&clock.post);
        return;
    }
    softlock_take();
    if (expire_until_held(now)) {
        softlock_irq_post(&clock.post);
        softlock_clear();
        arch_pend_switch_irq();
        return;
    }
    softlock_irq_leave();
}

/* Fills the copy that nobody reads, and makes it the valid one. */
static inline al_time advance(uint32_t index, uint32_t ticks)
{
    al_time *valid = &clock.count[index & 1];
    al_time now = *valid + ticks;

    /* The clock is aligned to both together. */
    valid = (al_time *)((uintptr_t)valid ^ sizeof(al_time));
    *valid = now;
    AL_BARRIER();
    clock.index = index + 1;
    return now;
}

static inline void tick_by(uint32_t ticks)
{
    al_time now = advance(clock.index, ticks);
    bool slice_over = slice_is_over();

    if (__builtin_expect((int32_t)((uint32_t)now - clock.expiry) >= 0, 0) ||
            slice_over) {
        tick_look(now);
    }
}

__attribute__((noinline)) static void tick_late(uint32_t counter)
{
    tick_by(catch_up(counter));
}

/* What is usual stays in the registers that a handler may use. */
void time_tick(uint32_t counter)
{
    uint32_t due = clock.due;
    uint32_t period = clock.period;
    uint32_t ticks = 1;

    if (__builtin_expect(counter - due < period, 1)) {
        clock.due = due + period;
    } else if (SCHED_SMALL) {
        ticks = catch_up(counter);
    } else {
        tick_late(counter);
        return;
    }
    tick_by(ticks);
}

/* The low half of the time, or of the time a tick ago: what a comparison that
 * is made again after each tick may look at. */
static inline uint32_t now_low(void)
{
    return (uint32_t)clock.count[clock.index & 1];
}

static struct al_task *task_of(struct al_timer_node *timer)
{
    return (struct al_task *)(void *)((char *)timer -
                                      offsetof(struct al_task, timer));
}

/* The next look at the tree: at its root's time, or a long while from now. No
 * tick comes in between: this is the tick's handler, or the switch exception. */
static inline void expiry_set_held(al_time now)
{
    const struct al_timer_node *root = clock.tree.root;
    uint32_t next = (uint32_t)now + LOOK_AGAIN_TICKS;

    if (root != NULL && root->when < now + LOOK_AGAIN_TICKS) {
        next = (uint32_t)root->when;
    }
    clock.expiry = next;
}

void time_set_prio_held(const struct al_task *task, uint32_t prio)
{
    most_leave(&clock.most, task->prio);
    most_enter(&clock.most, prio, false);
}

int time_urgency_held(void)
{
    bool slice_over = AL_CFG_TIME_SLICE != 0 && clock.slice_over != NULL;

    return clock.timers != 0 || slice_over ? SOFTLOCK_NOW
                                           : (int)clock.most.prio;
}

/* For images without the module. */
static void expired_none(struct al_timer_node *timer)
{
    (void)timer;
}

#define EXPIRED_NONE __attribute__((weak, alias("expired_none")))

void timer_expired_held(struct al_timer_node *timer) EXPIRED_NONE;
void kill_expired_held(struct al_timer_node *timer) EXPIRED_NONE;

NOT_LINKED(flags)

WEAK_VALUE(bool, time_wait_over_held, struct al_task, true)

static void deadline_passed_held(struct al_task *task)
{
    task->flags &= (uint8_t)~AL_FLAG_TIMED;
    if (task->wait == AL_KIND_NONE || time_wait_over_held(task)) {
        sched_wake_held(task);
    }
}

static void expire_held(struct al_timer_node *timer)
{
    timer_remove_held(&clock.tree, timer);
    if (timer->kind == AL_KIND_TASK) {
        most_leave(&clock.most, task_of(timer)->prio);
        deadline_passed_held(task_of(timer));
        return;
    }
    clock.timers--;
    if (timer->kind == AL_KIND_TIMER) {
        timer_expired_held(timer);
    } else {
        kill_expired_held(timer);
    }
}

static inline bool is_due(const struct al_timer_node *root, al_time now)
{
    return root != NULL && root->when <= now;
}

/* Steps: see the head. True: there is more to do. */
static bool expire_until_held(al_time now)
{
    slice_end_held();
    while (is_due(clock.tree.root, now)) {
        expire_held(clock.tree.root);
        if (is_due(clock.tree.root, now) &&
                (!softlock_inbox_is_empty() ||
                        sched_top_held() != al_core.current)) {
            return true;
        }
    }
    expiry_set_held(now);
    return false;
}

/* No tick comes into the switch exception (kernel/arch.h). */
bool time_step_held(void)
{
    return expire_until_held(clock.count[clock.index & 1]);
}

static void insert_held(struct al_timer_node *timer)
{
    timer_insert_held(&clock.tree, timer);
    if (clock.tree.root == timer) {
        clock.expiry = (uint32_t)timer->when; /* perhaps too early */
        AL_BARRIER();
        /* Read the clock again after the expiry is set: see the head. */
        if ((int32_t)(now_low() - clock.expiry) >= 0) {
            softlock_irq_post(&clock.post);
        }
    }
}

void time_insert_held(struct al_timer_node *timer)
{
    if (clock.timers == 0) {
        sched_look_again_held(); /* sleepers were the most urgent until now */
    }
    clock.timers++;
    insert_held(timer);
}

void time_remove_held(struct al_timer_node *timer)
{
    clock.timers--;
    timer_remove_held(&clock.tree, timer);
}

void time_expiry_held(struct al_task *task, al_time when)
{
    task->timer.when = when;
    task->flags |= AL_FLAG_TIMED;
    most_enter(&clock.most, task->prio, clock.tree.root == NULL);
    insert_held(&task->timer);
}

void time_undo_deadline_held(struct al_task *task)
{
    task->flags &= (uint8_t)~AL_FLAG_TIMED;
    most_leave(&clock.most, task->prio);
    timer_remove_held(&clock.tree, &task->timer);
}

bool time_is_past(al_time deadline)
{
    return deadline == AL_POLL || deadline <= time_now();
}

void time_sleep_held(al_time when)
{
    struct al_task *self = al_core.current;

    self->wait = AL_KIND_NONE;
    time_expiry_held(self, when);
    (void)sched_give_way_held(AL_OK);
}

/* If it has passed meanwhile, the clock is there to see it. */
static void sleep_until(al_time when)
{
    struct al_task *self = al_core.current;

    softlock_take();
    sched_remove_held(self);
    self->state = AL_TASK_WAITING;
    time_sleep_held(when);
}

void al_sleep_until(al_time when)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    if (!time_is_past(when)) {
        sleep_until(when);
    }
}

void al_sleep(uint32_t ticks)
{
    CALLER_MUST(TASK, 1, !arch_in_handler());
    if (ticks != 0) {
        sleep_until(time_now() + ticks);
    }
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
