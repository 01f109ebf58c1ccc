/* SPDX-License-Identifier: MIT */
/*
 * Claim: who waits for an object in a task's stack that nobody registered there
 * is told AL_E_DESTROYED when that task dies, before anything else lies there.
 *   1. a semaphore, an event set, a mailbox, a condition variable, a channel and
 *      a mutex in a victim's stack, none of them registered; a task waits for
 *      each, more urgent than the victim, as urgent, or less, with a deadline or
 *      without
 *   2. the victim panics; faults; runs out of its stack; is killed while it waits
 *      itself; a task of the heap's returns, and is ended
 *   3. each who waited was told, once; older cleanups that write over the dead
 *      frames, and the deadlines, change nothing; none died in another's cleanup
 *   4. a semaphore beside them serves the victim's cleanup as before; who begins
 *      to wait for it then is told at the end, whatever is written over it
 *   5. all of it again: the kernel's lists are whole
 * Fails if: a queue in a dead stack has members when its memory is used anew.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O0 clang-O2
 * sources: ../support/recover.c; flags: -DRIG_STACK=4096
 */
#include "../support/recover.h"

enum {
    SEM,
    EVENT,
    MAILBOX,
    COND,
    CHAN,
    MUTEX,
    LATE,
    KINDS
};

AL_CHAN_TYPE(words, uint32_t, 2);

/* What lies in the victim's stack. */
struct objects {
    struct al_sem sem;
    struct al_sem late;
    struct al_event event;
    struct al_mailbox mailbox;
    struct al_cond cond;
    struct al_mutex mutex;
    struct words chan;
};

static struct objects *volatile its;
static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile al_time patience;
static volatile al_status told[KINDS];
static volatile uint32_t rounds;
static volatile bool cleanup_right;

static al_status cond_waits(void)
{
    al_status status;

    rig_lock(&mutex);
    status = al_cond_wait_until(&its->cond, &mutex, patience);
    al_mutex_unlock(&mutex);
    return status;
}

static al_status wait_for(unsigned kind)
{
    void *item;
    uint32_t word;

    switch (kind) {
    case SEM:
        return al_sem_take_until(&its->sem, patience);
    case EVENT:
        return al_event_wait(&its->event, 3, AL_EVENT_ALL, patience, NULL);
    case MAILBOX:
        return al_mailbox_receive_until(&its->mailbox, &item, patience);
    case COND:
        return cond_waits();
    case CHAN:
        return al_chan_recv_until(&its->chan, &word, patience);
    case MUTEX:
        return al_mutex_lock_until(&its->mutex, patience);
    default:
        return al_sem_take_until(&its->late, patience);
    }
}

#define WAITS(name, kind, prio)                       \
  static struct al_sem name##_go = AL_SEM_INIT(0, 1); \
  static void name##_main(void)                       \
  {                                                   \
    for (;;) {                                        \
      al_sem_take(&name##_go);                        \
      told[kind] = wait_for(kind);                    \
      rounds++;                                       \
    }                                                 \
  }                                                   \
  AL_TASK(name, name##_main, prio, 1024)

WAITS(sem_waiter, SEM, RIG_PRIO + 1);
WAITS(event_waiter, EVENT, RIG_PRIO - 1);
WAITS(mailbox_waiter, MAILBOX, RIG_PRIO + 2);
WAITS(cond_waiter, COND, RIG_PRIO);
WAITS(chan_waiter, CHAN, RIG_PRIO - 1);
WAITS(mutex_waiter, MUTEX, RIG_PRIO + 1);
WAITS(late_waiter, LATE, RIG_PRIO + 1);

/* ---- the victim ---- */

/* Over what is dead below the frame in which it was opened. */
static void write_over(void *unused)
{
    volatile uint32_t words[200];

    (void)unused;
    for (unsigned i = 0; i < 200; i++) {
        words[i] = 0xa1a1a1a1u * i;
    }
}

/* The objects' memory is whole still. */
static void use_late(void *sem)
{
    cleanup_right = al_sem_give((struct al_sem *)sem) == AL_OK &&
                    al_sem_try_take((struct al_sem *)sem) == AL_OK;
    (void)al_sem_give(&late_waiter_go);
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
    struct objects objects;
    AL_DEFER(use_late, &objects.late);

    al_sem_init(&objects.sem, 0, 1);
    al_sem_init(&objects.late, 0, 1);
    al_event_init(&objects.event);
    al_mailbox_init(&objects.mailbox);
    al_cond_init(&objects.cond);
    al_mutex_init(&objects.mutex, false);
    al_chan_init(&objects.chan);
    its = &objects;
    rig_lock(&objects.mutex);
    (void)al_sem_give(&sem_waiter_go);
    (void)al_sem_give(&event_waiter_go);
    (void)al_sem_give(&mailbox_waiter_go);
    (void)al_sem_give(&cond_waiter_go);
    (void)al_sem_give(&chan_waiter_go);
    (void)al_sem_give(&mutex_waiter_go);
    al_sleep(2);
    al_event_set(&objects.event, 1); /* not enough */
    end();
}

static void body(void)
{
    AL_DEFER(write_over, NULL);
    with_objects();
}

static void end_panic(void)
{
    al_panic("with objects");
}

static void end_fault(void)
{
    (void)*RIG_NOWHERE;
}

static void end_overflow(void)
{
    rounds += deeper(NULL);
}

RIG_KILLER();

static void end_killed(void)
{
    (void)al_sem_give(&killer_go);
    al_sem_take(&its->sem);
}

/* ---- a round ---- */

static void begin(void (*how)(void), al_time until)
{
    end = how;
    rounds = 0;
    cleanup_right = false;
    patience = until;
    for (unsigned i = 0; i < KINDS; i++) {
        told[i] = AL_OK;
    }
}

static void look(const char *name, bool late)
{
    uint32_t all = late ? KINDS : KINDS - 1;

    al_sleep(30);
    for (unsigned i = 0; i < all; i++) {
        CHECK(told[i] == AL_E_DESTROYED, "%s: waiter %u is told: %d", name, i,
                (int)told[i]);
    }
    CHECK(rounds == all, "%s: once", name);
    CHECK(!late || cleanup_right, "%s: the cleanup's semaphore", name);
}

static void round_of(const char *name, void (*how)(void), al_time until)
{
    uint32_t died;

    begin(how, until);
    died = rig_run(body);
    CHECK(died == 1 && rig_record.nested == 0, "%s: dies %u times, cause %u",
            name, (unsigned)died, (unsigned)rig_record.cause);
    look(name, true);
}

static void rounds_until(uint32_t ticks)
{
    round_of("a panic", end_panic, ticks == 0 ? AL_FOREVER : al_in(ticks));
    round_of("a fault", end_fault, ticks == 0 ? AL_FOREVER : al_in(ticks));
    round_of("an overflow", end_overflow,
            ticks == 0 ? AL_FOREVER : al_in(ticks));
    round_of("a kill", end_killed, ticks == 0 ? AL_FOREVER : al_in(ticks));
}

/* ---- a task of the heap's, which has its stack back ---- */

static void end_return(void)
{
}

static void child_main(void *args)
{
    struct al_sem mine = AL_SEM_INIT(0, 1);

    (void)args;
    its = (struct objects *)(void *)((char *)&mine -
                                     offsetof(struct objects, sem));
    (void)al_sem_give(&sem_waiter_go);
    al_sleep(1);
    end();
}

static const struct al_restart_policy ends = {
        .budget = 0, .window = 1000, .exhausted = AL_EXHAUSTED_STOP};

static void child_of(const char *name, void (*how)(void))
{
    struct al_task_params params = {.name = "child",
            .entry = child_main,
            .stack_bytes = 1024,
            .prio = RIG_PRIO,
            .policy = &ends};
    struct al_task_id child;
    void *block;

    begin(how, AL_FOREVER);
    CHECK(al_task_spawn(&params, &child) == AL_OK, "%s: made", name);
    CHECK(al_task_join(child, al_in(50)) == AL_OK, "%s: ended", name);
    block = al_heap_alloc(1024);
    CHECK(told[SEM] == AL_E_DESTROYED && rounds == 1, "%s: told %d", name,
            (int)told[SEM]);
    al_heap_free(block);
}

static void judge_main(void)
{
    rounds_until(0);
    rounds_until(10);
    child_of("a return", end_return);
    child_of("an end", end_panic);
    rounds_until(0);
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 2, 2048);
