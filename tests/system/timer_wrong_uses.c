/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of a software timer ends the caller, named TIMER.n, or is
 * a status; a timer whose object is no more does nothing.
 *   1. each function on zeroed, garbage and destroyed memory
 *   2. a period that is too long; a start without an object, with one of
 *      another kind, with a task that is none, with a service that is none
 *   3. a handler: al_timer_... is the kernel stop's business (irq_kernel_stop),
 *      al_irq_timer_... tells
 *   4. a target that is no memory, or other memory by now, at the tick: missed
 *   5. the victim's own timers run on after its death; the kernel is whole
 * Fails if: a check is dropped, or is made with the kernel lock held.
 * builds: gcc-O2 clang-O2 gcc-O0
 * sources: ../support/recover.c ../interleave/rig.c
 */
#include <alula/alula.h>

#include "../interleave/rig.h"

#include "recover.h"

AL_TIMER_SERVICE(service, 6, 1024);

static struct al_sem sem = AL_SEM_INIT(0, 100);
static struct al_sem zero_sem;
static struct al_timer good = AL_TIMER_INIT_SEM(&sem);
static struct al_timer zeros;
static struct al_timer made;
static struct al_timer garbage;
static struct al_timer ended;
static struct al_timer of_no_sem = AL_TIMER_INIT_SEM(&zero_sem);
static struct al_timer of_no_event =
        AL_TIMER_INIT_EVENT((struct al_event *)(void *)&sem, 1);
static struct al_timer of_nothing = AL_TIMER_INIT_SEM(NULL);
static struct al_timer of_no_service =
        AL_TIMER_INIT_CALL((struct al_timer_service *)&sem, rig_mark, NULL);
static struct al_timer of_no_fn = AL_TIMER_INIT_CALL(&service, NULL, NULL);
static struct al_timer of_no_task =
        AL_TIMER_INIT_WAKE((struct al_task *)(void *)&sem);
static struct al_timer of_no_act = AL_TIMER_INIT_(77, &sem, 0, NULL, NULL);
static struct al_timer *at;

static void start(void)
{
    (void)al_timer_start(at, 1, 0);
}

static void stop(void)
{
    (void)al_timer_stop(at);
}

static void destroy(void)
{
    al_timer_destroy(at);
}

static void too_long(void)
{
    (void)al_timer_start(at, 1, AL_TIMER_PERIOD_MAX + 1);
}

static void init_no_sem(void)
{
    al_timer_init_sem(at, &zero_sem);
    (void)al_timer_start(at, 1, 0);
}

static void init_unaligned(void)
{
    al_timer_init_sem(at, (struct al_sem *)(void *)((char *)&sem + 2));
    (void)al_timer_start(at, 1, 0);
}

static void init_no_task(void)
{
    al_timer_init_wake(at, (struct al_task_id){NULL, 0});
    (void)al_timer_start(at, 1, 0);
}

static void init_no_spawn(void)
{
    struct al_task_id id = al_task_id_self();

    id.spawn += 2;
    al_timer_init_wake(at, id);
    (void)al_timer_start(at, 1, 0);
}

static void init_no_service(void)
{
    al_timer_init_call(
            at, (struct al_timer_service *)RIG_NOWHERE, rig_mark, NULL);
    (void)al_timer_start(at, 1, 0);
}

static void init_no_fn(void)
{
    al_timer_init_call(at, &service, NULL, NULL);
    (void)al_timer_start(at, 1, 0);
}

static void serve_none(void)
{
    al_timer_serve((struct al_timer_service *)(void *)&sem);
}

static const struct {
    const char *name;
    void (*use)(void);
    struct al_timer *timer;
    unsigned rule;
} uses[] = {
        {"start zeros", start, &zeros, 2},
        {"stop zeros", stop, &zeros, 2},
        {"destroy zeros", destroy, &zeros, 2},
        {"start garbage", start, &garbage, 2},
        {"stop garbage", stop, &garbage, 2},
        {"destroy garbage", destroy, &garbage, 2},
        {"start a destroyed one", start, &ended, 2},
        {"stop a destroyed one", stop, &ended, 2},
        {"destroy twice", destroy, &ended, 2},
        {"a period too long", too_long, &good, 3},
        {"start without a semaphore", start, &of_no_sem, 4},
        {"start without an event", start, &of_no_event, 4},
        {"start with nothing", start, &of_nothing, 4},
        {"start without a service", start, &of_no_service, 4},
        {"start without a callback", start, &of_no_fn, 4},
        {"start without a task", start, &of_no_task, 4},
        {"start without anything to do", start, &of_no_act, 4},
        {"make without a semaphore", init_no_sem, &made, 4},
        {"make with an odd address", init_unaligned, &made, 4},
        {"make without a task", init_no_task, &made, 4},
        {"make with a task to come", init_no_spawn, &made, 4},
        {"make with a service where nothing is", init_no_service, &made, 4},
        {"make without a callback", init_no_fn, &made, 4},
        {"serve what is no service", serve_none, &made, 4},
};

static void all_uses(void)
{
    for (unsigned i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        at = uses[i].timer;
        CHECK(rig_run(uses[i].use) == 1, "%s: a death", uses[i].name);
        CHECK(rig_record.cause == AL_CAUSE_CALLER &&
                        rig_record.detail[0] == 14 &&
                        rig_record.detail[1] == uses[i].rule,
                "%s: TIMER.%u", uses[i].name, uses[i].rule);
        CHECK(!al_timer_is_running(at), "%s: nothing runs", uses[i].name);
    }
}

static volatile al_status told[6];
static volatile bool asked;

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    told[0] = al_irq_timer_start(&zeros, 1, 0);
    told[1] = al_irq_timer_stop(&garbage);
    told[2] = al_irq_timer_start(&ended, 1, 1);
    told[3] = al_irq_timer_start(&good, 1, AL_TIMER_PERIOD_MAX + 1);
    told[4] = al_irq_timer_stop(&good);
    told[5] = al_irq_timer_start(&of_no_sem, 1, 0);
    asked = true;
}

static void from_a_handler(void)
{
    struct al_timer_info info;

    rig_pend(0, in_handler);
    CHECK(asked && told[0] == AL_E_DESTROYED && told[1] == AL_E_DESTROYED &&
                    told[2] == AL_E_DESTROYED,
            "a handler is told");
    CHECK(told[3] == AL_E_STATE && told[4] == AL_E_STATE,
            "a period too long starts nothing");
    CHECK(told[5] == AL_OK, "what it is to act on is looked at at the tick");
    rig_pend_tick();
    al_timer_read(&of_no_sem, &info);
    CHECK(info.missed == 1 && info.expiries == 0 && !info.running,
            "and missed");
}

static void gone_at_the_tick(void)
{
    static void *const places[] = {
            (void *)0x30000000u, (char *)&sem + 2, &zero_sem, NULL};
    struct al_timer_info before;
    struct al_timer_info info;

    al_timer_read(&good, &before);
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        al_timer_start(&good, 1, 0);
        good.target = places[i];
        rig_pend_tick();
        good.target = &sem;
        al_timer_read(&good, &info);
        CHECK(info.missed == before.missed + i + 1 && !info.running,
                "an object at %p", places[i]);
    }
    CHECK(info.expiries == before.expiries, "nothing was done");
}

static void start_and_die(void)
{
    (void)al_timer_start(&good, 2, 0);
    al_panic("dies with a timer running");
}

static void judge_main(void)
{
    const char *wrong;
    struct al_timer_info info;

    for (unsigned i = 0; i < sizeof(garbage); i++) {
        ((volatile char *)&garbage)[i] = (char)(0x5a + i % 3 * 0x10);
    }
    garbage.control = 0;
    al_timer_init_sem(&ended, &sem);
    al_timer_destroy(&ended);
    all_uses();
    rig_start();
    from_a_handler();
    CHECK(rig_run(start_and_die) == 1, "its owner dies");
    rig_pend_tick();
    rig_pend_tick();
    al_timer_read(&good, &info);
    CHECK(al_sem_try_take(&sem) == AL_OK && info.expiries == 1,
            "the timer runs on");
    gone_at_the_tick();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 2, 2048);
