/* SPDX-License-Identifier: MIT */
/*
 * Claim: precompiled code may leave anything in the limit register and call
 * back. A check that traps falsely is repaired; through AL_CALLBACK the
 * limit is right in any case, so that an overflow is caught; recovery and
 * restart do not believe the register.
 *
 * A function in assembly plays the precompiled code: it sets r9 and calls.
 *  1. without a veneer, r9 = ~0: the check traps, the call comes back with the
 *     right result, nobody died
 *  2. with a veneer, r9 = 0, ~0, and the limit of another task: the callee has
 *     its own task's limit, the caller has its own r9 back
 *  3. with a veneer, a callee that recurses without end dies of an overflow in
 *     time, r9 = 0 before; its scopes are undone
 *  4. a callee that dies at once, with r9 = 0 and ~0, with and without veneer:
 *     the next life has the right limit in r9
 *
 * Fails if: svc returns with the garbage, the veneer does not load the limit,
 * or restart does not.
 * boards: stm32f405 mps2-an385; builds: gcc-O0 gcc-O2 clang-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

static volatile uint32_t r9_in_callee;
static volatile uint32_t r9_at_start;
static volatile uint32_t r9_after;
static volatile uint32_t result;
static volatile uint32_t garbage;
static volatile uint32_t zero;

static uint32_t read_r9(void)
{
    uint32_t r9;

    __asm__ volatile("mov %0, r9" : "=r"(r9));
    return r9;
}

__attribute__((used, noinline)) static uint32_t callee(uint32_t n)
{
    volatile uint32_t local[4] = {n, n, n, n};

    r9_in_callee = read_r9();
    return local[1] + local[2];
}

__attribute__((used, noinline)) static uint32_t recursion(uint32_t n)
{
    volatile uint32_t local[8];

    local[n & 7] = n;
    return n == 0 ? 0 : recursion(n - 1) + local[n & 7];
}

__attribute__((used, noinline)) static uint32_t dies(uint32_t n)
{
    AL_DEFER(rig_mark, RIG_MARK('d'));
    if (n != 0) {
        al_panic("test");
    }
    return 0;
}

static void call(uint32_t (*fn)(uint32_t), uint32_t argument)
{
    uint32_t after = 0;

    AL_DEFER(rig_mark, RIG_MARK('a'));
    r9_in_callee = 0;
    result = rig_precompiled(fn, argument, garbage, &after);
    r9_after = after;
}

static void bare(void)
{
    call(callee, 21);
}

static void veneer(void)
{
    call(AL_CALLBACK(callee), 21);
}

static void veneer_recursion(void)
{
    call(AL_CALLBACK(recursion), 100000 + zero);
}

static void bare_dies(void)
{
    call(dies, 1);
}

static void veneer_dies(void)
{
    call(AL_CALLBACK(dies), 1);
}

static void look(void)
{
    r9_at_start = read_r9();
}

static void judge_main(void)
{
    uint32_t limit = rig_victim.limit;
    uint32_t garbages[3] = {0, ~0u, al_task_self()->limit};

    CHECK(rig_run(look) == 0 && r9_at_start == limit, "limit of a life");
    garbage = ~0u;
    CHECK(rig_run(bare) == 0 && result == 42, "false alarm: %d", (int)result);
    CHECK(r9_in_callee == limit, "false alarm: repaired");
    for (int i = 0; i < 3; i++) {
        garbage = garbages[i];
        result = 0;
        CHECK(rig_run(veneer) == 0 && result == 42, "veneer, r9 %x: %d",
                (unsigned)garbage, (int)result);
        CHECK(r9_in_callee == limit, "veneer, r9 %x: limit in the callee",
                (unsigned)garbage);
        CHECK(r9_after == garbage, "veneer, r9 %x: given back",
                (unsigned)garbage);
        CHECK(rig_run(veneer_recursion) == 1 &&
                        rig_record.cause == AL_CAUSE_OVERFLOW &&
                        rig_log_is("a"),
                "veneer, r9 %x: overflow", (unsigned)garbage);
        CHECK(rig_record.sp >= rig_victim.limit - 64 &&
                        rig_record.sp < rig_victim.limit + 128,
                "veneer, r9 %x: overflow in time", (unsigned)garbage);
        CHECK(rig_run(bare_dies) == 1 && rig_log_is("da"), "bare death, r9 %x",
                (unsigned)garbage);
        CHECK(rig_run(look) == 0 && r9_at_start == limit,
                "bare death, r9 %x: the next life's limit", (unsigned)garbage);
        CHECK(rig_run(veneer_dies) == 1 && rig_log_is("da"),
                "veneer death, r9 %x", (unsigned)garbage);
        CHECK(rig_run(look) == 0 && r9_at_start == limit,
                "veneer death, r9 %x: the next life's limit",
                (unsigned)garbage);
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
