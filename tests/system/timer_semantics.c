/* SPDX-License-Identifier: MIT */
/*
 * Claim: a software timer does what it is there for at its tick, once or in its
 * phase, and tells exactly whether it runs.
 *   1. once: after 0, 1, 2, 10 and 1000 ticks, neither before nor again; what
 *      start, stop and is_running tell on the way
 *   2. with a period: at each of its times; stopped, no more; started anew while
 *      it runs, the old times are gone
 *   3. ticks that come all at once: done once, the others counted as missed, and
 *      the phase is what it was
 *   4. event bits: set, who waits is woken; a semaphore that is full: missed;
 *      a task that parks: woken; a task that has ended: missed; a semaphore that
 *      was destroyed: missed, nothing else
 *   5. destroyed while it runs: never again; made again in the same memory
 *   6. forty timers, started in one order and due in another
 * Fails if: a timer started anew keeps its old place in the tree, a period
 * counts from when the tick was dealt with, or a stop tells AL_OK twice.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O2 clang-Os
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

static struct al_sem sem = AL_SEM_INIT(0, 1000);
static struct al_sem small = AL_SEM_INIT(0, 2);
static struct al_timer once = AL_TIMER_INIT_SEM(&sem);
static struct al_timer filling = AL_TIMER_INIT_SEM(&small);

static volatile unsigned woken;

static void parker_main(void)
{
    for (;;) {
        (void)al_task_park(AL_FOREVER);
        woken++;
    }
}

AL_TASK(parker, parker_main, 9, 1024);

static struct al_timer waking = AL_TIMER_INIT_WAKE(&parker);

static void tick(unsigned n)
{
    while (n > 0) {
        rig_pend_tick();
        n--;
    }
}

/* kernel/time.h */
void al_time_test_set(al_time now, uint32_t index, uint32_t counter);

/* That many ticks, of which the kernel sees the last one only. */
static void ticks_at_once(unsigned n)
{
    al_time_test_set(al_now() + n - 1, 0, 0);
    tick(1);
}

/* Takes what is there; how many. */
static unsigned units(struct al_sem *from)
{
    unsigned n = 0;

    while (al_sem_try_take(from) == AL_OK) {
        n++;
    }
    return n;
}

static void one_shot(void)
{
    static const uint32_t delays[] = {1, 2, 10, 1000};

    CHECK(!al_timer_is_running(&once) && al_timer_stop(&once) == AL_E_STATE,
            "at rest before the first start");
    CHECK(al_timer_start(&once, 0, 0) == AL_OK && units(&sem) == 1 &&
                    !al_timer_is_running(&once),
            "a delay of 0 is over at once");
    for (unsigned i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        unsigned n = (unsigned)delays[i];

        CHECK(al_timer_start(&once, n, 0) == AL_OK, "start for %u", n);
        tick(n - 1);
        CHECK(units(&sem) == 0 && al_timer_is_running(&once),
                "not before %u ticks", n);
        tick(1);
        CHECK(units(&sem) == 1 && !al_timer_is_running(&once), "after %u ticks",
                n);
        tick(2 * n + 2);
        CHECK(units(&sem) == 0 && al_timer_stop(&once) == AL_E_STATE,
                "and not again after %u", n);
    }
    al_timer_start(&once, 2, 0);
    tick(1);
    CHECK(al_timer_stop(&once) == AL_OK && !al_timer_is_running(&once),
            "stopped before its time");
    CHECK(al_timer_stop(&once) == AL_E_STATE, "and not twice");
    tick(5);
    CHECK(units(&sem) == 0, "a stopped one does nothing");
    al_timer_start(&once, 2, 0);
    tick(1);
    al_timer_start(&once, 5, 0);
    tick(4);
    CHECK(units(&sem) == 0, "started anew, the old time is gone");
    al_timer_start(&once, 1, 0);
    tick(1);
    CHECK(units(&sem) == 1, "started anew for sooner");
    tick(10);
    CHECK(units(&sem) == 0, "and once");
}

static void periodic(void)
{
    struct al_timer_info info;
    al_time base;
    unsigned wrong = 0;

    base = al_now();
    al_timer_start(&once, 3, 4);
    for (unsigned n = 1; n <= 40; n++) {
        tick(1);
        wrong += units(&sem) != (n >= 3 && (n - 3) % 4 == 0);
    }
    al_timer_read(&once, &info);
    CHECK(wrong == 0, "a period of 4, 3 from the start");
    CHECK(info.running && info.period == 4 && info.missed == 0 &&
                    info.next == base + 43,
            "what is read of it");
    CHECK(al_timer_stop(&once) == AL_OK, "a periodic one is stopped");
    tick(9);
    CHECK(units(&sem) == 0, "and does nothing");
    al_timer_start(&once, 0, 1);
    tick(10);
    CHECK(units(&sem) == 11, "a period of 1 from now");
    al_timer_start(&once, 5, 0);
    tick(20);
    CHECK(units(&sem) == 1, "once, where there was a period");
    al_timer_start(&once, 1, AL_TIMER_PERIOD_MAX);
    tick(1);
    al_timer_read(&once, &info);
    CHECK(units(&sem) == 1 && info.next == al_now() + AL_TIMER_PERIOD_MAX,
            "the longest period");
    al_timer_stop(&once);
}

static void all_at_once(void)
{
    struct al_timer_info before;
    struct al_timer_info after;
    al_time base = al_now();

    al_timer_read(&once, &before);
    al_timer_start(&once, 10, 10);
    ticks_at_once(35);
    al_timer_read(&once, &after);
    CHECK(al_now() == base + 35, "35 ticks");
    CHECK(units(&sem) == 1 && after.expiries == before.expiries + 1 &&
                    after.missed == before.missed + 2,
            "done once, missed twice");
    CHECK(after.next == base + 40, "the phase is what it was");
    tick((unsigned)(base + 40 - al_now()));
    CHECK(units(&sem) == 1, "the next one in its phase");
    al_timer_stop(&once);
    al_timer_start(&once, 7, 0);
    ticks_at_once(100);
    al_timer_read(&once, &after);
    CHECK(units(&sem) == 1 && !after.running &&
                    after.missed == before.missed + 2,
            "once is never missed");
}

static struct al_event event = AL_EVENT_INIT;
static struct al_timer setting = AL_TIMER_INIT_EVENT(&event, 0x14);
static volatile uint32_t waited;

static void waiter_main(void)
{
    for (;;) {
        uint32_t got;

        if (al_event_wait(&event, 0x10, AL_EVENT_ANY, AL_FOREVER, &got) ==
                AL_OK) {
            waited = waited << 8 | got;
        }
    }
}

AL_TASK(waiter, waiter_main, 8, 1024);

static void events(void)
{
    struct al_timer_info info;

    al_timer_start(&setting, 2, 2);
    tick(1);
    CHECK(al_event_get(&event) == 0 && waited == 0, "no bits before");
    tick(1);
    CHECK(al_event_get(&event) == 4 && waited == 0x10,
            "bits are set, who waits has its own");
    tick(2);
    CHECK(al_event_get(&event) == 4 && waited == 0x1010, "and again");
    al_timer_stop(&setting);
    al_timer_read(&setting, &info);
    CHECK(info.expiries == 2 && info.missed == 0, "both counted");
}

static struct al_spawn ends_memory;
static char ends_stack[1024] __attribute__((aligned(8)));

static void ends_main(void *args)
{
    (void)args;
}

static void targets(void)
{
    const struct al_task_params params = {.name = "ends",
            .entry = ends_main,
            .stack = ends_stack,
            .stack_bytes = sizeof(ends_stack),
            .prio = 12};
    struct al_timer_info info;
    struct al_task_id id;
    struct al_timer late;

    al_timer_start(&filling, 1, 1);
    tick(5);
    al_timer_read(&filling, &info);
    CHECK(units(&small) == 2 && info.expiries == 2 && info.missed == 3,
            "a full semaphore: missed");
    al_timer_stop(&filling);
    al_timer_start(&waking, 2, 3);
    tick(8);
    CHECK(woken == 3, "a task is woken");
    CHECK(al_timer_stop(&waking) == AL_OK, "and no more");
    tick(4);
    CHECK(woken == 3, "not woken");

    al_task_create(&ends_memory, &params, &id);
    al_timer_init_wake(&late, id);
    al_timer_start(&late, 1, 0);
    tick(1);
    al_timer_read(&late, &info);
    CHECK(info.expiries == 0 && info.missed == 1 && !info.running,
            "a task that has ended");
    al_timer_destroy(&late);

    al_timer_start(&filling, 1, 1);
    al_sem_destroy(&small);
    tick(3);
    al_timer_read(&filling, &info);
    CHECK(info.expiries == 2 && info.missed == 6 && info.running,
            "a semaphore that was destroyed");
    al_timer_stop(&filling);
}

static void ends(void)
{
    struct al_timer timer;
    struct al_timer_info info;

    al_timer_init_sem(&timer, &sem);
    al_timer_start(&timer, 2, 2);
    tick(2);
    CHECK(units(&sem) == 1, "made at run time");
    al_timer_destroy(&timer);
    tick(4);
    CHECK(units(&sem) == 0 && !al_timer_is_running(&timer), "destroyed");
    CHECK(al_irq_timer_start(&timer, 1, 0) == AL_E_DESTROYED &&
                    al_irq_timer_stop(&timer) == AL_E_DESTROYED,
            "a handler is told");
    al_timer_init_wake(&timer, al_task_id_of(&parker));
    al_timer_start(&timer, 1, 0);
    tick(1);
    al_timer_read(&timer, &info);
    CHECK(woken == 4 && info.expiries == 1, "made again, another one");
    al_timer_destroy(&timer);
}

#define MANY 40

static struct al_timer many[MANY];

static void many_of_them(void)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < MANY; i++) {
        al_timer_init_sem(&many[i], &sem);
    }
    for (unsigned i = 0; i < MANY; i++) {
        al_timer_start(&many[i * 7 % MANY], 1 + i * 13 % MANY, 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        tick(1);
        wrong += units(&sem) != 1;
    }
    CHECK(wrong == 0, "forty timers, one a tick");
    for (unsigned i = 0; i < MANY; i++) {
        al_timer_start(&many[i], 5, 5);
    }
    tick(4);
    CHECK(units(&sem) == 0, "forty due later");
    tick(1);
    CHECK(units(&sem) == MANY, "forty in one tick");
    for (unsigned i = 0; i < MANY; i += 2) {
        al_timer_stop(&many[i]);
    }
    tick(5);
    CHECK(units(&sem) == MANY / 2, "twenty in the next one");
    for (unsigned i = 0; i < MANY; i++) {
        al_timer_destroy(&many[i]);
    }
    tick(10);
    CHECK(units(&sem) == 0, "none is left");
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    one_shot();
    periodic();
    all_at_once();
    targets();
    events();
    ends();
    many_of_them();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
