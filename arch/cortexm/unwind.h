/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the port's other files ask of the stack walk, beyond kernel/arch.h.
 */

#include <alula/task.h>

/* The walk stands at a function's entry, before its first instruction: only
 * leave it. */
void arch_unwind_entry(struct arch_death *death);
