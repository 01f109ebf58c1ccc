/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Text: slices of the input, growing buffers, growing arrays.
 *
 * Nothing here is ever freed: the tool runs once per assembly file and its
 * memory goes back with the process. Running out of memory ends the process.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A slice of a longer text; not terminated. */
struct span {
    const char *at;
    size_t n;
};

struct buf {
    char *p;
    size_t n;
    size_t room;
};

void *mem_grow(void *old, size_t bytes);
char *mem_text(const char *format, ...);

bool span_is(struct span s, const char *text);
bool span_begins(struct span s, const char *text);
bool span_same(struct span a, struct span b);
struct span span_of(const char *text);
struct span span_trim(struct span s);

/* True and *value set when all of `s` is one integer, with or without '#'. */
bool span_number(struct span s, long long *value);

/* Take the next comma-separated part off *rest; brackets keep it together. */
struct span span_part(struct span *rest);

/* Take the next word (up to white space) off *rest. */
struct span span_word(struct span *rest);

void buf_put(struct buf *b, const char *at, size_t n);
void buf_text(struct buf *b, const char *text);
void buf_format(struct buf *b, const char *format, ...);
bool buf_read(struct buf *b, FILE *in);

/* Append room for one element to the array `v` of `n` elements. */
#define VEC_ADD(v, n, room)                                                   \
  ((n) == (room) ? ((room) = (room) != 0 ? (room)*2 : 16,                     \
                           (v) = mem_grow((v), (size_t)(room) * sizeof *(v)), \
                           &(v)[(n)++])                                       \
                 : &(v)[(n)++])
