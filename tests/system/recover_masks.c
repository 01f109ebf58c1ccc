/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that dies with interrupts masked leaves the device listening.
 *
 * For PRIMASK, and BASEPRI at the most and the least urgent value, and both,
 * and each cause (under a mask a fault and a stack check escalate to HardFault):
 *  1. the victim masks and dies; it is its one death, of the right cause
 *  2. when it waits again no mask is set, the tick goes on, and a stack check
 *     traps as it should
 * And: a false alarm of a stack check under a mask is repaired, and the mask
 * stays.
 *
 * Fails if: recovery or restart keeps a mask, or takes an escalated check for
 * a broken device.
 * boards: stm32f405 mps2-an386 mps2-an385; builds: gcc-Os-small-soft gcc-Os-small gcc-O2 clang-O2
 * sources: ../support/recover.c ../support/causes.c
 * flags: -fsanitize=bounds -fno-sanitize-recover=all
 * recovers: overflow null bus undef div0 panic assert | running |
 *     with interrupts masked: the masks are cleared, the task starts again |
 *     fault_to_restart unwind_frame unwind_scope
 */
#include "causes.h"

static void (*volatile die)(void);
static volatile uint32_t primask_before;
static volatile uint32_t basepri_before;
static volatile uint32_t primask_seen;
static volatile uint32_t basepri_seen;

static void mask_and_die(void)
{
    __asm__ volatile("msr basepri, %0\n\tmsr primask, %1" ::"r"(basepri_before),
                     "r"(primask_before)
                     : "memory");
    die();
}

static void look(void)
{
    uint32_t primask;
    uint32_t basepri;

    __asm__ volatile("mrs %0, primask\n\tmrs %1, basepri"
                     : "=r"(primask), "=r"(basepri));
    primask_seen = primask;
    basepri_seen = basepri;
}

__attribute__((noinline)) static uint32_t checked(uint32_t n)
{
    volatile uint32_t local[4] = {n, n, n, n};

    return local[1] + local[2];
}

static volatile uint32_t sum;

/* As precompiled code that calls back leaves r9; see recover_callback_r9.c. */
static void false_alarm(void)
{
    uint32_t primask;
    uint32_t after;

    __asm__ volatile("cpsid i" ::: "memory");
    sum = rig_precompiled(checked, 21, ~0u, &after);
    __asm__ volatile("mrs %0, primask\n\tcpsie i" : "=r"(primask)::"memory");
    primask_seen = primask;
}

static void one(const struct cause *cause, uint32_t primask, uint32_t basepri)
{
    al_time then;

    die = cause->die;
    primask_before = primask;
    basepri_before = basepri;
    CHECK(rig_run(mask_and_die) == 1 && rig_record.cause == cause->cause,
            "%s, primask %d, basepri %x: cause %d", cause->name, (int)primask,
            (unsigned)basepri, (int)rig_record.cause);
    primask_seen = 1;
    (void)rig_run(look);
    CHECK(primask_seen == 0 && basepri_seen == 0,
            "%s, primask %d, basepri %x: left %d, %x", cause->name,
            (int)primask, (unsigned)basepri, (int)primask_seen,
            (unsigned)basepri_seen);
    then = al_now();
    al_sleep(1);
    CHECK(al_now() > then, "%s, primask %d, basepri %x: the tick goes on",
            cause->name, (int)primask, (unsigned)basepri);
    CHECK(rig_run(cause_overflow) == 1 && rig_record.cause == AL_CAUSE_OVERFLOW,
            "%s, primask %d, basepri %x: a check traps", cause->name,
            (int)primask, (unsigned)basepri);
}

static void judge_main(void)
{
    for (uint32_t i = 0; i < causes_count; i++) {
        one(&causes[i], 1, 0);
        one(&causes[i], 0, 0x10);
        one(&causes[i], 0, 0xf0);
        one(&causes[i], 1, 0x10);
    }
    primask_seen = 0;
    CHECK(rig_run(false_alarm) == 0 && sum == 42 && primask_seen == 1,
            "a false alarm under a mask: %d, %d", (int)sum, (int)primask_seen);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
