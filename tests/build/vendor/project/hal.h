/* SPDX-License-Identifier: MIT */
#pragma once

/* A vendor's hardware layer in small: its own tick, and masks. */

#include <stdint.h>

extern volatile uint32_t hal_ticks;

void hal_init(void);
void hal_inc_tick(void);
/* Waits for `ticks` of its own. */
void hal_delay(uint32_t ticks);
/* Adds, with interrupts masked for `loops` rounds. */
uint32_t hal_locked_add(volatile uint32_t *to, uint32_t n, uint32_t loops);
/* Under BASEPRI. */
void hal_raise_and_wait(uint32_t prio, uint32_t loops);
void hal_tim_irq(void);
extern volatile uint32_t hal_tim_calls;
