/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What has become of the task that runs commands, and of the 1 kHz task's
 * deadlines, when a command brought somebody's death about.
 */

#include <alula/types.h>

/* The command task: a command begins, or is over. */
void outcome_begin(void);
void outcome_end(void);

/* It has said what it will do: time counts from here. */
void outcome_mark(void);

/* The command task's entry: if a command had begun, it died of that. */
void outcome_start(void);

/* The reader, after each command: a line, if there was a death. */
void outcome_tell(void);

/* A free-running counter, and what a difference of it is in instructions. */
uint32_t outcome_counter(void);
uint32_t outcome_insns(uint32_t counts);
