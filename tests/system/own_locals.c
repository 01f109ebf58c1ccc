/* SPDX-License-Identifier: MIT */
/*
 * Claim: objects in a task's stack (AL_SEM_LOCAL and the like) are destroyed at
 * the end of their block, and at the task's death, before their memory is used
 * for anything else.
 *   1. a semaphore, an event set, a mailbox and a condition variable in a
 *      victim's stack, for each of which a more urgent task waits; a timer that
 *      runs
 *   2. the block ends; the victim panics in it, two calls deeper; it runs out of
 *      its stack there; it is killed while it waits for one of them itself
 *   3. each who waited was told AL_E_DESTROYED, once; cleanups that were opened
 *      earlier and write over the dead frames, and the timer's tick, change
 *      nothing; none died in another's cleanup
 *   4. one that the victim has destroyed by itself is left alone
 * Fails if: one of them stays where others find it.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O0 clang-O2
 * sources: ../support/recover.c; flags: -DRIG_STACK=4096
 */
#include "../support/recover.h"

static struct al_sem *volatile sem;
static struct al_event *volatile event;
static struct al_mailbox *volatile mailbox;
static struct al_cond *volatile cond;
static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile al_status told[4];
static volatile uint32_t rounds;

#define WAITS(n, name, call)                          \
  static struct al_sem name##_go = AL_SEM_INIT(0, 1); \
  static void name##_main(void)                       \
  {                                                   \
    for (;;) {                                        \
      al_sem_take(&name##_go);                        \
      told[n] = (call);                               \
      rounds++;                                       \
    }                                                 \
  }                                                   \
  AL_TASK(name, name##_main, RIG_PRIO + 1, 1024)

static al_status cond_waits(void)
{
    al_status status = al_mutex_lock(&mutex);

    (void)status;
    status = al_cond_wait(cond, &mutex);
    al_mutex_unlock(&mutex);
    return status;
}

static al_status mailbox_waits(void)
{
    void *item;

    return al_mailbox_receive_until(mailbox, &item, AL_FOREVER);
}

WAITS(0, sem_waiter, al_sem_take_until(sem, AL_FOREVER));
WAITS(1, event_waiter, al_event_wait(event, 1, AL_EVENT_ALL, AL_FOREVER, NULL));
WAITS(2, mailbox_waiter, mailbox_waits());
WAITS(3, cond_waiter, cond_waits());

/* Over what is dead below the frame in which it was opened. */
static void write_over(void *unused)
{
    volatile uint32_t words[120];

    (void)unused;
    for (unsigned i = 0; i < 120; i++) {
        words[i] = 0xa1a1a1a1u * i;
    }
}

__attribute__((noinline)) static uint32_t deeper(volatile uint32_t *above)
{
    volatile uint32_t room[32];

    room[0] = above == NULL ? 0 : *above;
    return deeper(room) + room[0];
}

static void (*volatile end)(void);

__attribute__((noinline)) static void with_objects(void)
{
    AL_SEM_LOCAL(my_sem, 0, 1);
    AL_EVENT_LOCAL(my_event);
    AL_MAILBOX_LOCAL(my_mailbox);
    AL_COND_LOCAL(my_cond);
    AL_TIMER_LOCAL(my_timer, AL_TIMER_INIT_SEM(&my_sem));

    sem = &my_sem;
    event = &my_event;
    mailbox = &my_mailbox;
    cond = &my_cond;
    (void)al_sem_give(&sem_waiter_go);
    (void)al_sem_give(&event_waiter_go);
    (void)al_sem_give(&mailbox_waiter_go);
    (void)al_sem_give(&cond_waiter_go);
    (void)al_timer_start(&my_timer, 3, 1);
    end();
}

static void body(void)
{
    AL_DEFER(write_over, NULL);
    with_objects();
}

static void end_block(void)
{
}

static void end_panic(void)
{
    al_panic("in the block");
}

static void end_overflow(void)
{
    rounds += deeper(NULL);
}

static void end_destroyed(void)
{
    al_sem_destroy(sem);
    al_event_destroy(event);
    al_mailbox_destroy(mailbox);
    al_cond_destroy(cond);
}

RIG_KILLER();

static void end_killed(void)
{
    (void)al_sem_give(&killer_go);
    al_sem_take(sem);
}

static void round_of(const char *name, void (*how)(void), uint32_t deaths)
{
    uint32_t died;

    end = how;
    rounds = 0;
    for (unsigned i = 0; i < 4; i++) {
        told[i] = AL_OK;
    }
    died = rig_run(body);
    al_sleep(6);
    CHECK(died == deaths && (deaths == 0 || rig_record.nested == 0),
            "%s: dies %u times, cause %u", name, (unsigned)died,
            (unsigned)rig_record.cause);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(told[i] == AL_E_DESTROYED, "%s: waiter %u is told", name, i);
    }
    CHECK(rounds == 4, "%s: once", name);
}

static void judge_main(void)
{
    round_of("the block's end", end_block, 0);
    round_of("a panic", end_panic, 1);
    round_of("an overflow", end_overflow, 1);
    round_of("a kill", end_killed, 1);
    round_of("destroyed before", end_destroyed, 0);
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 2, 2048);
