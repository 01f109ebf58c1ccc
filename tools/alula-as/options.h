/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The options that are ours, and the stated bounds of precompiled functions.
 * Everything else on the command line belongs to the real assembler.
 */

#include "text.h"

enum mode {
    MODE_APP,
    MODE_KERNEL
};

struct bound {
    char *name;
    long bytes;
};

struct options {
    enum mode mode;
    long ram; /* bytes; a larger frame is an error */
    struct bound *bounds;
    int nbounds;
    int bounds_room;
};

/* The largest frame that the table's 20 bits can hold, in bytes. */
enum {
    FRAME_MOST = ((1 << 20) - 1) * 4
};

/* 1: taken; 0: not one of ours; -1: ours and wrong, said so. */
int options_take(struct options *o, const char *argument);

/* The stated bound of a function, -1 without one. */
long options_bound(const struct options *o, struct span name);
void options_ready(struct options *o);
