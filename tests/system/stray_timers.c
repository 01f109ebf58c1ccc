/* SPDX-License-Identifier: MIT */
/*
 * Claim: a timer that runs in a task's stack, and that nobody registered there,
 * is stopped when that task dies, before anything else lies there.
 *   1. three timers in a victim's stack: one that is due once, one with a period,
 *      one whose callback is due and has not begun; a fourth in static memory,
 *      a fifth in another stack, and one at rest
 *   2. the victim panics; faults; runs out of its stack; is killed; a task of the
 *      heap's is ended by its policy
 *   3. a cleanup finds its timer at rest and whole, and starts it again; older
 *      ones write over the dead frames below
 *   4. none of them acts from the death on; the fourth and fifth go on; others
 *      are started, and come, as before
 * Fails if: the clock, or a service's queue, leads into a dead stack.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O0 clang-O2
 * sources: ../support/recover.c; flags: -DRIG_STACK=4096
 */
#include "../support/recover.h"

#define STATICS 6

static struct al_sem came = AL_SEM_INIT(0, 1000);
static struct al_sem going = AL_SEM_INIT(0, 1000);
static struct al_timer goes_on = AL_TIMER_INIT_SEM(&going);
static struct al_timer others[STATICS];
static volatile bool cleanup_right;
static volatile uint32_t calls;

AL_TIMER_SERVICE(service, 1, 1024); /* less urgent than the judge */

static void called(void *unused)
{
    (void)unused;
    calls++;
}

/* Over what is dead below the frame in which it was opened. */
static void write_over(void *unused)
{
    volatile uint32_t words[200];

    (void)unused;
    for (unsigned i = 0; i < 200; i++) {
        words[i] = 0xa1a1a1a1u * i;
    }
}

static void use_timer(void *timer)
{
    cleanup_right = !al_timer_is_running((struct al_timer *)timer) &&
                    al_timer_start((struct al_timer *)timer, 2, 1) == AL_OK;
}

__attribute__((noinline)) static uint32_t deeper(volatile uint32_t *above)
{
    volatile uint32_t room[32];

    room[0] = above == NULL ? 0 : *above;
    return deeper(room) + room[0];
}

static void (*volatile end)(void);

__attribute__((noinline)) static void with_timers(void)
{
    struct al_timer once = AL_TIMER_INIT_SEM(&came);
    struct al_timer again = AL_TIMER_INIT_SEM(&came);
    struct al_timer calling = AL_TIMER_INIT_CALL(&service, called, NULL);
    struct al_timer resting = AL_TIMER_INIT_SEM(&came);
    al_time until = al_in(2);

    (void)al_timer_start(&once, 6, 0);
    (void)al_timer_start(&again, 6, 1);
    (void)al_timer_start(&calling, 0, 1);
    (void)al_timer_start(&resting, 5, 0);
    (void)al_timer_stop(&resting);
    while (al_now() < until) { /* the service does not run */
    }
    end();
}

static void body(void)
{
    struct al_timer outer = AL_TIMER_INIT_SEM(&came);
    AL_DEFER(use_timer, &outer);
    AL_DEFER(write_over, NULL);

    (void)al_timer_start(&outer, 6, 0);
    with_timers();
}

static void end_panic(void)
{
    al_panic("with timers");
}

static void end_fault(void)
{
    (void)*RIG_NOWHERE;
}

static void end_overflow(void)
{
    calls += deeper(NULL);
}

RIG_KILLER();

static void end_killed(void)
{
    (void)al_sem_give(&killer_go);
    al_sleep(1000);
}

/* ---- a round ---- */

/* The tree is whole: timers of all kinds of addresses come. */
static void look(const char *name, int32_t gone_on)
{
    CHECK(al_sem_count(&came) == 0, "%s: %d came", name,
            (int)al_sem_count(&came));
    for (unsigned i = 0; i < STATICS; i++) {
        (void)al_timer_start(&others[i], 1 + i % 3, 0);
    }
    al_sleep(20);
    CHECK(al_sem_count(&came) == STATICS, "%s: others: %d", name,
            (int)al_sem_count(&came));
    CHECK(al_sem_count(&going) >= gone_on + 40, "%s: those that go on", name);
    while (al_sem_try_take(&came) == AL_OK) {
    }
    CHECK(calls == 0, "%s: %u callbacks", name, (unsigned)calls);
}

static void round_of(const char *name, void (*how)(void))
{
    int32_t before = al_sem_count(&going);
    uint32_t died;

    end = how;
    cleanup_right = false;
    died = rig_run(body);
    CHECK(died == 1 && rig_record.nested == 0, "%s: dies %u times, cause %u",
            name, (unsigned)died, (unsigned)rig_record.cause);
    CHECK(cleanup_right, "%s: the cleanup's timer", name);
    look(name, before);
}

/* ---- a task of the heap's, which has its stack back ---- */

static void child_main(void *args)
{
    struct al_timer mine = AL_TIMER_INIT_SEM(&came);

    (void)args;
    (void)al_timer_start(&mine, 5, 1);
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
    int32_t before = al_sem_count(&going);
    struct al_task_id child;

    end = how;
    CHECK(al_task_spawn(&params, &child) == AL_OK, "%s: made", name);
    CHECK(al_task_join(child, al_in(50)) == AL_OK, "%s: ended", name);
    look(name, before);
}

static void judge_main(void)
{
    struct al_timer here = AL_TIMER_INIT_SEM(&going);

    for (unsigned i = 0; i < STATICS; i++) {
        al_timer_init_sem(&others[i], &came);
    }
    (void)al_timer_start(&goes_on, 1, 1);
    (void)al_timer_start(&here, 1, 1);
    round_of("a panic", end_panic);
    round_of("a fault", end_fault);
    round_of("an overflow", end_overflow);
    round_of("a kill", end_killed);
    child_of("an end", end_panic);
    round_of("again", end_panic);
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 2, 2048);
