/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program of sched_slice*.c. Ticks come by hand, from whoever spins: so who
 * runs at which tick is known exactly.
 */

#include "../interleave/rig.h"

#include "test.h"

#define SPINNERS 3
#define JOURNAL  80u

AL_STATIC_ASSERT(SLICE == AL_CFG_TIME_SLICE, "as the head comment says");

static char journal[JOURNAL];
static volatile unsigned length;
static volatile unsigned ticks_left;

static void note(char c)
{
    if (length < JOURNAL - 1) {
        journal[length] = c;
        journal[length + 1] = '\0';
        length++;
    }
}

static bool journal_is(const char *expected)
{
    unsigned i = 0;

    while (expected[i] != '\0' && journal[i] == expected[i]) {
        i++;
    }
    return expected[i] == journal[i];
}

/* A more urgent task is woken by a handler, before that many ticks. */
static volatile unsigned waker_left;
static void act_wake(unsigned n, const struct rig_hit *hit);

/* Notes itself before each tick. */
static void spin(char name)
{
    while (ticks_left > 0) {
        ticks_left--;
        note(name);
        if (waker_left > 0) {
            waker_left--;
            rig_pend(0, act_wake);
        }
        rig_pend_tick();
    }
}

static struct al_sem go[4] = {AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1),
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};

#define SPINNER(n, letter, prio)  \
  static void letter##_main(void) \
  {                               \
    for (;;) {                    \
      al_sem_take(&go[n]);        \
      spin(#letter[0]);           \
    }                             \
  }                               \
  AL_TASK(letter, letter##_main, prio, 1280)

SPINNER(0, a, 5);
SPINNER(1, b, 5);
SPINNER(2, c, 5);
SPINNER(3, u, 7);

/* The judge is made less urgent than those that it lets go. */
static void begin(const char *who, unsigned ticks)
{
    struct al_task_id self = al_task_id_self();

    length = 0;
    journal[0] = '\0';
    ticks_left = ticks;
    (void)al_task_set_prio(self, 20);
    for (; *who != '\0'; who++) {
        (void)al_sem_give(&go[*who == 'u' ? 3 : *who - 'a']);
    }
    (void)al_task_set_prio(self, 2);
}

static void turns(void)
{
    begin("abc", 14);
    CHECK(journal_is(SLICE == 0 ? "aaaaaaaaaaaaaa" : "aabbccaabbccaa"),
            "three equals: %s", journal);
    begin("ba", 7);
    CHECK(journal_is(SLICE == 0 ? "bbbbbbb" : "bbaabba"), "two: %s", journal);
    begin("c", 5);
    CHECK(journal_is("ccccc"), "one alone: %s", journal);
    begin("abu", 6);
    CHECK(journal_is("uuuuuu"), "a more urgent one: %s", journal);
}

/* ---- a more urgent one in between ---- */

static struct al_sem wake = AL_SEM_INIT(0, 1);
static volatile unsigned wakes;

static void wakes_main(void)
{
    for (;;) {
        al_sem_take(&wake);
        wakes++;
        note('.');
    }
}

AL_TASK(wakes_now, wakes_main, 9, 1280);

static void act_wake(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_sem_give(&wake);
}

/* In the middle of a turn; the judge, at their level, stands behind a and b. */
static void preempted(void)
{
    length = 0;
    journal[0] = '\0';
    rig_pend(0, act_wake);
    CHECK(wakes == 1 && journal_is("."), "woken by a handler: %s", journal);
    waker_left = 5;
    begin("ab", 6);
    CHECK(journal_is(SLICE == 0 ? "a.a.a.a.a.a" : "a.a.b.b.a.a") && wakes == 6,
            "preempted at each tick: the turns are the same: %s", journal);
}

/* ---- the lock ---- */

static void tick_locked(unsigned ticks)
{
    *(volatile uint32_t *)&al_core.locked = 1;
    for (; ticks > 0; ticks--) {
        rig_pend_tick();
    }
    *(volatile uint32_t *)&al_core.locked = 0;
    rig_pend_switch();
}

static struct al_sem locked_go[3] = {
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};
static volatile unsigned locked_ticks;

/* Ticks in the lock, then goes on. */
static void x_main(void)
{
    for (;;) {
        al_sem_take(&locked_go[0]);
        note('x');
        tick_locked(locked_ticks);
        note('x');
    }
}

/* Ticks in the lock, and gives way in the same hold: al_yield() takes the lock
 * by itself, so it is the tick that comes in its middle. */
static void act_tick(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    rig_pend_tick();
}

static volatile uint32_t yield_delay;
static volatile unsigned y_ticks;

static void y_main(void)
{
    for (;;) {
        al_sem_take(&locked_go[1]);
        for (unsigned i = 0; i < y_ticks; i++) {
            rig_pend_tick();
        }
        note('y');
        rig_arm(0, yield_delay, act_tick);
        al_yield();
        rig_disarm(0);
        note('y');
    }
}

static void z_main(void)
{
    for (;;) {
        al_sem_take(&locked_go[2]);
        note('z');
        for (volatile unsigned i = 0; i < 300; i++) {
        }
        note('z');
    }
}

AL_TASK(x, x_main, 5, 1280);
AL_TASK(y, y_main, 5, 1280);
AL_TASK(z, z_main, 5, 1280);

static void locked_run(const char *who)
{
    struct al_task_id self = al_task_id_self();

    length = 0;
    journal[0] = '\0';
    (void)al_task_set_prio(self, 20);
    for (; *who != '\0'; who++) {
        (void)al_sem_give(&locked_go[*who - 'x']);
    }
    (void)al_task_set_prio(self, 2);
}

static void in_the_lock(void)
{
    unsigned cut = 0;
    unsigned whole = 0;

    locked_ticks = 1;
    locked_run("xz");
    CHECK(journal_is("xxzz"), "a tick in the lock: %s", journal);
    locked_ticks = 2;
    locked_run("xz");
    CHECK(journal_is(SLICE == 0 ? "xxzz" : "xzzx"), "a turn's end in it: %s",
            journal);
    /* y has had one tick; the second comes while it yields to z. */
    y_ticks = SLICE == 0 ? 0 : SLICE - 1;
    for (yield_delay = 0; yield_delay < 200; yield_delay++) {
        locked_run("yz");
        whole += journal_is("yzzy");
        cut += !journal_is("yzzy");
    }
    CHECK(whole == 200 && cut == 0,
            "y yields to z: %u times z was whole, %u not", whole, cut);
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    turns();
    preempted();
    in_the_lock();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 2, 3072);
