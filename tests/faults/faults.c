/* SPDX-License-Identifier: MIT */
/*
 * Random deaths of tasks and handlers at random instants, one run of as many as
 * are asked for:
 *
 *  1. six tasks of five priorities work with everything there is (victims.c)
 *  2. a timer interrupts at a random distance; its handler damages a victim's
 *     own state, has one killed, gives to what they wait for, or dies itself,
 *     sometimes above another handler that dies as well
 *  3. every few deaths the victims are let come to rest: nothing of what died is
 *     left, the kernel's lists are whole, each record counts
 *  4. all the while a task above them is released each tick, and must have run
 *     before the next
 *
 *     # DEATHS of N deaths, ...             now and then
 *     faults deaths=N leaks=L stuck=S deadlines_missed=M beats=B causes=C
 *
 * A leak, or somebody who does not come to rest, ends the run. tools/alula-faults
 * says N and the seed on the command line, and reads what is printed.
 */
#include "faults.h"

#include "../interleave/rig.h"
#include "test.h"

#include <board.h>

#define BATCH      10u      /* deaths between two looks */
#define REST_TICKS 400u     /* until all have come to rest */
#define CAUSES     0x4706au /* each of these must be seen in so many deaths: */
#define MANY       5000u
#define LINES      2u
#define FIRST_LINE 8u /* TIMER0, TIMER1 */

static uint32_t seed;
static volatile bool armed;
static struct al_sem killer_go = AL_SEM_INIT(0, 1);

/* ---- the task above all ---- */

static volatile uint32_t beats;
static volatile uint32_t missed;
static volatile uint32_t rest_at; /* so many deaths: the victims are to rest */

/* Also who ends a batch: those below may have no time for long. */
static void heart_main(void)
{
    struct al_period period;

    al_period_start(&period, 1);
    for (;;) {
        (void)al_period_wait(&period);
        beats++;
        missed = period.missed;
        if (armed && al_crash_count() >= rest_at) {
            armed = false;
            paused = true;
        }
    }
}

AL_TASK(heart, heart_main, 31, 1024);

/* ---- what kills ---- */

static void killer_main(void)
{
    for (;;) {
        struct al_task_id id;

        al_sem_take(&killer_go);
        id = al_task_id_of(victims[random_below(&seed, VICTIMS)].task);
        switch (random_below(&seed, 8)) {
        case 0:
            (void)al_task_suspend(id);
            al_sleep(1);
            (void)al_task_resume(id);
            break;
        case 1:
            (void)al_task_set_prio(id, (al_prio)(5 + random_below(&seed, 9)));
            break;
        default:
            (void)al_task_kill(id, AL_KILL_RESTART);
            break;
        }
    }
}

AL_TASK(killer, killer_main, 20, 1024);

static uint32_t deep(uint32_t depth)
{
    volatile uint32_t local[16];

    local[depth % 16] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + local[depth % 16];
}

static volatile uint32_t given_back;

static void note(void *arg)
{
    (void)arg;
    given_back++;
}

/* A handler's death, one call below what it opened. */
__attribute__((noinline)) static void die_in_handler(uint32_t way)
{
    AL_DEFER(note, NULL);
    switch (way) {
    case 0:
        al_panic("handler");
    case 1:
        *(volatile uint32_t *)NOWHERE = 0;
        break;
    case 2:
        __asm__ volatile("udf #0");
        break;
    case 3:
        (void)deep(1000);
        break;
    }
}

static void strike_above(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    die_in_handler(random_below(&seed, 4));
}

static struct al_sem destroyed;
static volatile uint32_t ended; /* leases, by a handler */

static void damage(struct victim *v, uint32_t how)
{
    switch (how) {
    case 0:
        v->data = (uint32_t *)NOWHERE;
        break;
    case 1:
        v->gives = random_below(&seed, 2) == 0 ? (struct al_sem *)NOWHERE
                                               : &destroyed;
        break;
    case 2:
        v->calls = (void (*)(uint32_t))(NOWHERE | 1);
        break;
    case 3:
        v->deeper = 1000;
        break;
    case 4:
        v->bad_sp = NOWHERE;
        break;
    case 5:
        v->data = NULL;
        v->bad_cleanup = true;
        break;
    }
}

static void strike(unsigned n, const struct rig_hit *hit);

static void arm(void)
{
    uint32_t most = random_below(&seed, 3) == 0 ? 20000 : 1500;

    rig_arm(0, 4 + random_below(&seed, most), strike);
}

static void strike(unsigned n, const struct rig_hit *hit)
{
    uint32_t how = random_below(&seed, 16);

    (void)n;
    (void)hit;
    if (!armed) {
        return;
    }
    arm();
    if (how < 6) {
        damage(&victims[random_below(&seed, VICTIMS)], how);
    } else if (how < 12) {
        (void)al_irq_sem_give(&killer_go);
    } else if (how == 12) {
        die_in_handler(random_below(&seed, 4));
    } else if (how == 13) {
        rig_pend(1, strike_above);
        die_in_handler(random_below(&seed, 4));
    } else {
        struct victim *v = &victims[random_below(&seed, VICTIMS)];

        ended += al_irq_raw_lease_done(&v->lease) == AL_OK;
        (void)al_irq_task_wake(al_task_id_of(v->task));
    }
}

/* ---- the judge ---- */

static uint32_t causes; /* a bit for each that was seen */

/* All whole, and what they say of why. */
static const char *check_records(uint32_t from)
{
    struct al_crash_record record;

    for (uint32_t n = from + 1; n <= al_crash_count(); n++) {
        if (al_crash_count() - n >= AL_CFG_CRASH_RECORDS) {
            continue;
        }
        if (al_crash_read(n, &record) != AL_OK) {
            return "a record is not whole";
        }
        causes |= 1u << record.cause;
    }
    return NULL;
}

static bool at_rest(void)
{
    for (struct al_task *task = al_task_next(NULL); task != NULL;
            task = al_task_next(task)) {
        if ((task->flags & AL_FLAG_SPAWNED) != 0 || task->crash != NULL ||
                (task->flags & AL_FLAG_DOOMED) != 0) {
            return false;
        }
    }
    for (unsigned i = 0; i < VICTIMS; i++) {
        if (!victims[i].parked) {
            return false;
        }
    }
    return true;
}

static bool come_to_rest(void)
{
    for (uint32_t i = 0; i < REST_TICKS; i++) {
        if (at_rest()) {
            return true;
        }
        al_sleep(1);
    }
    return false;
}

static void enable_lines(void)
{
    for (uint32_t n = 0; n < LINES; n++) {
        al_irq_enable(FIRST_LINE + n, AL_PRIO_IRQ(2 + 3 * n));
    }
}

static void work_until(uint32_t deaths)
{
    enable_lines(); /* what dies too often is disabled */
    for (unsigned i = 0; i < VICTIMS; i++) {
        victims[i].parked = false;
    }
    rest_at = deaths;
    paused = false;
    armed = true;
    arm();
    while (armed) {
        al_sleep(1);
    }
    rig_disarm(0);
    rig_disarm(1);
}

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

/* Returns what is wrong; NULL: nothing. */
static const char *look(uint32_t from, size_t heap)
{
    const char *wrong = victims_check();

    if (wrong == NULL && heap_used() != heap) {
        wrong = "heap is left";
    }
    if (wrong == NULL) {
        __asm__ volatile("cpsid i" ::: "memory"); /* a tick changes lists */
        wrong = rig_check();
        __asm__ volatile("cpsie i" ::: "memory");
    }
    return wrong != NULL ? wrong : check_records(from);
}

static void report(uint32_t leaks, uint32_t stuck)
{
    uint32_t stops = 0;

    for (unsigned i = 0; i < VICTIMS; i++) {
        stops += victims[i].stops;
    }
    test_note("handlers undid %u scopes and ended %u leases, %u were stopped",
            (unsigned)given_back, (unsigned)ended, (unsigned)stops);
    if (al_crash_count() >= MANY &&
            ((causes & CAUSES) != CAUSES || ended == 0 || stops == 0)) {
        test_note("not all was seen");
        leaks++;
    }
    test_say("faults deaths=%u leaks=%u stuck=%u deadlines_missed=%u "
             "beats=%u causes=%x",
            (unsigned)al_crash_count(), (unsigned)leaks, (unsigned)stuck,
            (unsigned)missed, (unsigned)beats, (unsigned)causes);
    board_exit(0);
}

static void tell_who(void)
{
    for (unsigned i = 0; i < VICTIMS; i++) {
        const struct al_task *t = victims[i].task;

        test_note("victim %u: parked %u, state %u, phase %u, flags %u, rounds "
                  "%u, starts %u, cause %u, waits for %u",
                i, victims[i].parked, t->state, t->phase, t->flags,
                (unsigned)victims[i].rounds, (unsigned)victims[i].starts,
                (unsigned)t->cause, t->wait);
    }
}

static void judge_main(void)
{
    static bool begun;
    uint32_t wanted = test_number("DEATHS=", 1000);
    uint32_t percent = 0;
    size_t heap;

    if (begun) {
        test_note("the judge died");
        report(1, 0);
    }
    begun = true;
    seed = test_seed(1);
    victims_begin(seed);
    seed = seed * 2654435769u | 1;
    heap = heap_used();
    while (al_crash_count() < wanted) {
        uint32_t from = al_crash_count();
        const char *wrong;

        work_until(from + BATCH < wanted ? from + BATCH : wanted);
        if (!come_to_rest()) {
            tell_who();
            report(0, 1);
        }
        wrong = look(from, heap);
        if (wrong != NULL) {
            test_note("between deaths %u and %u: %s", (unsigned)from,
                    (unsigned)al_crash_count(), wrong);
            tell_who();
            report(1, 0);
        }
        if (al_crash_count() * 100 / wanted > percent) {
            percent = al_crash_count() * 100 / wanted;
            test_note("%u of %u deaths, %u beats, %u missed",
                    (unsigned)al_crash_count(), (unsigned)wanted,
                    (unsigned)beats, (unsigned)missed);
        }
    }
    report(0, 0);
}

AL_TASK(judge, judge_main, 2, 2048);
