/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Walks a function: the state of sp and the registers before every
 * instruction that can be reached, by iteration to a fixed point.
 *
 * Each instruction has two states, because an IT block is walked as two
 * paths, one on which its condition holds and one on which it does not.
 */

#include "flow.h"

struct call {
    int insn;
    int symbol; /* NONE: through a register, unknown */
    int32_t depth;
    uint8_t bases;
    bool tail;
};

struct problem {
    int item;
    const char *what;
    const char *way_out;
};

struct walk {
    struct unit *u;
    int function;
    int *where; /* [insn * 2 + path]: index into states, or NONE */
    struct state *states;
    int nstates;
    int states_room;
    int *seen; /* the insn * 2 + path that have a state */
    int nseen;
    int seen_room;
    int *work; /* a heap: earliest instruction first */
    int nwork;
    int work_room;
    struct weak {
        int to;
        struct state state;
    } * weak;
    int nweak;
    int weak_room;
    bool by_register; /* a register moves sp, so that numbers matter */
    int doubtful;     /* a head where a number was contradicted, or NONE */
    uint16_t doubts;  /* the registers there */
    struct problem problem; /* the first; .what is NULL when there is none */
};

/* For edges.c: follow an edge to insn * 2 + path; note the first problem. */
void walk_edge(struct walk *w, int to, const struct state *s, bool weak);
void walk_fail(struct walk *w, int insn, const char *what, const char *way_out);

/* edges.c */
void edges_execute(struct walk *w, int insn, int path);
void edges_to_pad(struct walk *w, int insn, const struct state *before);
int edges_next_at(const struct walk *w, const struct insn *i, int path);

/* walk.c */
void walk_function(struct walk *w, int function);
void walk_forget(struct walk *w);
int walk_root(const struct unit *u, int function);
bool walk_executes(const struct insn *i, int path);
struct call walk_call(struct unit *u, int insn, const struct state *before);
