/* SPDX-License-Identifier: MIT */
/*
 * Claim: with AL_CFG_IRQ_LINES=8 the vector table ends behind line 7, and what
 * a line beyond does is the caller's panic.
 *   1. lines 6 and 7 interrupt: one has a handler, one has none and is recorded
 *   2. enabling or disabling line 8 panics, as does a line that no chip has
 *   3. the table is as long as the option says
 * Fails if: the table is cut elsewhere than the calls say.
 * boards: stm32f405; builds: gcc-Os-small gcc-O2 clang-O2
 * sources: ../support/recover.c
 * options: AL_CFG_IRQ_LINES=8
 */
#include "../support/recover.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define ISPR         REG(0xe000e200u)
#define ISER         REG(0xe000e100u)

extern const uint32_t __al_vectors[];
extern const uint32_t __al_kernel_low[];

static volatile unsigned handled;

static void enable_beyond(void)
{
    al_irq_enable(8, AL_PRIO_IRQ(0));
}

static void disable_beyond(void)
{
    al_irq_disable(8);
}

static void enable_far(void)
{
    al_irq_enable(1000, AL_PRIO_IRQ(0));
}

static void (*const wrong[])(void) = {
        enable_beyond, disable_beyond, enable_far};

AL_IRQ(EXTI0_IRQHandler)
{
    handled++;
}

static void judge_main(void)
{
    struct al_crash_record record;

    al_irq_enable(6, AL_PRIO_IRQ(0));
    ISPR = 1u << 6;
    CHECK(handled == 1, "line 6 is handled");
    al_irq_enable(7, AL_PRIO_IRQ(0));
    ISPR = 1u << 7;
    CHECK(al_crash_read(al_crash_count(), &record) == AL_OK &&
                    record.cause == AL_CAUSE_INTERRUPT && record.detail[0] == 7,
            "line 7 is recorded");
    CHECK((ISER & 0xc0) == 0x40, "line 7 is disabled, line 6 is not");
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t died = rig_run(wrong[i]);

        CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                        rig_record.detail[0] == 5 && rig_record.detail[1] == 3,
                "wrong use %u", i);
    }
    CHECK(__al_kernel_low == __al_vectors + 16 + 8, "the table is cut");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
