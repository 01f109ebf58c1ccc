/* SPDX-License-Identifier: MIT */
#include "walk.h"

/*
 * The iteration: a work list of instructions whose state has changed.
 *
 * Weak edges are followed last, and dropped when they contradict the others.
 * Landing pads that cover no call are entered from what else they cover.
 */

enum {
    DEPTH_MOST = 1 << 28,
    WALKS_MOST = 1000
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

static void reach(struct walk *w, int to, const struct state *from)
{
    const struct insn *i = &w->u->insns[to / 2];
    struct state s = state_at_head(i, from);
    int *where = &w->where[to];
    bool conflict = false;

    if (s.depth > DEPTH_MOST) {
        walk_fail(w, to / 2, "sp sinks without end",
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
        if (!state_same(before, &s)) {
            s.queued = before->queued;
            *before = s;
            push_work(w, to);
        }
        return;
    }
    if (w->doubtful == NONE) {
        /* A number has been used that another path contradicts, perhaps to
         * move sp: walk again, with it unknown from the start. */
        w->doubts = state_contradicted(before, &s);
        w->doubtful = w->doubts != 0 ? to / 2 : NONE;
    }
    if (state_join(before, &s, &conflict)) {
        push_work(w, to);
    } else if (conflict) {
        walk_fail(w, to / 2, "two paths meet here with different depths of sp",
                "balance sp in the assembly, or mark the function by "
                "`@alula: unchecked N'");
    }
}

void walk_edge(struct walk *w, int to, const struct state *s, bool weak)
{
    if (!weak) {
        reach(w, to, s);
        return;
    }

    struct weak *later = VEC_ADD(w->weak, w->nweak, w->weak_room);

    later->to = to;
    later->state = *s;
}

static void run(struct walk *w)
{
    while (w->nwork > 0) {
        int at = pop_work(w);
        const struct insn *i = &w->u->insns[at / 2];
        int path = at & 1;

        if (walk_executes(i, path)) {
            edges_execute(w, at / 2, path);
        } else if (i->next != NONE) {
            struct state s = w->states[w->where[at]];

            walk_edge(w, edges_next_at(w, i, path), &s, false);
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

            edges_to_pad(w, w->seen[k] / 2, &s);
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
        w->u->insns[w->doubtful].doubtful |= w->doubts;
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
