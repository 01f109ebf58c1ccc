/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wake is never lost, two are as one, and a wake that meets the
 * deadline is either what the park ends with or there for the next one.
 *   1. a wake before the park, during it, twice before, by a task and by
 *      handlers, with the lock free and taken
 *   2. deadlines: poll, past, ahead; a wake for one that waits for something
 *      else; suspended
 *   3. a handler wakes at every instruction of a park, and of the tick at which
 *      its deadline passes: woken exactly once, or AL_E_TIMEOUT and the wake is
 *      there for the next park
 *   4. who has ended: AL_E_STALE, in tasks and handlers; garbage in a handler
 * Fails if: park does not look at the word again after it waits, or a time-out
 * swallows a wake.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c ../support/hands.c
 */
#include "../support/hands.h"

HAND(a, 8);
HAND(d, 10);

static struct al_sem sem = AL_SEM_INIT(0, 10);
static struct al_task_id id_a;
static struct al_task_id whom;
static volatile al_status told;

static bool raw; /* as raw handlers do it */

static al_status wake(struct al_task_id id)
{
    return raw ? al_irq_raw_task_wake(id) : al_irq_task_wake(id);
}

static void wake_irq(void)
{
    told = wake(whom);
}

static void wake_irq_twice(void)
{
    told = wake(whom);
    told = wake(whom);
}

static bool park(al_time deadline)
{
    return hand_do(&a_hand, hand_park, NULL, deadline);
}

static bool parks_on(void)
{
    bool parked = !park(AL_FOREVER);

    (void)al_task_wake(id_a);
    return parked && a_hand.done && a_hand.status == AL_OK;
}

static void by_task(void)
{
    CHECK(al_task_wake(id_a) == AL_OK && park(AL_FOREVER) &&
                    a_hand.status == AL_OK,
            "woken before it parks");
    CHECK(parks_on(), "and used up: %s", kernel());
    CHECK(al_task_wake(id_a) == AL_OK && al_task_wake(id_a) == AL_OK &&
                    park(AL_FOREVER) && parks_on(),
            "two are as one: %s", kernel());
    CHECK(!park(AL_FOREVER) && al_task_wake(id_a) == AL_OK && a_hand.done &&
                    al_task_wake(id_a) == AL_OK && park(AL_POLL) &&
                    a_hand.status == AL_OK,
            "one while it parks, one for the next time");
    CHECK(park(AL_POLL) && a_hand.status == AL_E_TIMEOUT, "a poll: none");
}

static void by_handler(bool locked)
{
    whom = id_a;
    in_handler(wake_irq, locked);
    CHECK(told == AL_OK && park(AL_FOREVER) && a_hand.status == AL_OK &&
                    parks_on(),
            "locked %d, raw %d: before it parks: %s", locked, raw, kernel());
    in_handler(wake_irq_twice, locked);
    CHECK(park(AL_FOREVER) && parks_on(), "locked %d, raw %d: two are as one",
            locked, raw);
    CHECK(!park(AL_FOREVER), "locked %d, raw %d: it parks", locked, raw);
    in_handler(wake_irq, locked);
    CHECK(a_hand.done && a_hand.status == AL_OK && parks_on(),
            "locked %d, raw %d: woken at once: %s", locked, raw, kernel());
    CHECK(!park(al_in(5)), "locked %d, raw %d: with a deadline", locked, raw);
    in_handler(wake_irq_twice, locked);
    CHECK(a_hand.done && a_hand.status == AL_OK,
            "locked %d, raw %d: woken in time: %s", locked, raw, kernel());
    if (!locked && !raw) {
        CHECK(park(AL_POLL) && a_hand.status == AL_OK,
                "the second came after the first had done it");
    } else {
        CHECK(park(AL_POLL) && a_hand.status == AL_E_TIMEOUT,
                "raw %d: both were one", raw);
    }
}

static void deadlines(void)
{
    ticks(3);
    CHECK(park(al_now()) && a_hand.status == AL_E_TIMEOUT &&
                    park(al_now() - 1) && a_hand.status == AL_E_TIMEOUT &&
                    park(1) && a_hand.status == AL_E_TIMEOUT,
            "past: at once");
    (void)al_task_wake(id_a);
    CHECK(park(al_now() - 1) && a_hand.status == AL_OK, "past, and woken");
    CHECK(!park(al_in(3)) && (ticks(2), !a_hand.done) &&
                    (ticks(1), a_hand.done) && a_hand.status == AL_E_TIMEOUT,
            "ahead: at its tick: %s", kernel());
    CHECK(parks_on(), "nothing is left of it");
    CHECK(!hand_do(&a_hand, hand_take, &sem, AL_FOREVER) &&
                    al_task_wake(id_a) == AL_OK && !a_hand.done,
            "a wake does not end another wait: %s", kernel());
    (void)al_sem_give(&sem);
    CHECK(a_hand.done && park(AL_POLL) && a_hand.status == AL_OK,
            "it is there for the park after it");
    CHECK(!hand_do(&a_hand, hand_sleep, NULL, al_in(2)) &&
                    al_task_wake(id_a) == AL_OK && !a_hand.done &&
                    (ticks(2), a_hand.done) && park(AL_POLL) &&
                    a_hand.status == AL_OK,
            "nor a sleep: %s", kernel());
    CHECK(!park(AL_FOREVER) && al_task_suspend(id_a) == AL_OK, "suspended");
    in_handler(wake_irq, false);
    CHECK(!a_hand.done && al_task_resume(id_a) == AL_OK && a_hand.done &&
                    parks_on(),
            "it is woken when it is resumed: %s", kernel());
}

/* ---- 3 ---- */

static volatile unsigned fired;

static void act_wake(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired++;
    (void)al_irq_task_wake(id_a);
}

static void act_tick_wake(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired++;
    rig_pend_tick();
    (void)al_irq_task_wake(id_a);
}

/* One wake in all: the first park has it, or the second, which polls. */
static const char *judged(void)
{
    bool first;

    if (fired == 0) {
        (void)al_task_wake(id_a);
    }
    first = a_hand.done && a_hand.status == AL_OK;
    if (!a_hand.done) {
        return "it was not woken";
    }
    (void)park(AL_POLL);
    if (first && a_hand.status != AL_E_TIMEOUT) {
        return "woken twice";
    }
    if (!first && a_hand.status != AL_OK) {
        return "the wake is lost";
    }
    return rig_check();
}

static unsigned sweep(
        const char *name, rig_action action, al_time ahead, bool ticks_itself)
{
    const char *wrong = NULL;
    unsigned rounds = 0;
    unsigned out = 0;

    for (uint32_t delay = 0; wrong == NULL; delay++) {
        fired = 0;
        if (ticks_itself) {
            (void)park(al_in(1));
            rig_arm(0, delay, action);
            rig_pend_tick();
            rig_disarm(0);
        } else {
            al_time deadline = ahead == 0 ? AL_FOREVER : al_now() + ahead;

            a_hand.job = hand_park;
            a_hand.deadline = deadline;
            a_hand.done = false;
            rig_arm(0, delay, action);
            (void)al_sem_give(&a_hand.go);
            rig_disarm(0);
        }
        if (fired == 0) {
            break;
        }
        out += a_hand.done && a_hand.status == AL_E_TIMEOUT;
        wrong = judged();
        rounds++;
    }
    if (fired == 0) {
        (void)al_task_wake(id_a);
        (void)park(AL_POLL);
    }
    CHECK(wrong == NULL && rounds > 50, "%s: %u places, %u timed out: %s", name,
            rounds, out, wrong != NULL ? wrong : "right");
    return out;
}

static void swept(void)
{
    unsigned out;

    (void)sweep("woken at each instruction of a park", act_wake, 0, false);
    (void)sweep("of one with a deadline", act_wake, 3, false);
    (void)sweep("with the tick at the same time", act_tick_wake, 1, false);
    out = sweep("in the tick of the deadline", act_wake, 1, true);
    CHECK(out > 10, "%u of these timed out first", out);
}

/* ---- 4 ---- */

static char kid_stack[1024] __attribute__((aligned(8)));
static struct al_spawn kid_memory;

static void kid_main(void *args)
{
    (void)args;
    (void)al_task_park(AL_FOREVER);
}

static void stale(void)
{
    static struct al_task fake;
    static const struct al_task_id garbage[] = {{NULL, 0}, {NULL, 1},
            {&fake, 1}, {(struct al_task *)3, 1}, {&a, 0}, {&a, 2},
            {(struct al_task *)0xfffffffcu, 5}};
    struct al_task_params params = {"kid", kid_main, NULL, 0, kid_stack,
            sizeof(kid_stack), 9, false, NULL};
    struct al_task_id id;
    unsigned wrong = 0;

    al_task_create(&kid_memory, &params, &id);
    CHECK(al_task_wake(id) == AL_OK && al_task_wake(id) == AL_E_STALE,
            "it ended with the first wake");
    whom = id;
    in_handler(wake_irq, false);
    CHECK(told == AL_E_STALE, "a handler is told");
    in_handler(wake_irq, true);
    CHECK(told == AL_E_STALE, "also with the lock taken: %s", kernel());
    al_task_create(&kid_memory, &params, &id);
    in_handler(wake_irq, false);
    CHECK(told == AL_E_STALE && al_task_join(id, AL_POLL) == AL_E_TIMEOUT,
            "the next one in its memory is not woken");
    whom = id;
    in_handler(wake_irq, true);
    CHECK(told == AL_OK && al_task_join(id, AL_POLL) == AL_OK,
            "but by its own name: %s", kernel());
    for (unsigned i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        whom = garbage[i];
        in_handler(wake_irq, i % 2 != 0);
        wrong += told != AL_E_STALE;
    }
    CHECK(wrong == 0 && parks_on(), "garbage in a handler: %s", kernel());
}

static void judge_main(void)
{
    id_a = al_task_id_of(&a);
    rig_start();
    by_task();
    by_handler(false);
    by_handler(true);
    raw = true;
    by_handler(false);
    by_handler(true);
    raw = false;
    deadlines();
    swept();
    stale();
    CHECK(hand_do(&d_hand, hand_nothing, NULL, 0), "others work on");
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
