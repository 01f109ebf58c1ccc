/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Interrupt handlers. AL_IRQ defines one under its vector's name; its body is
 * ordinary checked C that runs on the interrupt stack and may call whatever
 * says "irq" or "any" in its contract. The kernel never masks an interrupt:
 * every one outranks it.
 */

#include <alula/types.h>

#include <arch/port.h>

AL_EXTERN_C_BEGIN

/* AL_PRIO_IRQ(0) .. AL_PRIO_IRQ(AL_IRQ_LEVELS-1) may be used. */
#define AL_IRQ_LEVELS ARCH_IRQ_LEVELS

/**
 * Define the handler of an interrupt; a body in braces follows.
 *
 * @param vector  the vector's name in the chip's table, e.g. TIM2_IRQHandler
 * @cost      4 instructions before the body, 1 after it
 */
#define AL_IRQ(vector)                            \
  AL_EXTERN_C_BEGIN                               \
  void vector(void);                              \
  __attribute__((used)) void vector##_body(void); \
  AL_EXTERN_C_END                                 \
  ARCH_IRQ_VENEER(vector, vector##_body)          \
  void vector##_body(void)

/**
 * Enable interrupt line `line` at priority `prio`.
 *
 * @param[in] line  number of the line in the chip's interrupt controller
 * @param[in] prio  AL_PRIO_IRQ(0) .. AL_PRIO_IRQ(AL_IRQ_LEVELS-1)
 * @context   any
 * @panics    IRQ.1  priority out of range
 */
void al_irq_enable(uint32_t line, al_prio prio);

/**
 * Disable interrupt line `line`; a handler that runs is let finish.
 *
 * @context   any
 */
void al_irq_disable(uint32_t line);

AL_EXTERN_C_END
