/* SPDX-License-Identifier: MIT */
/*
 * Claim: what a supervisor's strategy, budget and callback say becomes of its
 * group when a member dies, and nobody of it begins again before all that were
 * to die are dead.
 *
 *  1. one for all: one dies, all start again, others go on
 *  2. rest for one: those after it in the order do, and the one of its own place
 *  3. the callback is told who died, of what, in which life; it may restart one
 *     alone, or end it; one that dies counts again
 *  4. the budget begins anew after a window; one death too many in it goes to
 *     the parent, which restarts that group, and no other
 *  5. a callback that escalates; the parent's callback is told of the group
 *  6. three at three priorities, one of them looping, die 300 times at random,
 *     of a panic or killed: never two lives of different rounds together
 *
 * Fails if: a wrong one is killed, a death is counted twice, or the wait for the
 * others' deaths is left out.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * recovers: panic killed | running |
 *     a member of a group: the others die and start again as the strategy
 *     says; one death too many goes to the parent, in the end to the board | -
 */
#include <alula/alula.h>

#include "test.h"

enum {
    MEMBERS = 10
};

static struct {
    volatile uint32_t starts;
    volatile uint32_t round;
    volatile bool alive;
    struct al_sem go;
} members[MEMBERS] = {
        [0 ... MEMBERS - 1] = {.go = AL_SEM_INIT(0, 1)},
};

static volatile uint32_t round;
static volatile bool mixed;

static void is_over(void *i)
{
    members[(uintptr_t)i].alive = false;
}

static void begin(uint32_t i, uint32_t first, uint32_t last)
{
    for (uint32_t k = first; k <= last; k++) {
        mixed |= members[k].alive && members[k].round != round;
    }
    members[i].round = round;
    members[i].alive = true;
    members[i].starts++;
}

static void live(uint32_t i, uint32_t first, uint32_t last)
{
    AL_DEFER(is_over, (void *)(uintptr_t)i);
    begin(i, first, last);
    al_sem_take(&members[i].go);
    al_panic("member");
}

#define MEMBER(label, i, prio, group, order, first, last) \
  static void label##_main(void)                          \
  {                                                       \
    live(i, first, last);                                 \
  }                                                       \
  AL_SUPERVISED(label, label##_main, prio, 1024, &group, order)

static volatile enum al_verdict verdict;
static volatile enum al_verdict root_verdict;
static volatile uint32_t callbacks_to_die;
static volatile uint32_t asked;
static struct al_death told;
static struct al_death root_told;

static enum al_verdict decide(const struct al_death *death)
{
    told = *death;
    asked++;
    if (callbacks_to_die > 0) {
        callbacks_to_die--;
        al_panic("callback");
    }
    return verdict;
}

static enum al_verdict root_decide(const struct al_death *death)
{
    root_told = *death;
    return root_verdict;
}

static struct al_supervisor root =
        AL_SUPERVISOR_INIT(AL_ONE_FOR_ONE, 10, 100000, root_decide, NULL, 0);
static struct al_supervisor all =
        AL_SUPERVISOR_INIT(AL_ONE_FOR_ALL, 3, 500, NULL, &root, 1);
static struct al_supervisor rest =
        AL_SUPERVISOR_INIT(AL_REST_FOR_ONE, 100, 100000, decide, &root, 2);
static struct al_supervisor storm =
        AL_SUPERVISOR_INIT(AL_ONE_FOR_ALL, 65535, 1, NULL, NULL, 0);

MEMBER(all_a, 0, 6, all, 1, 0, 2);
MEMBER(all_b, 1, 7, all, 2, 0, 2);
MEMBER(all_c, 2, 3, all, 3, 0, 2);
MEMBER(rest_a, 3, 6, rest, 1, 3, 3);
MEMBER(rest_b, 4, 6, rest, 2, 4, 6);
MEMBER(rest_c, 5, 7, rest, 2, 4, 6);
MEMBER(rest_d, 6, 5, rest, 3, 6, 6);
MEMBER(storm_a, 7, 7, storm, 1, 7, 9);
MEMBER(storm_b, 8, 5, storm, 1, 7, 9);

static volatile uint32_t turns;

static void storm_c_main(void)
{
    AL_DEFER(is_over, (void *)9);
    begin(9, 7, 9);
    for (;;) {
        turns++; /* enters no function: its death takes the grace */
    }
}

AL_SUPERVISED(storm_c, storm_c_main, 2, 1024, &storm, 3);

static uint32_t before[MEMBERS];

static void look(void)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        before[i] = members[i].starts;
    }
    round++;
}

/* Whose bits are in `mask` started `times` times since, the others not. */
static bool started(uint32_t mask, uint32_t times)
{
    for (uint32_t i = 0; i < MEMBERS; i++) {
        uint32_t expected = (mask & 1u << i) != 0 ? times : 0;

        if (members[i].starts - before[i] != expected) {
            test_note("member %d started %d times", (int)i,
                    (int)(members[i].starts - before[i]));
            return false;
        }
    }
    return true;
}

static void die(uint32_t i)
{
    look();
    (void)al_sem_give(&members[i].go);
    al_sleep(20);
}

static void check_strategies(void)
{
    for (uint32_t i = 0; i < 3; i++) {
        die(i);
        CHECK(started(7, 1), "one for all, %d dies", (int)i);
        al_sleep(500);
    }
    CHECK(all.deaths == 1, "each in a window of its own: %d", (int)all.deaths);
    die(3);
    CHECK(started(0x78, 1), "rest for one, the first dies");
    die(4);
    CHECK(started(0x70, 1), "the second, and one of the same place");
    die(6);
    CHECK(started(0x40, 1), "the last");
    CHECK(!mixed, "all were dead before one began");
}

static void check_callback(void)
{
    CHECK(told.task == &rest_d && told.supervisor == &rest &&
                    told.group == NULL && told.cause == AL_CAUSE_PANIC &&
                    told.generation == 3 && told.deaths == 3,
            "told of cause %d, life %d, death %d", (int)told.cause,
            (int)told.generation, (int)told.deaths);
    verdict = AL_VERDICT_ALONE;
    die(3);
    CHECK(started(8, 1), "alone");
    asked = 0;
    callbacks_to_die = 2;
    verdict = AL_VERDICT_STRATEGY;
    die(4);
    CHECK(asked == 3 && started(0x70, 1) && told.deaths == 7,
            "a callback that died twice: asked %d times, %d deaths", (int)asked,
            (int)told.deaths);
    verdict = AL_VERDICT_END;
    die(6);
    CHECK(started(0, 1) && al_task_kill(al_task_id_of(&rest_d),
                                   AL_KILL_RESTART) == AL_E_STALE,
            "ended");
    verdict = AL_VERDICT_STRATEGY;
    die(3);
    CHECK(started(0x38, 1), "who has ended stays so");
    look();
    asked = 0;
    (void)al_task_kill(al_task_id_of(&rest_b), AL_KILL_RESTART);
    al_sleep(20);
    CHECK(asked == 1 && told.cause == AL_CAUSE_KILLED && started(0x30, 1),
            "killed by another: a death like others");
}

static void check_budget(void)
{
    al_sleep(500);
    for (uint32_t i = 0; i < 3; i++) {
        die(i);
    }
    CHECK(all.deaths == 3 && root.deaths == 0, "the budget");
    die(1);
    CHECK(started(7, 1) && all.deaths == 0 && root.deaths == 1,
            "one too many: to the parent");
    CHECK(root_told.task == &all_b && root_told.supervisor == &root &&
                    root_told.group == &all && root_told.deaths == 1,
            "which is told");
    verdict = AL_VERDICT_ESCALATE;
    die(4);
    CHECK(started(0x38, 1) && root_told.group == &rest && root.deaths == 2,
            "a callback that escalates");
    root_verdict = AL_VERDICT_END;
    die(3);
    CHECK(started(0, 1) && !members[3].alive && !members[4].alive &&
                    !members[5].alive && members[0].alive,
            "a group ended");
}

static void check_storm(void)
{
    static struct al_task *const who[] = {&storm_a, &storm_b, &storm_c};
    unsigned random = test_seed(7);

    mixed = false;
    for (uint32_t n = 0; n < 300; n++) {
        uint32_t i = 0;

        round++;
        random = random * 1664525u + 1013904223u;
        i = (random >> 16) % 3;
        if ((random >> 28) % 2 == 0 && i < 2) {
            (void)al_sem_give(&members[7 + i].go);
        } else {
            (void)al_task_kill(al_task_id_of(who[i]), AL_KILL_RESTART);
        }
        al_sleep(8 + (random >> 24) % 4);
        if (!members[7].alive || !members[8].alive || !members[9].alive ||
                members[9].round != round || members[8].round != round ||
                members[7].round != round) {
            mixed = true;
        }
    }
    CHECK(!mixed, "300 deaths: all together each time");
    CHECK(members[7].starts == 301 && members[8].starts == 301 &&
                    members[9].starts == 301,
            "each once: %d %d %d", (int)members[7].starts,
            (int)members[8].starts, (int)members[9].starts);
}

static void judge_main(void)
{
    al_sleep(5);
    check_strategies();
    check_callback();
    check_budget();
    check_storm();
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
