/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counting instructions by SysTick under QEMU's `-icount shift=7`, where one
 * instruction lasts 128 ns and SysTick counts every 40 ns: 3.2 ticks, so that
 * no two neighbouring counts read alike. Exceptions take no time of their own
 * there: what is counted is instructions, of handlers too.
 *
 * COUNT_OPEN() and COUNT_CLOSE() are whole sequences, so that the compiler can
 * move nothing of them into or out of what they enclose; they keep no register,
 * so that arguments are set up in between, as in a function that does nothing
 * else. What they cost themselves is measured and taken off.
 *
 * SysTick is the kernel's tick: count_start() takes it over for good, without
 * its interrupt. Time stands still afterwards, but for ticks pended by hand.
 */

#include <alula/types.h>

#define TICKS_PER_INSN_TIMES_5 16u /* 128 ns / 40 ns */
#define SYSTICK_MASK           0xffffffu

/* The SysTick count at the last COUNT_OPEN(), and at an entry's stamp. */
extern volatile uint32_t count_from;
extern volatile uint32_t count_to;

#define COUNT_READ_(reg)      \
  "movw " reg ", #0xe018\n\t" \
  "movt " reg ", #0xe000\n\t" \
  "ldr " reg ", [" reg "]\n\t"

#define COUNT_ADDRESS_(reg, name)        \
  "movw " reg ", #:lower16:" name "\n\t" \
  "movt " reg ", #:upper16:" name "\n\t"

#define COUNT_OPEN()                                        \
  __asm__ volatile(COUNT_ADDRESS_("r2", "count_from")       \
                           COUNT_READ_("r3") "str r3, [r2]" \
                   :                                        \
                   :                                        \
                   : "r0", "r1", "r2", "r3", "ip", "lr", "memory")

#define COUNT_CLOSE()                                                  \
  __extension__({                                                      \
  register uint32_t count_now_ __asm__("r3"); /* r0 has a result */    \
  __asm__ volatile(COUNT_READ_("r3") : "=r"(count_now_) : : "memory"); \
  count_now_;                                                          \
  })

/* COUNT_OPEN(), then pend an interrupt by one store of `bits` to `reg`, both at
 * hand; it is taken there. A barrier of two instructions follows. */
#define COUNT_OPEN_AND_PEND(reg, bits)                                    \
  do {                                                                    \
    volatile uint32_t *pend_at_ = &(reg);                                 \
    uint32_t pend_bits_ = (bits);                                         \
    __asm__ volatile("" : "+r"(pend_at_), "+r"(pend_bits_));              \
    COUNT_OPEN();                                                         \
    __asm__ volatile(                                                     \
            "str %1, [%0]\n\tdsb\n\tisb" ::"r"(pend_at_), "r"(pend_bits_) \
            : "memory");                                                  \
  } while (0)

/* First in a handler or a naked function: leaves the count in count_to. */
#define COUNT_STAMP_ASM            \
  COUNT_READ_("r3")                \
  COUNT_ADDRESS_("r2", "count_to") \
  "str r3, [r2]\n\t"

/* SysTick becomes a free-running counter; sequences of known length are
 * counted. A wrong count ends the program. */
void count_start(void);

/* Instructions between COUNT_OPEN() and the read that gave `to`. */
uint32_t count_insns(uint32_t to);

/* Moves SysTick's phase against the instructions, differently for the first
 * five: 16 ticks are 5 instructions. */
void count_drift(int i);
