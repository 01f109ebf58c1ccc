/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The program of sched_levels*.c: see there.
 */

#include "../interleave/rig.h"

#include "test.h"

#define TOP (AL_PRIO_LEVELS - 1)
/* With the arguments' 8 bytes it is a size that the heap finds again where
 * such a block was freed. */
#define STACK 1016u
/* Tasks at one time: what the smaller board has room for. */
#define CROWD 60u

static volatile unsigned order[CROWD];
static volatile unsigned ran;

static void note_main(void *args)
{
    if (ran < CROWD) {
        order[ran] = *(const unsigned *)args;
    }
    ran++;
}

static struct al_task_id spawn(
        void (*entry)(void *args), unsigned prio, bool suspended)
{
    struct al_task_params p = {"kid", entry, &prio, sizeof(prio), NULL, STACK,
            (al_prio)prio, suspended, NULL};
    struct al_task_id id = {NULL, 0};

    if (al_task_spawn(&p, &id) != AL_OK) {
        CHECK(false, "a task at %u", prio);
        test_done();
    }
    return id;
}

static void be(unsigned prio)
{
    (void)al_task_set_prio(al_task_id_self(), (al_prio)prio);
}

/* A crowd at levels low, low + stride, ... below the top, in an order that is
 * neither up nor down. */
static void all_levels(unsigned low, unsigned stride)
{
    unsigned count = 0;
    bool right = true;
    const char *wrong;

    be(TOP);
    ran = 0;
    while (count < CROWD && low + count * stride < TOP) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        /* 7 has no divisor in common with any count that is used, or the rest
         * follow in their order. */
        unsigned at = count % 7 == 0 ? i : i * 7 % count;

        (void)spawn(note_main, low + at * stride, false);
    }
    right = ran == 0;
    wrong = rig_check();
    be(1);
    al_sleep(1);
    for (unsigned i = 0; i < count; i++) {
        right = right && order[i] == low + (count - 1 - i) * stride;
    }
    CHECK(right && ran == count && wrong == NULL && rig_check() == NULL,
            "%u levels from %u in steps of %u: %s", count, low, stride,
            wrong != NULL ? wrong : "right");
}

static struct al_sem go = AL_SEM_INIT(0, 1);
static volatile bool woken;

static void woken_main(void *args)
{
    (void)args;
    al_sem_take(&go);
    woken = true;
}

static void pair(unsigned waits, unsigned gives)
{
    bool at_once;

    be(1);
    woken = false;
    (void)spawn(woken_main, waits, false);
    al_sleep(1);
    be(gives);
    (void)al_sem_give(&go);
    at_once = woken;
    be(1);
    al_sleep(1);
    if (at_once != (waits > gives) || !woken) {
        CHECK(false, "%u woken by %u: %d", waits, gives, (int)at_once);
    }
}

static void pairs(void)
{
    static const unsigned levels[] = {1, 2, 3, 30, 31, 32, 33, 34, 62, 63, 64,
            65, 96, 127, 128, 159, 160, 191, 192, 223, 224, 253, 254, 255};
    unsigned tried = 0;

    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        for (unsigned k = 0; k < sizeof(levels) / sizeof(levels[0]); k++) {
            if (levels[i] <= TOP && levels[k] <= TOP) {
                pair(levels[i], levels[k]);
                tried++;
            }
        }
    }
    CHECK(tried >= 9, "%u pairs of levels", tried);
}

static void moves(void)
{
    struct al_task_id id = spawn(note_main, 1, true);
    struct al_task_id other = spawn(note_main, 1, true);
    const char *wrong = NULL;

    be(TOP);
    (void)al_task_resume(id);
    (void)al_task_resume(other);
    for (unsigned prio = 1; prio < TOP && wrong == NULL; prio++) {
        (void)al_task_set_prio(id, (al_prio)prio);
        wrong = rig_check();
    }
    for (unsigned prio = TOP - 1; prio > 0 && wrong == NULL; prio--) {
        (void)al_task_set_prio(id, (al_prio)prio);
        (void)al_task_set_prio(other, (al_prio)(TOP - prio));
        wrong = rig_check();
    }
    CHECK(wrong == NULL, "moved through all levels: %s",
            wrong != NULL ? wrong : "right");
    be(1);
    al_sleep(1);
}

static void judge_main(void)
{
    al_sleep(2);
    all_levels(1, 1);
    for (unsigned stride = 2; stride < 32; stride += 3) {
        all_levels(1 + stride / 2, stride);
    }
    for (unsigned low = 20; low + 2 < TOP; low += 43) {
        all_levels(low, 1);
    }
    pairs();
    moves();
    test_done();
}

AL_TASK(judge, judge_main, 1, 3072);
