/* SPDX-License-Identifier: MIT */
/*
 * Claim: the grace of a kill runs only while its task could go on: who is kept
 * from running by a more urgent one is not stopped where it is, and its cleanup
 * is not abandoned.
 *
 *  1. a task is killed where it waits; its cleanup has begun when a more urgent
 *     task takes the processor for ten times the grace: it comes to its end all
 *     the same
 *  2. a task that enters no function is preempted and killed, and the processor
 *     taken for as long: it dies at the next function that it enters, with a
 *     backtrace
 *
 * Fails if: ticks count in which others ran.
 * boards: stm32f405 mps2-an386; builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2
 * recovers: killed | preempted | more urgent tasks keep it from running: those
 *     ticks are none of its grace, it dies when it runs | -
 */
#include <alula/alula.h>
#include <alula/kill.h>

#include "test.h"

#define LONG (10 * AL_CFG_KILL_GRACE)

static struct al_sem hog_go = AL_SEM_INIT(0, 1);
static struct al_sem never = AL_SEM_INIT(0, 1);
static volatile enum {
    WAITS,
    SPINS,
    RESTS
} way = WAITS;
static volatile bool spinning;
static volatile bool begun;
static volatile bool finished;

extern struct al_task victim;

static void take_processor(void)
{
    al_time until = al_in(LONG);

    while (al_now() < until) {
    }
}

/* More urgent than the victim. */
static void hog_main(void)
{
    for (;;) {
        al_sem_take(&hog_go);
        if (spinning) {
            al_sleep(2);
            (void)al_task_kill(al_task_id_of(&victim), AL_KILL_RESTART);
            spinning = false;
        }
        take_processor();
    }
}

static void slow_cleanup(void *arg)
{
    (void)arg;
    begun = true;
    (void)al_sem_give(&hog_go);
    finished = true;
}

__attribute__((noinline)) static void enter(void)
{
    volatile char room[80];

    room[0] = 1;
    al_sem_take(&never);
    room[1] = room[0];
}

__attribute__((noinline)) static void spin(void)
{
    while (spinning) {
    }
    enter();
    __asm__ volatile("" ::: "memory");
}

static void victim_main(void)
{
    if (way == WAITS) {
        AL_DEFER(slow_cleanup, NULL);
        al_sem_take(&never);
    } else if (way == SPINS) {
        way = RESTS; /* in its next life */
        spinning = true;
        (void)al_sem_give(&hog_go);
        spin();
    }
    al_sem_take(&never);
}

static void judge_main(void)
{
    struct al_crash_record record;

    way = SPINS; /* how it begins again */
    (void)al_task_kill(al_task_id_of(&victim), AL_KILL_RESTART);
    CHECK(begun && finished,
            "a cleanup that was kept waiting comes to its end");
    CHECK(al_crash_read(1, &record) == AL_OK && record.nested == 0,
            "it was not abandoned");
    while (al_crash_count() < 2) {
        al_sleep(1);
    }
    CHECK(al_crash_read(2, &record) == AL_OK && record.cause == AL_CAUSE_KILLED,
            "a loop was killed");
    CHECK(record.pc_count > 1, "at an entry: %d places", (int)record.pc_count);
    test_done();
}

AL_TASK(judge, judge_main, 2, 2048);
AL_TASK(victim, victim_main, 3, 1024);
AL_TASK(hog, hog_main, 6, 1024);
