/* SPDX-License-Identifier: MIT */
/*
 * Claim: an image for soft floating point (alula_firmware(... FLOAT soft)) runs
 * with the FPU off.
 *   1. the FPU is not switched on, and a task's numbers are right across
 *      switches of both kinds
 *   2. an instruction of the FPU ends its task: an undefined instruction
 *   3. a stack overflow, found by a check, is the task's end as elsewhere
 * Fails if: start-up switches the FPU on, or an entry saves its registers.
 * boards: stm32f405 mps2-an386; builds: gcc-Os-small-soft gcc-O2-soft clang-O2-soft
 * sources: ../support/recover.c
 * recovers: undef | running |
 *     an instruction of an FPU that is off ends its task | fault_to_restart
 *     unwind_frame unwind_scope
 */
#include "../support/recover.h"

#define CPACR (*(volatile uint32_t *)0xe000ed88u)

static struct al_sem ask = AL_SEM_INIT(0, 1);
static struct al_sem answer = AL_SEM_INIT(0, 1);
static volatile float asked;
static volatile float answered;

static void worker_main(void)
{
    for (;;) {
        al_sem_take(&ask);
        answered = asked * 1.5f + 1;
        al_sem_give(&answer);
    }
}

AL_TASK(worker, worker_main, 2, 1024);

/* VMOV s0, r0, which no assembler takes for soft floating point. */
static void use_fpu(void)
{
    __asm__ volatile("@alula: depth 0\n.inst.w 0xee000a10" ::: "memory");
}

static int deep(volatile int *above)
{
    volatile int here[32];

    here[0] = *above + 1;
    return here[0] == 0 ? 0 : deep(here) + here[0];
}

static void overflow(void)
{
    volatile int start = 0;

    start = deep(&start);
}

static void judge_main(void)
{
    CHECK(CPACR == 0, "the FPU is off");
    for (unsigned i = 0; i < 3; i++) {
        asked = (float)i;
        al_sem_give(&ask);
        al_sem_take(&answer);
        CHECK(answered == (float)i * 1.5f + 1, "number %u", i);
    }
    CHECK(rig_run(use_fpu) == 1 && rig_record.cause == AL_CAUSE_UNDEF,
            "an instruction of the FPU: cause %u", (unsigned)rig_record.cause);
    CHECK(rig_run(overflow) == 1 && rig_record.cause == AL_CAUSE_OVERFLOW,
            "an overflow: cause %u", (unsigned)rig_record.cause);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
