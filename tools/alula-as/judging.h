/* SPDX-License-Identifier: MIT */
#pragma once

/* Between judge.c and variable.c: a judgement that is under way. */

#include "judge.h"

struct judge {
    struct walk *w;
    const struct options *o;
    struct verdict *v;
    bool interrupt;
    uint32_t aligned; /* largest mask that aligns an address in the stack */
    bool tail;        /* continues in another function */
    bool above;       /* touches the caller's frame */
};

/* judge.c */
void judge_complain(
        struct judge *j, int insn, const char *what, const char *way_out);
void judge_deepen(
        struct judge *j, int32_t own, int32_t effective, unsigned bases);

/* variable.c */
void variable_alignment(
        struct judge *j, const struct insn *i, const struct state *before);
void variable_site(struct judge *j, int insn, const struct state *before,
        const struct effect *e);
void variable_rounding(struct judge *j, const struct site *site);
