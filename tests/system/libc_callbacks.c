/* SPDX-License-Identifier: MIT */
/*
 * Claim: the stack may run out, and a task may die, anywhere in a recursion
 * through the callbacks of qsort() and bsearch(): every scope on the way is
 * undone once, in order, nothing is stored below the floor, and the walk
 * through the stack comes out at the other end.
 *   1. a callback opens a scope and calls qsort() or bsearch() with itself, in
 *      turn, until the stack is full; from each 8th byte of the stack on, with
 *      AL_CALLBACK and without
 *   2. the same to a depth of 0 to 6, where it panics, faults, or meets an
 *      undefined instruction
 *   3. and comes back well: what it sorted is sorted, what it sought was found
 * Fails if: a callback is not checked, or against garbage; if the library's
 * frames stop the walk.
 * boards: stm32f405 mps2-an386
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2
 * sources: ../support/recover.c; flags: -DRIG_STACK=3072
 * recovers: overflow panic null undef | library |
 *     in a callback of qsort() or bsearch(), at any depth: every scope on the
 *     way is undone | overflow_to_restart unwind_frame unwind_scope
 */
#include <stdlib.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))
#define STEP     8u

/* --- scopes that know their order --- */

static volatile uint32_t opened;
static volatile uint32_t undone;
static volatile bool out_of_order;

/* The argument is how many were open before. */
static void undo(void *before)
{
    undone++;
    opened--;
    out_of_order = out_of_order || opened != (uint32_t)(uintptr_t)before;
}

/* --- the recursion --- */

static volatile uint32_t depth;
static volatile uint32_t stop_at;
static volatile uint32_t total;
static volatile bool through_veneer;
static volatile bool wrong;
static void (*volatile at_bottom)(void);

static void go_on(void);

static int by_value(const void *a, const void *b)
{
    const char *left = (const char *)a;
    const char *right = (const char *)b;
    AL_DEFER(undo, (void *)(uintptr_t)opened);

    opened++;
    total++;
    /* Once a level: else it would not end. */
    if (depth < stop_at) {
        go_on();
    } else if (at_bottom != NULL) {
        at_bottom();
    }
    return *left - *right;
}

static void sorts(void)
{
    char letters[2] = {'b', 'a'};

    qsort(letters, 2, 1, through_veneer ? AL_CALLBACK(by_value) : by_value);
    wrong = wrong || letters[0] != 'a' || letters[1] != 'b';
}

static void seeks(void)
{
    static const char letters[] = "aceg";
    const char *found = (const char *)bsearch("g", letters, 4, 1,
            through_veneer ? AL_CALLBACK(by_value) : by_value);

    wrong = wrong || found != letters + 3;
}

static void go_on(void)
{
    uint32_t mine = depth;

    depth = mine + 1;
    if (mine % 2 == 0) {
        sorts();
    } else {
        seeks();
    }
    /* The next comparison of the level above goes down no more. */
    depth = stop_at;
}

static volatile uint32_t room_bytes;

static NOINLINE void body(void)
{
    volatile char *room = __builtin_alloca(room_bytes);

    room[0] = 1;
    go_on();
    room[1] = 1;
}

/* --- judgement --- */

#define LOW_WORDS 8u
#define LOW_WORD  0xca9a91u

static bool well(uint32_t deaths)
{
    const uint32_t *low = (const uint32_t *)rig_victim.stack_low;
    bool right = opened == 0 && !out_of_order && undone == total && !wrong &&
                 rig_victim.scopes == NULL;

    for (uint32_t i = 0; i < LOW_WORDS; i++) {
        right = right && low[i] == LOW_WORD;
    }
    return right && (deaths == 0 || rig_record.nested == 0);
}

static uint32_t run(uint32_t levels, void (*end)(void), uint32_t room)
{
    volatile uint32_t *low = (uint32_t *)rig_victim.stack_low;

    for (uint32_t i = 0; i < LOW_WORDS; i++) {
        low[i] = LOW_WORD;
    }
    opened = 0;
    undone = 0;
    total = 0;
    depth = 0;
    out_of_order = false;
    wrong = false;
    stop_at = levels;
    at_bottom = end;
    room_bytes = room;
    return rig_run(body);
}

/* Did the walk come through all of it, to where it began? A veneer that
 * AL_CALLBACK makes has no unwind table: it ends there. */
static bool walked_out(void)
{
    uint32_t kept = rig_record.pc_count;

    if (kept > AL_CRASH_NEWEST + AL_CRASH_OLDEST) {
        kept = AL_CRASH_NEWEST + AL_CRASH_OLDEST;
    }
    if (through_veneer) {
        return true;
    }
    for (uint32_t i = 0; i < kept; i++) {
        if (rig_within(rig_record.pcs[i], body)) {
            return true;
        }
    }
    return false;
}

#define ENDLESS 100000u

static void check_overflow(const char *name)
{
    uint32_t right = 0;
    uint32_t runs = 0;
    uint32_t deepest = 0;

    for (uint32_t room = STEP; room <= 600; room += STEP) {
        uint32_t deaths = run(ENDLESS, NULL, room);

        runs++;
        right += deaths == 1 && well(1) && walked_out() &&

                 rig_record.cause == AL_CAUSE_OVERFLOW;
        deepest = total > deepest ? total : deepest;
    }
    CHECK(right == runs, "%s: the stack is full: %d of %d", name, (int)right,
            (int)runs);
    CHECK(deepest > 4, "%s: %d callbacks deep", name, (int)deepest);
}

static void panics(void)
{
    al_panic("test");
}

static void faults(void)
{
    *RIG_NOWHERE = 1;
}

static void undefined(void)
{
    __asm__ volatile("udf #0");
}

static const struct {
    const char *name;
    void (*fn)(void);
} ends[] = {
        {"panics", panics},
        {"faults", faults},
        {"undefined", undefined},
};

static void check_deaths(const char *name)
{
    for (uint32_t n = 0; n < sizeof(ends) / sizeof(ends[0]); n++) {
        uint32_t right = 0;

        for (uint32_t levels = 1; levels <= 6; levels++) {
            right += run(levels, ends[n].fn, STEP) == 1 && well(1) &&
                     walked_out() && total == levels;
        }
        CHECK(right == 6, "%s: %s at each depth: %d", name, ends[n].name,
                (int)right);
    }
}

static void check_all(const char *name)
{
    uint32_t right = 0;

    for (uint32_t levels = 1; levels <= 6; levels++) {
        right += run(levels, NULL, STEP) == 0 && well(0);
    }
    CHECK(right == 6, "%s: comes back from each depth: %d", name, (int)right);
    check_deaths(name);
    check_overflow(name);
}

static void judge_main(void)
{
    through_veneer = false;
    check_all("plain");
    through_veneer = true;
    check_all("AL_CALLBACK");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
