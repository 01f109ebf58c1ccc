/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The abstract machine: what is known of sp and the registers before an
 * instruction, and what the instruction makes of it.
 *
 * Depth counts bytes from the function's entry downwards. Where sp has moved
 * by an amount that only the program knows, the state is variable and that
 * amount counts as zero. What the checks then guarantee, and all code here
 * relies on: in a variable state of depth d, the true sp is at least
 * floor + (deepest variable depth of the function - d).
 */

#include "unit.h"

enum value_kind {
    VALUE_ANY,
    VALUE_CONST,  /* n */
    VALUE_SP,     /* the sp of a state of depth n; `mask`: its bases */
    VALUE_GROWN,  /* any + a small constant, by instruction n; `mask`: the bits
                     cleared since: a size that was rounded up */
    VALUE_CUT,    /* sp - size, later perhaps aligned; n, mask: the size's */
    VALUE_LOADED, /* read from memory */
    VALUE_SYMBOL, /* address of symbol n */
    VALUE_ENTRY   /* what the register held at the function's entry */
};

struct value {
    enum value_kind kind : 8;
    uint32_t mask : 24;
    int32_t n;
};

enum {
    SLOTS = 4
};

struct kept {
    int32_t at; /* depth */
    struct value v;
};

enum base {
    BASE_ENTRY = 1, /* sp at the entry */
    BASE_MOVED = 2  /* that less an unknown amount: the state is variable */
};

struct state {
    int32_t depth;
    uint8_t bases;            /* what depth is counted from: one of these */
    bool queued;              /* in the walk's work list */
    struct value r[15];       /* [13] unused */
    struct kept slots[SLOTS]; /* slot.c; VALUE_ANY: empty */
};

/* How an instruction moves sp by an unknown amount. */
enum move {
    MOVE_NONE,
    MOVE_DROP,    /* sub sp, sp, rX */
    MOVE_CUT,     /* mov sp, rX where rX = sp - size */
    MOVE_RESTORE, /* mov sp, rX where rX was saved in memory */
    MOVE_RELOAD   /* ldr sp, [rX, #n] */
};

struct effect {
    int32_t deepest; /* reached by the instruction itself */
    bool moves_sp;
    bool by_register; /* by a number in a register */
    bool above;       /* reaches the caller's frame: stack arguments */
    enum move move;
    int size;      /* DROP: the size register; else the new sp's */
    int grown;     /* the addition that rounded the size up, or NONE */
    uint32_t mask; /* to a multiple of mask + 1 */
    const char *problem;
    const char *way_out;
};

/* value.c */
struct value value_any(void);
struct value value_number(long long n);
bool value_is_sp(struct value v);
struct value value_get(const struct state *s, int r);
struct value value_operand(
        struct unit *u, const struct insn *i, const struct state *s, int k);
struct value value_result(struct unit *u, int insn, const struct state *s);

/* flow.c */
void flow_entry(struct state *s);
void flow_step(struct unit *u, int insn, struct state *s, struct effect *e);
/* value.c: what `ldr rX, label` or `ldr rX, =value` loads. */
bool flow_literal(struct unit *u, const struct insn *i, struct value *v);

/* slot.c */
void slot_store(const struct insn *i, struct state *s);
struct value slot_load(const struct insn *i, const struct state *s);
bool slot_join(struct state *into, const struct state *from);

/* state.c */
bool state_join(struct state *into, const struct state *from, bool *conflict);
bool state_same(const struct state *a, const struct state *b);
struct state state_at_head(const struct insn *i, const struct state *s);
uint16_t state_contradicted(const struct state *a, const struct state *b);
