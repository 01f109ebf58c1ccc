/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands that end interrupt handlers: `irq`, `irq-overflow`, `irq-storm`,
 * `nested`. The task that runs them raises the interrupts, looks what has become
 * of the handlers, and tells. All of it: context task that runs commands.
 */

void interrupts_die(void);
void interrupts_overflow(void);
void interrupts_storm(void);
void interrupts_nested(void);
