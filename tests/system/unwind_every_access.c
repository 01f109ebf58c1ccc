/* SPDX-License-Identifier: MIT */
/*
 * Claim: a function may fault at any of its memory accesses, the first one
 * included, and is walked through all the same: its caller's cleanups run, the
 * backtrace names the caller, and its own scopes are undone.
 *
 * A function with twelve loads and stores through twelve pointers, written so
 * that compilers would like to move some in front of what saves registers:
 *  1. for each access in turn, its pointer is bad, the others are good
 *  2. the task died once of a bus fault at that address; the caller's plain
 *     cleanup ran with its own registers; scopes ran newest first; the caller is
 *     in the backtrace right behind the function
 *
 * Fails if: code is compiled with accesses in front of the frame's set-up, or
 * the walk takes the place for another.
 * builds: gcc-Os-small gcc-O0 gcc-Og gcc-O1 gcc-O2 gcc-O3 gcc-Os gcc-O2-lto
 * boards: stm32f405 mps2-an385
 * sources: ../support/recover.c
 * recovers: bus | running |
 *     at any memory access of a function: its caller's landing pads run as
 *     well | fault_to_restart unwind_frame unwind_scope
 */
#include "recover.h"

#define NOINLINE __attribute__((noinline))
#define ACCESSES 12u

static uint32_t good[ACCESSES];
static uint32_t *volatile pointers[ACCESSES];

static NOINLINE uint32_t spend(uint32_t a, uint32_t b, uint32_t c)
{
    __asm__ volatile("" ::: "memory");
    return a + b + c;
}

/* Accesses on a short path, before and after calls, under conditions. */
static NOINLINE uint32_t accesses(
        uint32_t *p0, uint32_t *p1, uint32_t *p2, uint32_t *p3)
{
    uint32_t a = *p0;
    uint32_t b;

    if (a == 77) {
        return 0; /* a path without a call: worth a frame less */
    }
    b = *p1;
    *p2 = a + b;
    a = spend(a, b, *p3);
    b = *pointers[4] + *pointers[5];
    *pointers[6] = b;
    a += spend(*pointers[7], a, b);
    for (uint32_t i = 8; i < 10; i++) {
        a += *pointers[i];
    }
    *pointers[10] = a;
    return a + *pointers[11];
}

static void verify(const uint32_t *v)
{
    rig_note(v[1] == v[0] * 3 ? 'v' : '!');
}

static NOINLINE void caller(uint32_t n)
{
    AL_DEFER(rig_mark, RIG_MARK('b'));
    __attribute__((cleanup(verify))) uint32_t v[2] = {n, n * 3};

    good[0] = accesses(pointers[0], pointers[1], pointers[2], pointers[3]);
    v[0] += 0;
    __asm__ volatile("" ::"r"(v) : "memory");
}

static volatile uint32_t number;

static void body(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    caller(number);
}

static void judge_main(void)
{
    for (number = 0; number < ACCESSES; number++) {
        uint32_t bad = 0x30000000u + number * 4;

        for (uint32_t i = 0; i < ACCESSES; i++) {
            good[i] = i;
            pointers[i] = &good[i];
        }
        CHECK(rig_run(body) == 0 && rig_log_is("vba"), "%d: all good",
                (int)number);
        pointers[number] = (uint32_t *)(uintptr_t)bad;
        CHECK(rig_run(body) == 1 && rig_log_is("vba") &&
                        rig_record.cause == AL_CAUSE_BUS &&
                        rig_record.fault_address == bad &&
                        rig_record.scopes_undone == 2,
                "%d: cause %d, address %x, ran \"%s\"", (int)number,
                (int)rig_record.cause, (unsigned)rig_record.fault_address,
                rig_log());
        CHECK(rig_within(rig_record.pcs[0], (const void *)accesses) &&
                        rig_within(rig_record.pcs[1], (const void *)caller),
                "%d: backtrace", (int)number);
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
