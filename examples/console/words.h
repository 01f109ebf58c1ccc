/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Words of a command line. Pure: none of it reads or writes a port.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
    const char *text; /* not ended by a NUL */
    size_t length;    /* 0: there was none */
};

/* Cut the next word off `*at`. */
struct word word_next(const char **at);

/* Is it this name, all of it? */
bool word_is(struct word word, const char *name);

/* A whole number of 32 bits, decimal or 0x and hexadecimal; false if not. */
bool word_number(struct word word, uint32_t *number);

/*
 * Cut off the next word: a number from `least` to `most`. False, and nothing
 * in `*number`, if it is none or there is no word.
 */
bool word_next_number(
        const char **at, uint32_t least, uint32_t most, uint32_t *number);

/* Is there nothing but blanks left? */
bool word_none(const char *at);
