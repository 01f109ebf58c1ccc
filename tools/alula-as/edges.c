/* SPDX-License-Identifier: MIT */
#include "walk.h"

/*
 * Where control goes from an instruction, and with what state.
 *
 * Where a call is followed by a label that branches name, the call may be one
 * that does not return: that edge is weak. Landing pads are entered with the
 * state of the calls they cover.
 */

void walk_fail(struct walk *w, int insn, const char *what, const char *way_out)
{
    if (w->problem.what == NULL) {
        w->problem.item = w->u->insns[insn].item;
        w->problem.what = what;
        w->problem.way_out = way_out;
    }
}

int walk_root(const struct unit *u, int function)
{
    int parent = function != NONE ? u->functions[function].parent : NONE;

    return parent != NONE ? u->symbols[parent].function : function;
}

static int function_of(const struct walk *w, int insn)
{
    return walk_root(w->u, w->u->items[w->u->insns[insn].item].function);
}

static void to_code(struct walk *w, int from, int insn, const struct state *s)
{
    if (function_of(w, insn) != walk_root(w->u, w->function)) {
        walk_fail(w, from, "a jump into the middle of another function",
                "jump to a function's entry, or mark the function by "
                "`@alula: unchecked N'");
        return;
    }
    walk_edge(w, insn * 2, s, false);
}

static void leave(struct walk *w, int insn, const struct state *s)
{
    if (s->depth != 0 || s->bases != BASE_ENTRY) {
        walk_fail(w, insn, "leaves the function with sp not where it was",
                "balance sp in the assembly, or mark the function by "
                "`@alula: unchecked N'");
    }
}

static void follow(
        struct walk *w, int insn, struct span name, const struct state *s)
{
    struct target t = jumps_target(w->u, w->u->insns[insn].item, name);

    switch (t.kind) {
    case TARGET_CODE:
        to_code(w, insn, t.insn, s);
        break;
    case TARGET_FUNCTION:
        if (span_begins(name, "OUTLINED_FUNCTION_")) {
            walk_fail(w, insn,
                    "continues in code that the compiler cut out of several "
                    "functions",
                    "compile with -mno-outline");
        }
        leave(w, insn, s);
        break;
    case TARGET_HERE:
    case TARGET_NOWHERE:
        break;
    case TARGET_UNKNOWN:
        walk_fail(w, insn, "a jump whose target alula-as cannot find",
                "jump to a label, or mark the function by "
                "`@alula: unchecked N'");
    }
}

static void follow_table(struct walk *w, int insn, const struct state *s)
{
    struct unit *u = w->u;

    for (int k = u->insns[insn].table; k != NONE && u->items[k].table;) {
        struct span rest = u->items[k].rest;

        while (rest.n > 0) {
            struct span part = span_part(&rest);

            follow(w, insn, jumps_first_symbol(part), s);
        }
        do {
            k = u->items[k].next;
        } while (k != NONE && !u->items[k].table &&
                 u->items[k].kind != ITEM_INSN);
    }
}

/* A jump through a register that no table stands behind. */
static void follow_unknown(
        struct walk *w, int insn, int reg, const struct state *s)
{
    int root = walk_root(w->u, w->function);
    int label = w->u->functions[root].taken;

    for (int l = reg != 14 ? label : NONE; l != NONE;
            l = w->u->symbols[l].taken_next) {
        to_code(w, insn, unit_label_insn(w->u, w->u->symbols[l].label), s);
    }
    if ((s->depth != 0 || s->bases != BASE_ENTRY) &&
            (reg == 14 || label == NONE)) {
        walk_fail(w, insn, "an indirect jump that alula-as cannot resolve",
                "use a switch or computed goto of the compiler, or mark the "
                "function by `@alula: unchecked N'");
    }
}

static void follow_pc(struct walk *w, int insn, const struct state *before,
        const struct state *s)
{
    const struct insn *i = &w->u->insns[insn];
    struct value v;

    if (i->table != NONE) {
        follow_table(w, insn, s);
    } else if (i->op == OP_POP || i->op == OP_LDM || i->op == OP_LOAD) {
        if (i->op == OP_LOAD && before->depth == s->depth &&
                !flow_literal(w->u, i, &v)) {
            follow_unknown(w, insn, NONE, s);
        } else {
            leave(w, insn, s);
        }
    } else {
        follow_unknown(w, insn,
                i->op == OP_MOV ? insn_register(i->operand[1]) : NONE, s);
    }
}

/* A subroutine that is no function would not be walked. */
static void check_callee(struct walk *w, int insn)
{
    const struct insn *i = &w->u->insns[insn];
    struct target t = jumps_target(
            w->u, i->item, i->count > 0 ? i->operand[0] : span_of(""));

    if (t.kind != TARGET_FUNCTION) {
        walk_fail(w, insn, "a call to a label that is no function",
                "give the label a `.type NAME, %function', or mark the "
                "function by `@alula: unchecked N'");
    }
}

void edges_to_pad(struct walk *w, int insn, const struct state *before)
{
    int pad = w->u->insns[insn].pad;
    struct state s = *before;

    if (pad == NONE) {
        return;
    }
    for (unsigned r = 0; r < 15; r++) {
        if ((0x500fu & 1u << r) != 0) {
            s.r[r] = (struct value){.kind = VALUE_ANY};
        }
    }
    to_code(w, insn, pad, &s);
}

bool walk_executes(const struct insn *i, int path)
{
    if (i->slot != SLOT_THEN && i->slot != SLOT_ELSE) {
        return true;
    }
    return (i->slot == SLOT_THEN) == (path == 0);
}

/* Where an instruction that runs on leads: the paths of an IT block meet
 * behind it, unless another block on its condition follows. */
int edges_next_at(const struct walk *w, const struct insn *i, int path)
{
    bool stays = i->slot != SLOT_OUTSIDE &&
                 (!i->slot_last || w->u->insns[i->next].slot >= SLOT_SAME);

    return i->next * 2 + (stays ? path : 0);
}

/* Flow comes to data. In a compiler's own text that is a place never reached;
 * in an asm statement it may be instructions. 0xdexx is udf. */
static void check_data(struct walk *w, int insn)
{
    const struct unit *u = w->u;
    int k = u->items[u->insns[insn].item].next;

    while (k != NONE && u->items[k].kind != ITEM_DATA) {
        k = u->items[k].next;
    }
    if (k != NONE && u->items[k].statement != NONE &&
            !span_begins(u->items[k].rest, "0xde")) {
        walk_fail(w, insn, "runs into data that may be instructions",
                "write them as instructions, or mark the function by "
                "`@alula: unchecked N'");
    }
}

/* Edges out of an instruction that is executed. */
void edges_execute(struct walk *w, int insn, int path)
{
    const struct insn *i = &w->u->insns[insn];
    struct state before = w->states[w->where[insn * 2 + path]];
    struct state s = before;
    struct effect e;
    bool conditional = (i->flags & INSN_CONDITIONAL) != 0 && i->slot == 0;
    bool calls = i->op == OP_BL || i->op == OP_BLX;

    flow_step(w->u, insn, &s, &e);
    w->by_register |= e.move != MOVE_NONE || e.by_register;
    if (e.problem != NULL) {
        walk_fail(w, insn, e.problem, e.way_out);
    }
    if (i->op == OP_BL) {
        check_callee(w, insn);
    }
    if (i->op == OP_B || i->op == OP_CBZ) {
        follow(w, insn, i->count > 0 ? i->operand[i->count - 1] : span_of(""),
                &s);
    } else if (i->op == OP_BX) {
        follow_unknown(w, insn, insn_register(i->operand[0]), &s);
    } else if (i->op == OP_TABLE) {
        follow_table(w, insn, &s);
    } else if ((insn_defines(i) & 1u << 15) != 0) {
        follow_pc(w, insn, &before, &s);
    } else if (calls || i->op == OP_SVC) {
        edges_to_pad(w, insn, &before);
    }

    bool ends = i->op == OP_B || i->op == OP_BX || i->op == OP_TABLE ||
                i->op == OP_TRAP || (insn_defines(i) & 1u << 15) != 0;
    int next = i->next;

    if (!ends && !calls && i->next_data) {
        check_data(w, insn);
    }
    if (next == NONE || function_of(w, next) != walk_root(w->u, w->function)) {
        if (!ends && !calls && w->u->items[i->item].statement != NONE) {
            leave(w, insn, &s); /* runs on into the next function */
        }
        return;
    }
    if (i->slot >= SLOT_SAME) {
        walk_edge(w, next * 2 + (i->slot == SLOT_SAME ? path : path ^ 1), &s,
                false);
        return;
    }
    if (i->op == OP_IT) {
        walk_edge(w, next * 2, &s, false);
        walk_edge(w, next * 2 + 1, &s, false);
        return;
    }

    int to = edges_next_at(w, i, path);

    if (!ends) {
        walk_edge(w, to, &s, calls && i->next_label);
        if (i->op == OP_TEST && i->slot != 0 && !i->slot_last) {
            walk_edge(w, to ^ 1, &s, false);
        }
    }
    if (conditional) {
        walk_edge(w, to, &before, false);
    }
}
