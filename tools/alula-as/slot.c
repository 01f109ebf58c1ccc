/* SPDX-License-Identifier: MIT */
#include "flow.h"

/*
 * Sizes that the compiler keeps in the frame between rounding them up and
 * taking them off sp, because it has no register left.
 *
 * Only such sizes are remembered: a wrong one adds a check that is not needed.
 * Stores through other pointers are therefore ignored.
 */

/* The depth of `[base, #n]` when base is an address in the fixed frame. */
static bool frame_address(
        const struct insn *i, const struct state *s, int32_t *at)
{
    struct span m = i->count > 1 ? i->operand[i->count - 1] : span_of("");
    long long offset = 0;

    if (m.n < 4 || m.at[0] != '[' || m.at[m.n - 1] != ']') {
        return false;
    }

    struct span inner = {m.at + 1, m.n - 2};
    struct value base = value_get(s, insn_register(span_part(&inner)));

    if (!value_is_sp(base) || base.mask != BASE_ENTRY ||
            (inner.n > 0 && !span_number(inner, &offset))) {
        return false;
    }
    *at = (int32_t)(base.n - offset);
    return true;
}

void slot_store(const struct insn *i, struct state *s)
{
    int32_t at;
    struct kept *free = &s->slots[0];
    int r = i->count > 0 ? insn_register(i->operand[0]) : NONE;
    struct value v = value_get(s, r);
    int32_t width = i->count > 2 || i->pair ? 8 : 4;

    if (!frame_address(i, s, &at)) {
        return;
    }
    for (int k = 0; k < SLOTS; k++) {
        struct kept *slot = &s->slots[k];

        if (at - slot->at < width && slot->at - at < 4) {
            slot->v = value_any();
        }
        free = slot->v.kind == VALUE_ANY ? slot : free;
    }
    if (v.kind == VALUE_GROWN && width == 4) {
        *free = (struct kept){at, v};
    }
}

struct value slot_load(const struct insn *i, const struct state *s)
{
    int32_t at;

    if (frame_address(i, s, &at)) {
        for (int k = 0; k < SLOTS; k++) {
            if (s->slots[k].v.kind != VALUE_ANY && s->slots[k].at == at) {
                return s->slots[k].v;
            }
        }
    }
    return (struct value){.kind = VALUE_LOADED};
}

bool slot_join(struct state *into, const struct state *from)
{
    bool changed = false;

    for (int k = 0; k < SLOTS; k++) {
        struct kept *slot = &into->slots[k];
        bool both = slot->v.kind == VALUE_ANY;

        for (int m = 0; m < SLOTS; m++) {
            const struct kept *o = &from->slots[m];

            both |= o->v.kind == slot->v.kind && o->at == slot->at &&
                    o->v.n == slot->v.n && o->v.mask == slot->v.mask;
        }
        if (!both) {
            slot->v = value_any();
            changed = true;
        }
    }
    return changed;
}
