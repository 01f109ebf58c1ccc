/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A journal: who did something, in order, one character each; what comes after
 * the 63rd is dropped. Every board test has it. Tasks note, one at a time:
 * whoever may be interrupted by another that notes is not for it.
 */

#include <stdbool.h>

void journal_note(char what);
void journal_clear(void);

/* What was noted since journal_clear(). */
const char *journal(void);
unsigned journal_length(void);
bool journal_is(const char *expected);
