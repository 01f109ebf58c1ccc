/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's operations cost in instructions, as an application calls
 * them: arguments set up, call, kernel, return. docs/numbers.md says of each
 * key from where to where it counts.
 *
 * Tasks: `conductor` starts every operation; `equal` has its priority; the
 * others are more urgent and wait.
 *
 * Not here: interrupts and ticks (interrupts.c), restarts (deaths.c).
 */
#include "bench.h"

#include <board.h>

static struct al_sem partner = AL_SEM_INIT(0, 1);
static struct al_sem wake = AL_SEM_INIT(0, 1);
static struct al_sem lap = AL_SEM_INIT(0, 1);
static struct al_sem alone = AL_SEM_INIT(0, 1);
static struct al_sem contend = AL_SEM_INIT(0, 1);
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex wanted = AL_MUTEX_INIT;
AL_CHAN(queue, uint32_t, 4);

MEASURES static void yield_once(void)
{
    COUNT_OPEN();
    al_yield();
    series_close(YIELD_SWITCH, COUNT_CLOSE()); /* from the other's opening */
}

static void equal_main(void)
{
    for (;;) {
        al_sem_take(&partner);
        for (int i = 0; i < REPEAT; i++) {
            count_drift(i);
            yield_once();
        }
    }
}

/* From the call to the first instruction behind the other task's call. */
MEASURES static void give_wake_once(void)
{
    COUNT_OPEN();
    (void)al_sem_give(&wake);
    series_close(SEM_TAKE_BLOCK, COUNT_CLOSE());
}

MEASURES static void take_block_once(void)
{
    COUNT_OPEN();
    al_sem_take(&wake);
    series_close(SEM_GIVE_WAKE, COUNT_CLOSE());
}

static void high_main(void)
{
    for (int i = 0;; i++) {
        count_drift(i);
        take_block_once();
    }
}

static void lapper_main(void)
{
    for (;;) {
        BENCH_MARKER();
        al_sem_take(&lap);
        BENCH_MARKER();
    }
}

MEASURES static void lap_once(void)
{
    COUNT_OPEN();
    (void)al_sem_give(&lap);
    series_close(SEM_ROUND_TRIP, COUNT_CLOSE());
}

MEASURES static void give_once(void)
{
    COUNT_OPEN();
    (void)al_sem_give(&alone);
    series_close(SEM_GIVE, COUNT_CLOSE());
}

MEASURES static void take_once(void)
{
    COUNT_OPEN();
    al_sem_take(&alone);
    series_close(SEM_TAKE, COUNT_CLOSE());
}

MEASURES static void lock_once(void)
{
    COUNT_OPEN();
    (void)!al_mutex_lock(&mutex);
    series_close(MUTEX_LOCK, COUNT_CLOSE());
    if (!al_mutex_is_mine(&mutex)) {
        al_panic("not locked");
    }
}

MEASURES static void unlock_once(void)
{
    COUNT_OPEN();
    al_mutex_unlock(&mutex);
    series_close(MUTEX_UNLOCK, COUNT_CLOSE());
}

MEASURES static void send_once(uint32_t item)
{
    COUNT_OPEN();
    (void)al_chan_send(&queue, item);
    series_close(QUEUE_SEND, COUNT_CLOSE());
}

/* The item is in memory when it ends. */
MEASURES static void recv_once(uint32_t expected)
{
    uint32_t item = 0;

    __asm__ volatile("" : : "r"(&item) : "memory");
    COUNT_OPEN();
    (void)al_chan_recv(&queue, &item);
    series_close(QUEUE_RECV, COUNT_CLOSE());
    if (item != expected) {
        al_panic("not received");
    }
}

MEASURES static void contend_once(void)
{
    COUNT_OPEN();
    (void)!al_mutex_lock(&wanted);
    series_close(MUTEX_HANDOVER, COUNT_CLOSE());
    al_mutex_unlock(&wanted);
}

static void contender_main(void)
{
    for (;;) {
        al_sem_take(&contend);
        contend_once();
    }
}

/* The contender's lock lets this go on; this one's unlock the contender. */
MEASURES static void contended_once(void)
{
    (void)al_sem_give(&contend);
    series_close(MUTEX_INHERIT, COUNT_CLOSE());
    COUNT_OPEN();
    al_mutex_unlock(&wanted);
}

static struct al_spawn child;
static struct al_task_id child_id;
static char child_stack[768] __attribute__((aligned(8)));

static void child_main(void *args)
{
    (void)args;
}

static const struct al_task_params child_params = {
        .name = "child",
        .entry = child_main,
        .stack = child_stack,
        .stack_bytes = sizeof(child_stack),
        .prio = 1,
};

/* Less urgent than this one, which lets it come to its end. */
MEASURES static void create_once(void)
{
    COUNT_OPEN();
    al_task_create(&child, &child_params, &child_id);
    series_close(TASK_CREATE, COUNT_CLOSE());
    (void)!al_task_join(child_id, AL_FOREVER);
}

#define NOTHING_INSNS 1u

static char scoped; /* what the scope is about */

MEASURES static void defer_once(void)
{
    COUNT_OPEN();
    {
        AL_DEFER(bench_nothing, &scoped);
    }
    series_add(DEFER, count_insns(COUNT_CLOSE()) - NOTHING_INSNS);
}

static void round_of_all(int i)
{
    give_wake_once();
    count_drift(i);
    lap_once();
    give_once();
    count_drift(i);
    take_once();
    lock_once();
    count_drift(i);
    unlock_once();
    send_once((uint32_t)i);
    count_drift(i);
    recv_once((uint32_t)i);
    (void)!al_mutex_lock(&wanted);
    contended_once();
    count_drift(i);
    create_once();
    count_drift(i);
    defer_once();
}

static void conductor_main(void)
{
    static bool started;

    if (started) {
        say("the conductor died\n");
        board_exit(1);
    }
    started = true;
    count_start();
    bench_interrupts_start();
    (void)al_sem_give(&partner);
    for (int i = 0; i < REPEAT; i++) {
        count_drift(i);
        yield_once();
    }
    al_yield(); /* the equal one goes to wait */
    for (int i = 0; i < REPEAT + 1; i++) {
        round_of_all(i);
        bench_interrupts(i);
        bench_deaths(i);
    }
    series_report();
    board_exit(0);
}

AL_TASK(conductor, conductor_main, 2, 2048);
AL_TASK(equal, equal_main, 2, 1024);
AL_TASK(contender, contender_main, 4, 1024);
AL_TASK(high, high_main, 5, 1024);
AL_TASK(lapper, lapper_main, 5, 1024);
