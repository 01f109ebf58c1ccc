/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task restarts as its policy says: at once while it has budget, then
 * after a back-off that doubles up to 64 times, and from the beginning when it
 * held out for a window; or it is stopped.
 *
 *  1. budget 3 in 1000 ticks, back-off 10: the first three restarts come at
 *     once, the following after 10, 20, 40, ... 640, 640 ticks; while it is held
 *     back it is said to be, and the others run
 *  2. after a window without a death: at once again
 *  3. budget 2, then stop: the third death stops it; its scopes are undone all
 *     the same
 *  4. no limit: 100 restarts at once
 *  5. a task whose entry returns is stopped
 *
 * Fails if: a count or a doubling is wrong, or a window does not end.
 * builds: gcc-Os-small gcc-O2 clang-O2
 * recovers: panic | running |
 *     more often than its policy allows: held back, stopped, or the board
 *     restarts | -
 */
#include <alula/alula.h>

#include "test.h"

static void mark(void *count)
{
    (*(volatile uint32_t *)count)++;
}

/* --- back-off --- */

static struct al_sem backer_go = AL_SEM_INIT(0, 1);
static struct al_sem backer_ready = AL_SEM_INIT(0, 100);

static void backer_main(void)
{
    (void)al_sem_give(&backer_ready);
    al_sem_take(&backer_go);
    al_panic("backer");
}

static const struct al_restart_policy back_off = {
        .budget = 3,
        .back_off = 10,
        .window = 1000,
        .exhausted = AL_EXHAUSTED_BACK_OFF,
};

AL_TASK_POLICY(backer, backer_main, 5, 1024, &back_off);

static enum al_task_state state_of(const struct al_task *task)
{
    struct al_task_info info;

    al_task_read(task, &info);
    return info.state;
}

/* Ticks from its death to its next start; `held`: it was held back. */
static uint32_t ticks_to_restart(bool *held)
{
    al_time died = al_now();

    (void)al_sem_give(&backer_go); /* more urgent: it dies at once */
    *held = state_of(&backer) == AL_TASK_HELD_BACK;
    al_sem_take(&backer_ready);
    return (uint32_t)(al_now() - died);
}

static void check_back_off(void)
{
    bool held;
    uint32_t ticks;
    uint32_t expected = 10;

    al_sem_take(&backer_ready);
    for (int i = 1; i <= 3; i++) {
        ticks = ticks_to_restart(&held);
        CHECK(ticks <= 1 && !held, "restart %d at once: %d ticks", i,
                (int)ticks);
    }
    for (int i = 4; i <= 12; i++) {
        ticks = ticks_to_restart(&held);
        CHECK(held && ticks >= expected - 1 && ticks <= expected + 1,
                "restart %d after %d ticks: %d", i, (int)expected, (int)ticks);
        expected = expected < 640 ? expected * 2 : expected;
    }
    CHECK(backer.restarts == 12 && backer.generation == 13,
            "%d restarts, generation %d", (int)backer.restarts,
            (int)backer.generation);
    al_sleep(1001);
    for (int i = 1; i <= 3; i++) {
        ticks = ticks_to_restart(&held);
        CHECK(ticks <= 1 && !held, "after a window, restart %d: %d ticks", i,
                (int)ticks);
    }
    ticks = ticks_to_restart(&held);
    CHECK(held && ticks >= 9 && ticks <= 11,
            "after a window, the first back-off again: %d", (int)ticks);
}

/* A priority that it is given while it is held back is that of its next life,
 * and no longer. */
static void check_prio_held_back(void)
{
    struct al_task_id id = al_task_id_of(&backer);

    (void)al_sem_give(&backer_go);
    CHECK(state_of(&backer) == AL_TASK_HELD_BACK && backer.prio == 5 &&
                    al_task_set_prio(id, 7) == AL_OK,
            "held back");
    al_sem_take(&backer_ready);
    CHECK(backer.prio == 7 && backer.base_prio == 7, "begins with it");
    al_sleep(1001);
    (void)al_sem_give(&backer_go);
    al_sem_take(&backer_ready);
    CHECK(backer.prio == 5 && backer.base_prio == 5, "and only once");
}

/* --- stop --- */

static struct al_sem stopper_go = AL_SEM_INIT(0, 10);
static volatile uint32_t stopper_starts;
static volatile uint32_t stopper_cleanups;

static void stopper_main(void)
{
    stopper_starts++;
    al_sem_take(&stopper_go);
    AL_DEFER(mark, (void *)(uintptr_t)&stopper_cleanups);
    al_panic("stopper");
}

static const struct al_restart_policy stop = {
        .budget = 2,
        .window = 1000,
        .exhausted = AL_EXHAUSTED_STOP,
};

AL_TASK_POLICY(stopper, stopper_main, 5, 1024, &stop);

static void check_stop(void)
{
    (void)al_sem_give(&stopper_go);
    (void)al_sem_give(&stopper_go);
    CHECK(stopper_starts == 3 && state_of(&stopper) == AL_TASK_WAITING,
            "two restarts");
    (void)al_sem_give(&stopper_go);
    CHECK(stopper_starts == 3 && state_of(&stopper) == AL_TASK_STOPPED,
            "the third death stops it");
    CHECK(stopper_cleanups == 3, "%d cleanups", (int)stopper_cleanups);
    (void)al_sem_give(&stopper_go);
    al_sleep(2000);
    CHECK(stopper_starts == 3 && state_of(&stopper) == AL_TASK_STOPPED,
            "it stays stopped");
    CHECK(stopper.scopes == NULL && stopper.crash == NULL, "and holds nothing");
}

/* --- no limit, and an end --- */

static struct al_sem free_go = AL_SEM_INIT(0, 1);
static volatile uint32_t free_starts;

static void free_main(void)
{
    free_starts++;
    al_sem_take(&free_go);
    al_panic("free");
}

static const struct al_restart_policy no_limit = {.budget = UINT16_MAX};

AL_TASK_POLICY(free_one, free_main, 5, 1024, &no_limit);

static volatile uint32_t ender_starts;

static void ender_main(void)
{
    ender_starts++;
}

AL_TASK(ender, ender_main, 5, 1024);

static void judge_main(void)
{
    al_time then;

    check_back_off();
    check_prio_held_back();
    check_stop();
    then = al_now();
    for (int i = 0; i < 100; i++) {
        (void)al_sem_give(&free_go);
    }
    CHECK(free_starts == 101 && al_now() - then < 100, "%d starts in %d ticks",
            (int)free_starts, (int)(al_now() - then));
    CHECK(ender_starts == 1 && state_of(&ender) == AL_TASK_STOPPED,
            "an entry that returned");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
