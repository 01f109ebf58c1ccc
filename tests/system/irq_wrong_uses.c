/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of interrupts or of the time ends the caller, named
 * MODULE.n, and changes nothing.
 *   1. a priority below or above the interrupts' ones, or a task's; a line that
 *      the chip does not have, also one whose register would lie in RAM
 *   2. a tick told by a task; more ticks skipped than may be
 *   3. afterwards the interrupt controller and the time are what they were
 * Fails if: a check of CALLER_MUST is dropped.
 * builds: gcc-O2 clang-O2
 * sources: ../support/recover.c
 */
#include "../support/recover.h"

#define NVIC(offset) (*(volatile uint32_t *)(0xe000e000u + (offset)))

static volatile uint32_t guard[4] = {1, 2, 3, 4};

static void prio_of_a_task(void)
{
    al_irq_enable(3, 5);
}

static void prio_below(void)
{
    al_irq_enable(3, (al_prio)(AL_PRIO_IRQ(0) - 1));
}

static void prio_above(void)
{
    al_irq_enable(3, AL_PRIO_IRQ(AL_IRQ_LEVELS));
}

static void line_above(void)
{
    al_irq_enable(96, AL_PRIO_IRQ(0));
}

/* Its priority's register would be in `guard`. */
static void line_in_ram(void)
{
    al_irq_enable((uint32_t)guard - 0xe000e400u, AL_PRIO_IRQ(0));
}

static void line_most(void)
{
    al_irq_enable(0xffffffffu, AL_PRIO_IRQ(0));
}

static void disable_above(void)
{
    al_irq_disable(96);
}

static void tick_by_a_task(void)
{
    al_irq_tick();
}

static void skip_too_many(void)
{
    al_time_skip(AL_TIME_SKIP_MAX + 1);
}

static void skip_most(void)
{
    al_time_skip(0xffffffffu);
}

static const struct {
    const char *name;
    void (*run)(void);
    uint32_t module, number; /* kernel/panics.def */
} cases[] = {
        {"a task's priority", prio_of_a_task, 5, 1},
        {"a priority below all", prio_below, 5, 1},
        {"a priority above all", prio_above, 5, 1},
        {"a line above all", line_above, 5, 3},
        {"a line in RAM", line_in_ram, 5, 3},
        {"the largest line", line_most, 5, 3},
        {"a line above all, disabled", disable_above, 5, 3},
        {"a tick told by a task", tick_by_a_task, 5, 2},
        {"one tick too many skipped", skip_too_many, 9, 8},
        {"the most ticks skipped", skip_most, 9, 8},
};

static void judge_main(void)
{
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t enabled[3] = {NVIC(0x100), NVIC(0x104), NVIC(0x108)};
        al_time before = al_now();
        uint32_t died = rig_run(cases[i].run);

        CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                        rig_record.detail[0] == cases[i].module &&
                        rig_record.detail[1] == cases[i].number,
                "%s: %u.%u", cases[i].name, (unsigned)rig_record.detail[0],
                (unsigned)rig_record.detail[1]);
        CHECK(enabled[0] == NVIC(0x100) && enabled[1] == NVIC(0x104) &&
                        enabled[2] == NVIC(0x108) && al_now() - before < 50,
                "%s: nothing has changed", cases[i].name);
    }
    CHECK(guard[0] == 1 && guard[1] == 2 && guard[2] == 3 && guard[3] == 4,
            "memory is what it was");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
