/* SPDX-License-Identifier: MIT */
/*
 * SysTick as a counter of instructions: see count.h. Registers: ARM DDI 0403E,
 * B3.3.
 */
#include "count.h"

#include <alula/irq.h>

#include <board.h>

#include "say.h"

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define ICSR     (*(volatile uint32_t *)0xe000ed04u)

#define SYST_CSR_ENABLE    1u
#define SYST_CSR_CLKSOURCE 4u
#define ICSR_PENDSTCLR     (1u << 25)

/* kernel/time.h */
void al_time_test_by_hand(void);

volatile uint32_t count_from;
volatile uint32_t count_to;

static uint32_t empty; /* what COUNT_OPEN() and COUNT_CLOSE() cost */

uint32_t count_insns(uint32_t to)
{
    uint32_t ticks = (count_from - to) & SYSTICK_MASK;

    /* Each read is short by less than a tick: to the nearest. */
    return (ticks * 5 + TICKS_PER_INSN_TIMES_5 / 2) / TICKS_PER_INSN_TIMES_5 -
           empty;
}

void count_drift(int i)
{
    for (volatile int n = i % 5; n > 0; n--) {
        __asm__ volatile("nop");
    }
}

/* A handler of one instruction; it touches no register. */
void PORT1_ALL_Handler(void);

__attribute__((naked)) void PORT1_ALL_Handler(void)
{
    __asm__ volatile("@alula: unchecked 0\n\tbx lr");
}

static void check(uint32_t to, uint32_t expected)
{
    uint32_t counted = count_insns(to);

    if (counted != expected) {
        say("count: %u instructions read as %u\n", expected, counted);
        board_exit(1);
    }
}

#define CHECK_SEQUENCE(expected, text)                     \
  for (int i = 0; i < 16; i++) {                           \
    count_drift(i);                                        \
    COUNT_OPEN();                                          \
    __asm__ volatile(text ::: "r0", "r1", "cc", "memory"); \
    check(COUNT_CLOSE(), (expected));                      \
  }

void count_start(void)
{
    SYST_CSR = 0;
    ICSR = ICSR_PENDSTCLR;
    SYST_RVR = SYSTICK_MASK;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_CLKSOURCE;
    al_time_test_by_hand();
    COUNT_OPEN();
    empty = count_insns(COUNT_CLOSE());
    al_irq_enable(7, AL_PRIO_IRQ(1)); /* PORT1_ALL */
    CHECK_SEQUENCE(0, "");
    CHECK_SEQUENCE(1, "nop");
    CHECK_SEQUENCE(2, "nop\n\tnop");
    CHECK_SEQUENCE(3, "nop\n\tnop\n\tnop");
    CHECK_SEQUENCE(100, ".rept 100\n\tnop\n\t.endr");
    CHECK_SEQUENCE(1001, ".rept 1001\n\tnop\n\t.endr");
    /* A loop, taken nine times of ten; 1 + 10 * 2. */
    CHECK_SEQUENCE(21, "movs r0, #10\n1:\n\tsubs r0, #1\n\tbne 1b");
    /* An exception: 4 to pend it, its one, and a barrier. */
    CHECK_SEQUENCE(6, "movw r0, #0xe200\n\tmovt r0, #0xe000\n\t"
                      "movs r1, #0x80\n\tstr r1, [r0]\n\tisb");
}
