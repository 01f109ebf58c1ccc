/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A line of input as it is typed: what each byte does to it, and what the
 * terminal is to show for it. Pure: it neither reads nor writes.
 *
 * CR, LF and CR LF end a line; backspace and DEL take a character back; Ctrl-C
 * drops the line; byte 4 (Ctrl-D) ends the input; cursor keys and other control
 * characters do nothing. A line that grows too long is kept out as a whole.
 */

#include <stdbool.h>
#include <stddef.h>

#define LINE_MAX 80

enum line_event {
    LINE_GROWS,    /* go on */
    LINE_IS_WHOLE, /* text[] is a line */
    LINE_TOO_LONG, /* it was longer than LINE_MAX */
    LINE_DROPPED,  /* Ctrl-C */
};

struct line {
    char text[LINE_MAX + 1]; /* ends in NUL when it is whole */
    size_t length;           /* characters; LINE_MAX + 1: too long */
    bool after_cr;           /* the last byte was a CR: an LF belongs to it */
    bool ended;              /* end of input was read; nothing comes after */
    unsigned char escape;    /* bytes of an escape sequence so far, at most 2 */
    const char *echo;        /* what the terminal is to show now; its bytes */
    size_t echo_count;       /* are text's or constant */
};

/* Make `line` empty for the next one. */
void line_begin(struct line *line);

/**
 * Take `byte` in.
 *
 * @param[inout] line  line_begin() first, and after each event but LINE_GROWS
 * @return    what has become of the line; `echo` is set in any case
 */
enum line_event line_take(struct line *line, unsigned char byte);
