/* SPDX-License-Identifier: MIT */
/*
 * Claim: what irq_sweep.c claims, for making and ending tasks, joins, suspending,
 * priorities, parking, and waits with deadlines.
 *   1. a timer interrupts each operation at every instruction; the handler does
 *      nothing, gives, asks for a switch, ticks, wakes the task that parks, or
 *      all of it
 *   2. after each: the kernel is whole, and every wake-up there
 * Fails if: a task is in the ready queue before it is whole, or a joiner runs
 * before the end.
 * sources: ../interleave/rig.c ../interleave/scenarios.c
 * timeout: 300
 */
#include "../interleave/scenarios.h"

#include "test.h"

static struct al_sem none = AL_SEM_INIT(0, 10);
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_sem made;

static struct al_task_id op_id;
static struct al_task_id waiter_id;

static void waiter_main(void)
{
    for (;;) {
        al_sem_take(&none);
    }
}

AL_TASK(waiter, waiter_main, 7, 1024);

static struct al_spawn memory;
static char stack[1024] __attribute__((aligned(8)));
static volatile unsigned kids;

static void kid_main(void *args)
{
    kids += *(const unsigned *)args;
}

static void create_and_join(al_prio prio)
{
    static const unsigned one = 1;
    static unsigned before;
    struct al_task_params params = {"kid", kid_main, &one, sizeof(one), stack,
            sizeof(stack), prio, false, NULL};
    struct al_task_id id;

    before = kids;
    al_task_create(&memory, &params, &id);
    if (al_task_join(id, AL_FOREVER) != AL_OK || kids != before + 1) {
        inj.wrong = "a task did not run, or not once";
    }
}

static void op_create_urgent(void)
{
    create_and_join(15);
}

static void op_create_less_urgent(void)
{
    create_and_join(6);
}

static void op_suspend(void)
{
    al_task_suspend(waiter_id);
    al_task_resume(waiter_id);
}

static void op_prio(void)
{
    al_task_set_prio(op_id, 12);
    al_task_set_prio(waiter_id, 8);
    al_task_set_prio(op_id, 10);
    al_task_set_prio(waiter_id, 7);
}

/* Two at most: its own wake, and a handler's. */
static void op_park(void)
{
    al_task_wake(op_id);
    if (al_task_park(AL_FOREVER) != AL_OK) {
        inj.wrong = "a wake is lost";
    }
    (void)al_task_park(AL_POLL);
    (void)al_task_park(AL_POLL);
}

static void op_deadlines(void)
{
    if (al_mutex_lock_until(&mutex, AL_POLL) == AL_OK) {
        al_mutex_unlock(&mutex);
    } else {
        inj.wrong = "a free mutex was not had";
    }
    if (al_sem_take_until(&made, al_now()) != AL_E_TIMEOUT) {
        inj.wrong = "a unit from nowhere";
    }
}

static void op_make_sem(void)
{
    static struct al_sem sem;

    al_sem_init(&sem, 1, 2);
    al_sem_take(&sem);
    al_sem_destroy(&sem);
}

static const struct scenario operations[] = {
        {"create more urgent, join", NULL, op_create_urgent, NULL, &made},
        {"create less urgent, join", NULL, op_create_less_urgent, NULL, &made},
        {"suspend, resume", NULL, op_suspend, NULL, &made},
        {"priorities", NULL, op_prio, NULL, &made},
        {"wake and park", NULL, op_park, NULL, &made},
        {"deadlines that are past", NULL, op_deadlines, NULL, &made},
        {"init, destroy", NULL, op_make_sem, NULL, &made},
};

static void act_wake(unsigned n, const struct rig_hit *hit)
{
    act_none(n, hit);
    if (al_irq_task_wake(op_id) != AL_OK) {
        inj.wrong = "a living task is stale";
    }
}

static void act_much(unsigned n, const struct rig_hit *hit)
{
    act_wake(n, hit);
    rig_pend_tick();
    act_give_two(n, hit);
    rig_pend_switch();
}

static const struct {
    const char *name;
    rig_action action;
} acts[] = {
        {"nothing", act_none},
        {"give", act_give},
        {"switch", act_switch},
        {"tick", act_tick},
        {"wake", act_wake},
        {"much", act_much},
};

static rig_action action;
static uint32_t delay;

static void arm(void)
{
    rig_arm(0, delay, action);
}

static const char *sweep(const struct scenario *s, unsigned *places)
{
    uint32_t pc = 0;

    *places = 0;
    for (delay = 0;; delay++) {
        const char *wrong = scenario_round(s, delay, arm);

        (void)al_task_park(AL_POLL); /* what a handler left */
        if (wrong != NULL) {
            test_note("%s, delay %u, pc %x: %s", s->name, (unsigned)delay,
                    (unsigned)inj.pc, wrong);
            return wrong;
        }
        if (inj.fired == 0) {
            return NULL;
        }
        *places += inj.pc != pc;
        pc = inj.pc;
    }
}

static void op_main(void)
{
    op_id = al_task_id_self();
    waiter_id = al_task_id_of(&waiter);
    al_sem_init(&made, 0, 1000);
    scenarios_start();
    for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        for (unsigned a = 0; a < sizeof(acts) / sizeof(acts[0]); a++) {
            unsigned places;
            const char *wrong;

            action = acts[a].action;
            wrong = sweep(&operations[i], &places);
            CHECK(wrong == NULL && places > 40, "%s, %s: %u places: %s",
                    operations[i].name, acts[a].name, places,
                    wrong != NULL ? wrong : "right");
            if (wrong != NULL) {
                test_done(); /* nothing is where the next one needs it */
            }
        }
    }
    test_done();
}

AL_TASK(op, op_main, 10, 2048);

RIG_WATCH();
