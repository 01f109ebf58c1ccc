/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler that calls a public function with little of the interrupt
 * stack left dies of an overflow at that call, before anything has changed, or
 * gets what it asked for; nothing else notices.
 *
 *  1. each row below, in handlers of each level, with the stack pointer at each
 *     word from 64 bytes below the limit, where cleanups end, to 192 above it
 *  2. it dies of an overflow, or comes back; once it came back it does so at all
 *     larger distances
 *  3. after a death the objects are as they were, whoever waits still does, one
 *     record says so, of a handler; the interrupted task's registers and the
 *     kernel's lists are in order; the lowest words of the stack are untouched
 *  4. the next interrupt of that line is handled
 * Fails if: a function for handlers is entered with less stack than it takes, or
 * changes an object before its check.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os
 * sources: ../interleave/rig.c
 * options: AL_CFG_IRQ_DEATHS=200
 */
#include "../interleave/rig.h"

#include "test.h"

#define FLOOR        (-64) /* from the limit */
#define FAR          192
#define CALLER       128 /* at most, frames of rows and of inline functions at -O0 */
#define CANARY_WORDS 8u
#define CANARY       0xca9a91u
#define NOINLINE     __attribute__((noinline))

AL_CHAN_TYPE(words, uint32_t, 2);

extern char __al_irq_limit[];
extern volatile uint32_t __al_irq_stack_low[];

static struct al_sem sem = AL_SEM_INIT(0, 5); /* nobody waits for it */
static struct al_sem waited = AL_SEM_INIT(0, 5);
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
static struct words chan = AL_CHAN_INIT(uint32_t, 2);
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_task_id parked;
static void *item;
static uint32_t word;
static volatile uint32_t woken; /* rounds of the two that wait */

static void waiter_main(void)
{
    for (;;) {
        al_sem_take(&waited);
        woken++;
    }
}
AL_TASK(waiter, waiter_main, 6, 1024);

static void parker_main(void)
{
    for (;;) {
        (void)al_task_park(AL_FOREVER);
        woken++;
    }
}
AL_TASK(parker, parker_main, 7, 1024);

static NOINLINE void give(void)
{
    (void)al_irq_sem_give(&sem);
}

static NOINLINE void give_waited(void)
{
    (void)al_irq_sem_give(&waited);
}

static NOINLINE void set(void)
{
    (void)al_irq_event_set(&event, 1);
}

static NOINLINE void post(void)
{
    (void)al_irq_mailbox_post(&mailbox, &sem);
}

static NOINLINE void overwrite(void)
{
    (void)al_irq_mailbox_overwrite(&mailbox, &sem, &item);
}

static NOINLINE void send(void)
{
    (void)al_irq_chan_send(&chan, 7);
}

static NOINLINE void receive(void)
{
    (void)al_irq_chan_recv(&chan, &word);
}

static NOINLINE void wake(void)
{
    (void)al_irq_task_wake(parked);
}

static NOINLINE void start(void)
{
    (void)al_irq_timer_start(&timer, 50, 0);
}

static NOINLINE void stop(void)
{
    (void)al_irq_timer_stop(&timer);
}

static NOINLINE void enable(void)
{
    al_irq_enable(3, AL_PRIO_IRQ(0));
}

static NOINLINE void disable(void)
{
    al_irq_disable(3);
}

static NOINLINE void now(void)
{
    (void)al_now();
}

static NOINLINE void count(void)
{
    (void)al_sem_count(&sem);
}

static const struct row {
    const char *name;
    void (*call)(void);
    bool wakes;
} rows[] = {
        {"al_irq_sem_give", give, false},
        {"al_irq_sem_give, waited for", give_waited, true},
        {"al_irq_event_set", set, false},
        {"al_irq_mailbox_post", post, false},
        {"al_irq_mailbox_overwrite", overwrite, false},
        {"al_irq_chan_send", send, false},
        {"al_irq_chan_recv", receive, false},
        {"al_irq_task_wake", wake, true},
        {"al_irq_timer_start", start, false},
        {"al_irq_timer_stop", stop, false},
        {"al_irq_enable", enable, false},
        {"al_irq_disable", disable, false},
        {"al_now", now, false},
        {"al_sem_count", count, false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* Calls fn() with the stack pointer at `sp`, whatever lies there. What it keeps
 * would need a stated bound on the stack. */
void call_with_sp(uintptr_t sp, void (*fn)(void));
uint32_t call_kept[2];
__asm__(".pushsection .text.call_with_sp,\"ax\",%progbits\n"
        ".global call_with_sp\n"
        ".type call_with_sp, %function\n"
        ".thumb_func\n"
        "call_with_sp:\n"
        ".fnstart\n"
        ".cantunwind\n"
        "@alula: unchecked 0\n"
        "ldr ip, =call_kept\n"
        "mov r2, sp\n"
        "str lr, [ip]\n"
        "str r2, [ip, #4]\n"
        "mov sp, r0\n"
        "blx r1\n"
        "ldr r3, =call_kept\n"
        "ldr r2, [r3, #4]\n"
        "mov sp, r2\n"
        "ldr pc, [r3]\n"
        ".ltorg\n"
        ".fnend\n"
        ".size call_with_sp, . - call_with_sp\n"
        ".popsection\n");

static const struct row *row;
static int32_t distance;
static unsigned level;
static volatile bool began;
static volatile bool came_back;

static void act(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    began = true;
    call_with_sp((uintptr_t)(__al_irq_limit + distance), row->call);
    came_back = true;
}

static void lives(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    began = true;
}

static rig_action action;

static void pend(void)
{
    rig_pend(level, action);
}

/* All that the rows change, as one number. */
static uint32_t sum(void)
{
    struct al_timer_info info;

    al_timer_read(&timer, &info);
    return (uint32_t)al_sem_count(&sem) + al_event_get(&event) * 16 +
           (mailbox.item != 0) * 32 + (uint32_t)al_chan_count(&chan) * 64 +
           info.running * 256 + woken * 512;
}

static void tidy(void)
{
    al_timer_stop(&timer);
    while (al_sem_try_take(&sem) == AL_OK) {
    }
    al_event_clear(&event, ~0u);
    (void)al_mailbox_receive_until(&mailbox, &item, AL_POLL);
    while (al_chan_try_recv(&chan, &word) == AL_OK) {
    }
}

/* What was there before the call: something to take, to stop. */
static void prepare(void)
{
    tidy();
    (void)al_chan_send(&chan, 1);
    if (row->call == stop) {
        al_timer_start(&timer, 50, 0);
    }
}

static struct al_crash_record record;

/* A sentence when something is wrong, else NULL. */
static const char *after(uint32_t before, uint32_t crashes, uint32_t woke)
{
    bool died = al_crash_count() != crashes;

    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        if (__al_irq_stack_low[i] != CANARY) {
            return "the low end of the stack is touched";
        }
    }
    if (!began || came_back == died || al_crash_count() - crashes > 1) {
        return "it neither died nor came back";
    }
    if (died && (al_crash_read(al_crash_count(), &record) != AL_OK ||
                        record.cause != AL_CAUSE_OVERFLOW ||
                        (record.psr & 0x1ff) < 16)) {
        return "its record is not right";
    }
    if (died && sum() != before) {
        return "something has changed";
    }
    if (came_back && woken - woke != row->wakes) {
        return "who waits was not woken once";
    }
    return NULL;
}

static const char *try_at(int32_t at)
{
    uint32_t crashes = al_crash_count();
    uint32_t woke = woken;
    const char *wrong;
    uint32_t before;

    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        __al_irq_stack_low[i] = CANARY;
    }
    prepare();
    before = sum();
    distance = at;
    began = false;
    came_back = false;
    action = act;
    if (rig_guard(pend, (uint32_t)at, 1) != 0) {
        return "registers differ";
    }
    wrong = after(before, crashes, woke);
    if (wrong != NULL) {
        return wrong;
    }
    began = false;
    action = lives;
    if (rig_guard(pend, (uint32_t)at, 0) != 0 || !began) {
        return "the next one is not handled";
    }
    tidy();
    return rig_check();
}

static void sweep(const struct row *which)
{
    int32_t first = FAR + 1;
    const char *wrong = NULL;
    uint32_t deaths = 0;
    int32_t at;

    row = which;
    for (at = FLOOR; at <= FAR; at += 4) {
        level = (uint32_t)(at + 64) / 4 % RIG_TIMERS;
        wrong = try_at(at);
        if (wrong == NULL && !came_back && at > first) {
            wrong = "it dies with more room than it had";
        }
        if (wrong != NULL) {
            break;
        }
        deaths += !came_back;
        first = came_back && at < first ? at : first;
    }
    CHECK(wrong == NULL && first <= CALLER,
            "%s: %s at %d, back from %d, %u deaths", which->name,
            wrong == NULL ? "well" : wrong, (int)at, (int)first,
            (unsigned)deaths);
}

static void judge_main(void)
{
    parked = al_task_id_of(&parker);
    rig_start();
    for (uint32_t i = 0; i < ROWS; i++) {
        sweep(&rows[i]);
    }
    test_done();
}
AL_TASK(judge, judge_main, 5, 2048);
