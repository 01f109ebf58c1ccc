/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a board test says to tests/run.py, over semihosting:
 *
 *     ok NAME
 *     not ok NAME: why
 *     # any note
 *     # done N            N checks ran; nothing follows
 *
 * A test that ends in any other way fails, as does one without a check.
 * docs/tests.md shows one. CHECK may be used by any task and by handlers; it
 * takes about 300 bytes of stack. Nothing here needs the kernel.
 */

#include <stdbool.h>

/*
 * One check. The arguments behind the condition name it, as printf does, with
 * %d %i %u %x %c %s %p and %% (no widths): each check of a test needs a name
 * of its own, for reports and for mutants.
 */
#define CHECK(condition, ...) \
  test_check((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)

void test_check(bool ok, const char *condition, const char *file, int line,
        const char *name, ...) __attribute__((format(printf, 5, 6)));

/* A line for the reader, "# ..." in the log. */
void test_note(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* A line of the test's own. */
void test_say(const char *text, ...) __attribute__((format(printf, 1, 2)));

/* The number behind `text` on the image's command line, else `standard`. */
unsigned test_number(const char *text, unsigned standard);

/* The seed of a random test: n of `SEED=n ./alula test`, else `standard`; a
 * note in the log says which. */
unsigned test_seed(unsigned standard);

/* Ends the test and the emulator. */
_Noreturn void test_done(void);
