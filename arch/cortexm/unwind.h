/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the port's other files ask of the stack walk, beyond kernel/arch.h.
 */

#include <alula/task.h>

/* The walk stands at a function's entry, before its first instruction: only
 * leave it. */
void arch_unwind_entry(struct arch_death *death);

/* Does the chain of actions at `at` clean up, other than by catching? */
bool arch_action_cleans(const uint8_t *at);

/* The frame that the stack check of the function at `pc` is about, from the
 * table of those above the slack; 0: not there. */
uint32_t arch_frame_of(uint32_t pc);

/* Does the call of a cleanup, at the end of its block, come back there? Weak:
 * an image without such calls has no cleanup.c. */
bool arch_closes_scope(uint32_t return_address) __attribute__((weak));

/* Where the function at `pc` begins, or one of its neighbours that is left in
 * the same way. */
uint32_t arch_function_of(uint32_t pc);

/* d8-d15, where there are such: kept over a walk that is only tried. */
void arch_vfp_store(uint32_t d8_to_d15[16]);
void arch_vfp_load(const uint32_t d8_to_d15[16]);
