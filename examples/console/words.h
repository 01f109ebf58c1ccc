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

/* What a command about one object can be told to do with it. */
struct verb {
    const char *name;
    bool (*run)(const char *rest); /* false: those words make no sense */
    bool alone;                    /* needs no object */
};

/*
 * Run the verb that `rest` begins with. Without a word, or when the object does
 * not exist and the verb needs it, `show` tells how things are. False: no such
 * verb, or not with those words.
 */
bool verb_run(const struct verb *verbs, size_t count, bool exists,
        void (*show)(void), const char *rest);
