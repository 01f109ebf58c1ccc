/* SPDX-License-Identifier: MIT */
/*
 * SysTick as a counter of instructions: see count.h. Registers: ARM DDI 0403E,
 * B3.3.
 */
#include "count.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define ICSR     (*(volatile uint32_t *)0xe000ed04u)

#define SYST_CSR_ENABLE    1u
#define SYST_CSR_CLKSOURCE 4u
#define ICSR_PENDSTCLR     (1u << 25)

volatile uint32_t count_from;
volatile uint32_t count_to;

void count_start(void)
{
    SYST_CSR = 0;
    ICSR = ICSR_PENDSTCLR;
    SYST_RVR = SYSTICK_MASK;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_CLKSOURCE;
}

uint32_t count_gross(uint32_t to)
{
    uint32_t ticks = (count_from - to) & SYSTICK_MASK;

    /* Each read is short by less than a tick: to the nearest. */
    return (ticks * 5 + TICKS_PER_INSN_TIMES_5 / 2) / TICKS_PER_INSN_TIMES_5;
}
