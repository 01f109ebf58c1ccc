/* SPDX-License-Identifier: MIT */
#include "walk.h"

/*
 * Edges between instructions, joins of states, and the iteration.
 *
 * Where a call is followed by a label that branches name, the call may be one
 * that does not return: that edge is followed last, and dropped when it
 * contradicts the others. Landing pads are entered with the state of the
 * calls they cover; of other instructions only when they cover no call.
 */

#include <string.h>

static void fail(
        struct walk *w, int insn, const char *what, const char *way_out)
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

static bool join_value(struct value *into, const struct value *from)
{
    bool same = into->kind == from->kind && into->n == from->n;

    if (into->kind == VALUE_ANY || (same && into->mask == from->mask)) {
        return false;
    }
    if (same && into->kind == VALUE_SP) {
        into->mask |= from->mask;
    } else {
        *into = (struct value){.kind = VALUE_ANY};
    }
    return true;
}

/* Join `from` into `into`; true when that changed it. */
static bool is_number(const struct value *v)
{
    return v->kind == VALUE_CONST || v->kind == VALUE_GROWN ||
           v->kind == VALUE_CUT || v->kind == VALUE_SYMBOL;
}

static bool join(struct state *into, const struct state *from, bool *conflict)
{
    bool changed = false;

    if (into->depth != from->depth) {
        if (into->bases == BASE_ENTRY && from->bases == BASE_ENTRY) {
            *conflict = true;
            return false;
        }
        /* What holds for the true sp at the deeper mark holds at both. */
        if (from->depth > into->depth) {
            into->depth = from->depth;
            changed = true;
        }
    }
    if ((from->bases & ~into->bases) != 0) {
        into->bases |= from->bases;
        changed = true;
    }
    for (int r = 0; r < 15; r++) {
        changed |= join_value(&into->r[r], &from->r[r]);
    }
    return changed;
}

enum {
    DEPTH_MOST = 1 << 28,
    WALKS_MOST = 64
};

static void push_work(struct walk *w, int at)
{
    struct state *s = &w->states[w->where[at]];
    int k = w->nwork;

    if (s->queued) {
        return;
    }
    s->queued = true;
    *VEC_ADD(w->work, w->nwork, w->work_room) = at;
    for (; k > 0 && w->work[(k - 1) / 2] > at; k = (k - 1) / 2) {
        w->work[k] = w->work[(k - 1) / 2];
    }
    w->work[k] = at;
}

static int pop_work(struct walk *w)
{
    int at = w->work[0];
    int last = w->work[--w->nwork];
    int k = 0;

    for (int child; (child = 2 * k + 1) < w->nwork; k = child) {
        child += child + 1 < w->nwork && w->work[child + 1] < w->work[child];
        if (last <= w->work[child]) {
            break;
        }
        w->work[k] = w->work[child];
    }
    if (w->nwork > 0) {
        w->work[k] = last;
    }
    w->states[w->where[at]].queued = false;
    return at;
}

/* A number that the loop which begins here writes is unknown from the first
 * turn on. Saved values of sp are left to the joins: the text between head and
 * end may hold an epilogue that is no part of the loop. */
static struct state at_head(const struct insn *i, const struct state *s)
{
    struct state head = *s;

    head.queued = false;
    for (unsigned set = i->varies & 0x5fffu; set != 0; set &= set - 1) {
        struct value *v = &head.r[__builtin_ctz(set)];

        if (is_number(v)) {
            *v = (struct value){.kind = VALUE_ANY};
        }
    }
    return head;
}

static bool same(const struct state *a, const struct state *b)
{
    struct state joined = *a;
    bool conflict = false;

    return a->depth == b->depth && a->bases == b->bases &&
           !join(&joined, b, &conflict);
}

/* A number that another path contradicts has been used already, perhaps to
 * move sp: note it for another walk, in which it is unknown from the start. */
static void note_numbers(
        struct walk *w, int to, const struct state *a, const struct state *b)
{
    for (int r = 0; r < 15 && w->doubtful == NONE; r++) {
        struct value v = a->r[r];

        if (is_number(&a->r[r]) && join_value(&v, &b->r[r])) {
            w->doubtful = to / 2;
            w->doubtful_register = r;
        }
    }
}

static void reach(struct walk *w, int to, const struct state *from)
{
    const struct insn *i = &w->u->insns[to / 2];
    struct state s = at_head(i, from);
    int *where = &w->where[to];
    bool conflict = false;

    if (s.depth > DEPTH_MOST) {
        fail(w, to / 2, "sp sinks without end",
                "mark the function by `@alula: unchecked N'");
        return;
    }
    if (*where == NONE) {
        *VEC_ADD(w->states, w->nstates, w->states_room) = s;
        *where = w->nstates - 1;
        *VEC_ADD(w->seen, w->nseen, w->seen_room) = to;
        push_work(w, to);
        return;
    }

    struct state *before = &w->states[*where];

    if (!i->head) {
        if (!same(before, &s)) {
            s.queued = before->queued;
            *before = s;
            push_work(w, to);
        }
        return;
    }
    note_numbers(w, to, before, &s);
    if (join(before, &s, &conflict)) {
        push_work(w, to);
    } else if (conflict) {
        fail(w, to / 2, "two paths meet here with different depths of sp",
                "balance sp in the assembly, or mark the function by "
                "`@alula: unchecked N'");
    }
}

static void edge(struct walk *w, int to, const struct state *s, bool weak)
{
    if (!weak) {
        reach(w, to, s);
        return;
    }

    struct weak *later = VEC_ADD(w->weak, w->nweak, w->weak_room);

    later->to = to;
    later->state = *s;
}

static void to_code(struct walk *w, int from, int insn, const struct state *s)
{
    if (function_of(w, insn) != walk_root(w->u, w->function)) {
        fail(w, from, "a jump into the middle of another function",
                "jump to a function's entry, or mark the function by "
                "`@alula: unchecked N'");
        return;
    }
    edge(w, insn * 2, s, false);
}

static void leave(struct walk *w, int insn, const struct state *s)
{
    if (s->depth != 0 || s->bases != BASE_ENTRY) {
        fail(w, insn, "leaves the function with sp not where it was",
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
        leave(w, insn, s);
        break;
    case TARGET_HERE:
    case TARGET_NOWHERE:
        break;
    case TARGET_UNKNOWN:
        fail(w, insn, "a jump whose target alula-as cannot find",
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
        fail(w, insn, "an indirect jump that alula-as cannot resolve",
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

static void to_pad(struct walk *w, int insn, const struct state *before)
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
static int next_at(const struct walk *w, const struct insn *i, int path)
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
        fail(w, insn, "runs into data that may be instructions",
                "write them as instructions, or mark the function by "
                "`@alula: unchecked N'");
    }
}

/* Edges out of an instruction that is executed. */
static void execute(struct walk *w, int insn, int path)
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
        fail(w, insn, e.problem, e.way_out);
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
        to_pad(w, insn, &before);
    }

    bool ends = i->op == OP_B || i->op == OP_BX || i->op == OP_TABLE ||
                i->op == OP_TRAP || (insn_defines(i) & 1u << 15) != 0;
    int next = i->next;

    if (!ends && !calls && i->next_data) {
        check_data(w, insn);
    }
    if (next == NONE || function_of(w, next) != walk_root(w->u, w->function)) {
        return;
    }
    if (i->slot >= SLOT_SAME) {
        edge(w, next * 2 + (i->slot == SLOT_SAME ? path : path ^ 1), &s, false);
        return;
    }
    if (i->op == OP_IT) {
        edge(w, next * 2, &s, false);
        edge(w, next * 2 + 1, &s, false);
        return;
    }

    int to = next_at(w, i, path);

    if (!ends) {
        edge(w, to, &s, calls && i->next_label);
        if (i->op == OP_TEST && i->slot != 0 && !i->slot_last) {
            edge(w, to ^ 1, &s, false);
        }
    }
    if (conditional) {
        edge(w, to, &before, false);
    }
}

static void run(struct walk *w)
{
    while (w->nwork > 0) {
        int at = pop_work(w);
        const struct insn *i = &w->u->insns[at / 2];
        int path = at & 1;

        if (walk_executes(i, path)) {
            execute(w, at / 2, path);
        } else if (i->next != NONE) {
            struct state s = w->states[w->where[at]];

            edge(w, next_at(w, i, path), &s, false);
        }
    }
}

/* Weak edges whose target nothing contradicts. */
static void run_weak(struct walk *w)
{
    for (int k = 0; k < w->nweak; k++) {
        struct weak weak = w->weak[k];
        int at = w->where[weak.to];

        if (at == NONE || w->states[at].depth == weak.state.depth ||
                w->states[at].bases != BASE_ENTRY ||
                weak.state.bases != BASE_ENTRY) {
            reach(w, weak.to, &weak.state);
            run(w);
        }
    }
    w->nweak = 0;
}

/* Pads that only cover instructions which are not calls. */
static bool run_pads(struct walk *w)
{
    int n = w->nseen;

    for (int k = 0; k < n; k++) {
        int pad = w->u->insns[w->seen[k] / 2].pad;

        if (pad != NONE && w->where[pad * 2] == NONE) {
            struct state s = w->states[w->where[w->seen[k]]];

            to_pad(w, w->seen[k] / 2, &s);
        }
    }
    run(w);
    return w->nseen != n;
}

static void walk_once(struct walk *w, int first)
{
    struct state s;

    w->problem.what = NULL;
    w->doubtful = NONE;
    w->by_register = false;
    w->nwork = 0;
    w->nweak = 0;
    flow_entry(&s);
    reach(w, first * 2, &s);
    run(w);
    do {
        run_weak(w);
    } while (run_pads(w) || w->nweak > 0);
}

void walk_function(struct walk *w, int function)
{
    int first = w->u->functions[function].first;
    int left = WALKS_MOST;

    if (w->where == NULL) {
        size_t n = (size_t)w->u->ninsns * 2;

        w->where = mem_grow(NULL, n * sizeof(int));
        for (size_t k = 0; k < n; k++) {
            w->where[k] = NONE;
        }
    }
    w->function = function;
    w->problem.what = NULL;
    if (first == NONE) {
        return;
    }
    walk_once(w, first);
    while (w->doubtful != NONE && w->by_register && --left > 0) {
        w->u->insns[w->doubtful].varies |=
                (uint16_t)(1u << w->doubtful_register);
        walk_forget(w);
        walk_once(w, first);
    }
}

void walk_forget(struct walk *w)
{
    for (int k = 0; k < w->nseen; k++) {
        w->where[w->seen[k]] = NONE;
    }
    w->nseen = 0;
    w->nstates = 0;
}

/* Whom an instruction calls, or continues in, if it does. */
struct call walk_call(struct unit *u, int insn, const struct state *before)
{
    const struct insn *i = &u->insns[insn];
    struct call c = {insn, NONE, before->depth, before->bases, false};
    int reg = i->count > 0 ? insn_register(i->operand[0]) : NONE;
    struct value v = {.kind = VALUE_ANY};

    if (i->op == OP_BL || i->op == OP_B) {
        struct target t = jumps_target(
                u, i->item, i->count > 0 ? i->operand[0] : span_of(""));

        c.symbol = t.kind == TARGET_FUNCTION ? t.symbol : NONE;
        c.tail = i->op == OP_B;
        return c;
    }
    if (i->op == OP_LOAD && flow_literal(u, i, &v)) {
        c.tail = true;
    } else if ((i->op == OP_BX || i->op == OP_BLX) && reg >= 0 && reg < 15) {
        v = before->r[reg];
        c.tail = i->op == OP_BX;
    } else if (i->op == OP_MOV && reg == 15) {
        reg = insn_register(i->operand[1]);
        v = reg >= 0 && reg < 15 ? before->r[reg] : v;
        c.tail = true;
    }
    c.symbol = v.kind == VALUE_SYMBOL ? v.n : NONE;
    return c;
}
