/* SPDX-License-Identifier: MIT */
#include "flow.h"

/*
 * States where paths meet: joins, and what may not be assumed there.
 */

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

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_CONST || v->kind == VALUE_GROWN ||
           v->kind == VALUE_CUT || v->kind == VALUE_SYMBOL;
}

/* Join `from` into `into`; true when that changed it. *conflict: their depths
 * differ, and neither is variable. */
bool state_join(struct state *into, const struct state *from, bool *conflict)
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
    changed |= slot_join(into, from);
    return changed;
}

/* What an earlier walk took for a number here, and found contradicted. */
struct state state_at_head(const struct insn *i, const struct state *s)
{
    struct state head = *s;

    head.queued = false;
    for (unsigned set = i->doubtful; set != 0; set &= set - 1) {
        struct value *v = &head.r[__builtin_ctz(set)];

        if (is_number(v)) {
            *v = (struct value){.kind = VALUE_ANY};
        }
    }
    return head;
}

bool state_same(const struct state *a, const struct state *b)
{
    struct state joined = *a;
    bool conflict = false;

    return a->depth == b->depth && a->bases == b->bases &&
           !state_join(&joined, b, &conflict);
}

/* The registers whose number in `a` the other state contradicts. */
uint16_t state_contradicted(const struct state *a, const struct state *b)
{
    uint16_t set = 0;

    for (int r = 0; r < 15; r++) {
        struct value v = a->r[r];

        if (is_number(&a->r[r]) && join_value(&v, &b->r[r])) {
            set |= (uint16_t)(1u << r);
        }
    }
    return set;
}
