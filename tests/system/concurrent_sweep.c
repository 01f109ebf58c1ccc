/* SPDX-License-Identifier: MIT */
/*
 * Claim: a concurrent restart is whole whatever comes at whatever instruction of
 * the death, the hand-over, the new instance's beginning and the dead one's
 * cleanup and end.
 *   1. a handler comes at each instruction and does nothing; wakes the task by
 *      its name; has a more urgent task suspend and resume it, change its
 *      priority and back, kill it
 *   2. after each: the kernel is whole; it has begun once, or twice if it was
 *      killed; each cleanup ran once; no wake is lost; it does what it is asked
 * Fails if: the hand-over is not done at one instruction.
 * builds: gcc-O2 gcc-Os-small clang-O2
 * sources: ../interleave/rig.c
 * timeout: 300
 */
#include "../interleave/rig.h"

#include "test.h"

static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem act_go = AL_SEM_INIT(0, 1);
static struct al_mutex mutex = AL_MUTEX_INIT;
static void (*volatile plan)(void);
static void (*volatile deed)(void);
static volatile uint32_t starts;
static volatile uint32_t cleanups;
static volatile uint32_t deaths;
static volatile bool answered;
static volatile bool fired;
static volatile al_status parked;
static struct al_task_id id;

static void count(void *arg)
{
    (void)arg;
    /* Two instances may be at it. */
    (void)__atomic_fetch_add(&cleanups, 1, __ATOMIC_RELAXED);
}

static void victim_main(void)
{
    AL_DEFER(count, NULL);

    starts++;
    for (;;) {
        al_sem_take(&go);
        plan();
    }
}

static const struct al_restart_policy policy = {.budget = UINT16_MAX};

AL_TASK_POLICY(victim, victim_main, 6, 1536, &policy);
AL_RESTART_CONCURRENT(victim);

static void die(void)
{
    al_status status;

    AL_LOCK_SCOPED(&mutex, status);
    (void)status;
    al_panic("sweep");
}

static void answer(void)
{
    parked = al_task_park(AL_POLL);
    answered = true;
}

/* ---- what comes ---- */

static void actor_main(void)
{
    for (;;) {
        al_sem_take(&act_go);
        deed();
    }
}

AL_TASK(actor, actor_main, 9, 1024);

static void deed_wake(void)
{
    (void)al_task_wake(id);
}

static void deed_suspend(void)
{
    (void)al_task_suspend(id);
    (void)al_task_resume(id);
}

static void deed_prio(void)
{
    (void)al_task_set_prio(id, 7);
    (void)al_task_set_prio(id, 6);
}

static void deed_kill(void)
{
    (void)al_task_kill(id, AL_KILL_RESTART);
}

static void come(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired = true;
    if (deed == NULL) {
        return;
    }
    if (deed == deed_wake) {
        (void)al_irq_task_wake(id);
    } else {
        (void)al_irq_sem_give(&act_go);
    }
}

/* ---- a round ---- */

/* The judge has the dead one's priority, and lets it run. A task that was killed
 * on its way into a wait dies at a tick: those come by hand. */
static bool settle(void)
{
    struct al_task_info info;

    for (uint32_t n = 0; n < 100; n++) {
        if (deed == deed_kill) {
            rig_pend_tick();
        }
        al_yield();
        al_task_read(&victim, &info);
        if (n >= 4 && info.unwinding == AL_CAUSE_NONE &&
                info.state == AL_TASK_WAITING) {
            return true;
        }
    }
    return false;
}

static bool ask(void)
{
    answered = false;
    plan = answer;
    (void)al_sem_give(&go);
    return answered;
}

static const char *round_at(uint32_t delay)
{
    uint32_t begun = starts;
    uint32_t lives;

    cleanups = 0;
    fired = false;
    plan = die;
    rig_arm(0, delay, come);
    (void)al_sem_give(&go);
    (void)settle();
    rig_disarm(0);
    if (!settle()) {
        return "it is not cleaned up";
    }
    lives = starts - begun;
    if (lives != cleanups || lives < 1 || lives > 1 + (deed == deed_kill)) {
        return "begun, or cleaned up, too often or not";
    }
    deaths += lives;
    if (al_mutex_is_held(&mutex)) {
        return "its mutex is held";
    }
    if (rig_check() != NULL) {
        return rig_check();
    }
    if (!ask()) {
        return "it does not answer";
    }
    if (deed == deed_wake && fired != (parked == AL_OK)) {
        return "a wake is lost, or made up";
    }
    return NULL;
}

static void sweep(const char *name, void (*what)(void))
{
    const char *bad;
    uint32_t delay = 0;

    deed = what;
    deaths = 0;
    do {
        delay++;
        bad = round_at(delay);
    } while (bad == NULL && fired && delay < 60000);
    CHECK(bad == NULL, "%s, %d: %s", name, (int)delay,
            bad == NULL ? "right" : bad);
    CHECK(delay > 500 && !fired, "%s: %d instants", name, (int)delay);
    CHECK(what != deed_kill || deaths > delay + 50, "%s: died %d times", name,
            (int)deaths);
}

static void judge_main(void)
{
    id = al_task_id_of(&victim);
    rig_start();
    sweep("nothing", NULL);
    sweep("a wake", deed_wake);
    sweep("suspended", deed_suspend);
    sweep("its priority", deed_prio);
    sweep("killed", deed_kill);
    test_done();
}

AL_TASK(judge, judge_main, 1, 2048);
