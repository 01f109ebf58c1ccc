/* SPDX-License-Identifier: MIT */
/*
 * Claim: what al_task_read() tells of a task's run time, stack and deadlines,
 * where the options are on, is what the task did.
 *   1. run time: two tasks that spin in turn have what the counter shows, a task
 *      that sleeps has next to nothing; nobody's goes backwards, and all tasks
 *      together have no more than has passed
 *   2. stack: a task that was deep at a switch keeps that as its peak, also
 *      when it was preempted there, and never less than it uses now
 *   3. deadlines: waits that time out and missed releases are counted, others,
 *      and polls, are not
 *   4. a restart keeps all of it
 * Fails if: the wrong task is charged, or a peak is kept of the shallower
 * switch.
 * builds: gcc-Os-small gcc-O2 gcc-O0 clang-O2
 * options: AL_CFG_STAT_RUNTIME=1 AL_CFG_STAT_STACK=1 AL_CFG_STAT_DEADLINES=1
 */
#include <alula/alula.h>

#include <board.h>

#include "test.h"

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem done = AL_SEM_INIT(0, 1);
static struct al_sem never = AL_SEM_INIT(0, 1);
static void (*volatile job)(void);

static void worker_main(void)
{
    for (;;) {
        al_sem_take(&go);
        job();
        (void)al_sem_give(&done);
    }
}

AL_TASK(worker, worker_main, 6, 2048);

static void run(void (*what)(void))
{
    job = what;
    (void)al_sem_give(&go);
    al_sem_take(&done);
}

static struct al_task_info info_of(const struct al_task *task)
{
    struct al_task_info info;

    al_task_read(task, &info);
    return info;
}

#define MS (BOARD_COUNTER_HZ / 1000u)

static void spin_20(void)
{
    al_time until = al_now() + 20;

    while (al_now() < until) {
    }
}

static void sleep_20(void)
{
    al_sleep(20);
}

static void run_time(void)
{
    uint64_t before = info_of(&worker).run_counts;
    uint64_t mine = info_of(al_task_self()).run_counts;
    uint64_t after;

    run(spin_20);
    after = info_of(&worker).run_counts;
    CHECK(after - before > 18 * MS && after - before < 22 * MS,
            "20 ms are 20 ms: %u", (unsigned)((after - before) / MS));
    CHECK(info_of(al_task_self()).run_counts - mine < 3 * MS,
            "and not another's");
    before = after;
    run(sleep_20);
    after = info_of(&worker).run_counts;
    CHECK(after - before < MS, "who sleeps does not run");
    mine = info_of(al_task_self()).run_counts;
    spin_20();
    CHECK(info_of(al_task_self()).run_counts - mine > 18 * MS,
            "the running task's time goes on");
    CHECK(info_of(&worker).run_counts == after, "nobody else's does");
}

__attribute__((noinline)) static void deep(unsigned frames, bool spins)
{
    volatile char room[128];

    __asm__ volatile("" ::"r"(room) : "memory");
    room[0] = (char)frames;
    if (frames > 0) {
        deep(frames - 1, spins);
    } else if (spins) {
        spin_20();
    } else {
        al_sleep(1);
    }
    room[1] = room[0];
}

static void sleep_deep(void)
{
    deep(3, false);
}

static void spin_deeper(void)
{
    deep(6, true);
}

static void preempts_main(void)
{
    for (;;) {
        al_sleep(2);
    }
}

AL_TASK(preempts, preempts_main, 9, 1024);

static void stack(void)
{
    struct al_task_info before = info_of(&worker);
    struct al_task_info info;

    CHECK(before.stack_peak >= before.stack_used && before.stack_used > 0,
            "at least what is in use");
    run(sleep_deep);
    info = info_of(&worker);
    CHECK(info.stack_peak >= 4 * 128 && info.stack_peak < 4 * 128 + 400 &&
                    info.stack_used < 300,
            "deep at a switch: %u", (unsigned)info.stack_peak);
    run(spin_deeper);
    info = info_of(&worker);
    CHECK(info.stack_peak >= 7 * 128, "deep when preempted: %u",
            (unsigned)info.stack_peak);
    CHECK(info.stack_peak < info.stack_limit, "within its limit");
}

static void times_out(void)
{
    struct al_period period;

    (void)al_sem_take_until(&never, al_in(2));
    (void)al_sem_take_until(&never, AL_POLL);
    (void)al_sem_take_until(&never, al_in(1));
    (void)al_sem_give(&never);
    (void)al_sem_take_until(&never, al_in(1));
    al_sleep(2);
    al_period_start(&period, 3);
    (void)al_period_wait(&period);
    al_sleep(10);
    (void)al_period_wait(&period);
    job = spin_20;
}

static void dies(void)
{
    (void)al_sem_give(&done);
    al_panic("once");
}

static void deadlines(void)
{
    uint32_t before = info_of(&worker).missed;
    struct al_task_info info;

    run(times_out);
    info = info_of(&worker);
    CHECK(info.missed - before == 2 + 3, "two waits, three releases: %u",
            (unsigned)(info.missed - before));
    run(dies);
    CHECK(info_of(&worker).restarts == 1 &&
                    info_of(&worker).missed == info.missed &&
                    info_of(&worker).stack_peak >= info.stack_peak &&
                    info_of(&worker).run_counts >= info.run_counts,
            "a restart keeps it");
}

static void judge_main(void)
{
    run_time();
    stack();
    deadlines();
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
