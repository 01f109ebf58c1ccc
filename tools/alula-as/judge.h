/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Judges a function after its walk: how deep it goes, which checks it needs,
 * and what in it cannot be checked.
 */

#include "options.h"
#include "walk.h"

/* What .alula.fn calls the form of the check. */
enum form {
    FORM_NONE = 0,
    FORM_SMALL = 1,
    FORM_LARGE = 2,
    FORM_IP_FREE = 3,
    FORM_INTERNAL = 5,  /* of the kernel: unchecked */
    FORM_UNCHECKED = 6, /* by annotation */
    FORM_RAW = 7,       /* a raw interrupt handler: unchecked, frame known */
    FORM_VARIABLE = 0x40
};

/* Where sp moves by an unknown amount. */
struct site {
    int insn;
    struct effect effect;
    int32_t depth;
    bool variable;
    int scratch; /* a dead register, or NONE: saved around the check */
    int flags;   /* another one, for the flags */
    bool flags_live;
};

/* An addition that rounds a size up, and must not carry out. */
struct rounding {
    int insn;
    uint32_t mask;
    int flags;       /* a dead register for the flags, or NONE */
    bool same_block; /* as the move of sp: trap here, else make it huge */
    bool flags_live;
};

struct verdict {
    int32_t own;       /* the fixed part's deepest sp */
    int32_t effective; /* what the entry check covers */
    int32_t variable;  /* deepest variable state with callees' bounds, or -1 */
    bool ip_live;
    bool calls;
    long args; /* bytes; -1 unknown */
    int form;
    struct site *sites;
    int nsites;
    int sites_room;
    struct rounding *roundings;
    int nroundings;
    int roundings_room;
};

void judge_function(struct walk *w, const struct options *o, struct verdict *v);

/* live.c: may `reg` (or the flags, REG_FLAGS) be read after `insn`? */
enum {
    REG_FLAGS = 16
};
bool live_after(struct walk *w, int insn, int reg);
