/* SPDX-License-Identifier: MIT */
#include "flow.h"

/*
 * Values: what addition, subtraction and masks make of them, what an operand
 * holds, what an instruction leaves in its first operand.
 *
 * Sizes of variable frames are followed from the addition that rounds them up
 * over the mask to sp - size. Whatever is not modelled is VALUE_ANY.
 */

#include <string.h>

struct value value_any(void)
{
    return (struct value){.kind = VALUE_ANY};
}

struct value value_number(long long n)
{
    return (struct value){.kind = VALUE_CONST, .n = (int32_t)(uint32_t)n};
}

static struct value symbol(struct unit *u, struct span name)
{
    return (struct value){
            .kind = VALUE_SYMBOL, .n = unit_symbol(u, name, true)};
}

struct value value_get(const struct state *s, int r)
{
    if (r == 13) {
        return (struct value){
                .kind = VALUE_SP, .mask = s->bases, .n = s->depth};
    }
    return r >= 0 && r < 15 ? s->r[r] : value_any();
}

bool value_is_sp(struct value v)
{
    return v.kind == VALUE_SP;
}

static struct value add(struct value a, struct value b, int insn)
{
    if (a.kind == VALUE_CONST && b.kind != VALUE_CONST) {
        struct value swap = a;

        a = b;
        b = swap;
    }
    if (b.kind != VALUE_CONST) {
        bool grown = (a.kind == VALUE_GROWN && !value_is_sp(b)) ||
                     (b.kind == VALUE_GROWN && !value_is_sp(a));

        return grown ? (struct value){.kind = VALUE_GROWN, .n = insn}
                     : value_any();
    }
    switch (a.kind) {
    case VALUE_CONST:
        return value_number((uint32_t)a.n + (uint32_t)b.n);
    case VALUE_SP:
        a.n = (int32_t)((uint32_t)a.n - (uint32_t)b.n);
        return a;
    case VALUE_CUT:
        return a;
    case VALUE_SYMBOL:
        return value_any();
    default:
        if (b.n > 0 && b.n < 4096) {
            return (struct value){.kind = VALUE_GROWN, .n = insn};
        }
        return b.n == 0 ? a : value_any();
    }
}

static struct value subtract(struct value a, struct value b, int insn)
{
    if (b.kind == VALUE_CONST) {
        return add(a, value_number(-(uint32_t)b.n), insn);
    }
    if (value_is_sp(a) && !value_is_sp(b)) {
        bool grown = b.kind == VALUE_GROWN && b.mask != 0;

        return (struct value){.kind = VALUE_CUT,
                .n = grown ? b.n : NONE,
                .mask = grown ? b.mask : 0};
    }
    return value_any();
}

/* Bits cleared: constants, sizes being rounded, sp being aligned. */
static struct value mask(
        const struct insn *i, struct value a, struct value b, bool and)
{
    uint32_t clear = and? ~(uint32_t)b.n : (uint32_t)b.n;

    if (a.kind == VALUE_CUT) {
        return a;
    }
    if (b.kind != VALUE_CONST) {
        return value_any();
    }
    if (a.kind == VALUE_GROWN) {
        a.mask = clear < 1u << 20 ? clear & 0xfffff : 0;
        return a;
    }
    if (i->op == OP_MASK && a.kind == VALUE_CONST) {
        return value_number((uint32_t)a.n & ~clear);
    }
    if (value_is_sp(a) && (clear & (clear + 1)) == 0) {
        /* sp is a multiple of 8 at the entry, so of 8 or 4 here. */
        int32_t granule = (a.n & 7) == 0 ? 8 : 4;
        int32_t unit = (int32_t)clear + 1;

        a.n += unit > granule ? unit - granule : 0;
        return a;
    }
    return value_any();
}

static bool is_shift(struct span s)
{
    return s.n > 3 && (span_begins(s, "lsl") || span_begins(s, "lsr") ||
                              span_begins(s, "asr") || span_begins(s, "ror") ||
                              span_begins(s, "rrx"));
}

/* The symbol in `#:lower16:name`; empty when it is not of that form. */
static struct span half_symbol(struct span s, const char *which)
{
    if (s.n > 0 && s.at[0] == '#') {
        s = (struct span){s.at + 1, s.n - 1};
    }
    if (!span_begins(s, which)) {
        return (struct span){"", 0};
    }
    return (struct span){s.at + strlen(which), s.n - strlen(which)};
}

/* The value of operand `k`, the shift behind it applied. */
struct value value_operand(
        struct unit *u, const struct insn *i, const struct state *s, int k)
{
    long long n;

    if (k >= i->count) {
        return value_any();
    }
    if (span_number(i->operand[k], &n)) {
        return value_number(n);
    }

    struct span half = half_symbol(i->operand[k], ":lower16:");

    if (half.n > 0) {
        return symbol(u, half);
    }

    struct value v = value_get(s, insn_register(i->operand[k]));

    if (k + 1 < i->count && is_shift(i->operand[k + 1])) {
        struct span amount = i->operand[k + 1];
        bool left = span_begins(amount, "lsl");

        span_word(&amount);
        if (left && v.kind == VALUE_CONST && span_number(amount, &n)) {
            return value_number((uint32_t)v.n << (n & 31));
        }
        return left && v.kind == VALUE_GROWN ? v : value_any();
    }
    return v;
}

/* What the data at a label holds, `offset` bytes behind it. */
static struct value word_at(struct unit *u, int label, long long offset)
{
    for (int k = label; k != NONE; k = u->items[k].next) {
        const struct item *i = &u->items[k];
        struct span rest = i->rest;
        long long n;

        if (i->kind == ITEM_INSN) {
            break;
        }
        if (i->kind != ITEM_DATA) {
            continue;
        }
        if (!span_is(i->name, ".word") && !span_is(i->name, ".long") &&
                !span_is(i->name, ".4byte")) {
            break;
        }
        while (rest.n > 0) {
            struct span part = span_part(&rest);

            if (offset == 0 && span_number(part, &n)) {
                return value_number(n);
            }
            if (offset == 0 && span_same(jumps_first_symbol(part), part)) {
                return symbol(u, part);
            }
            offset -= 4;
        }
        if (offset < 0) {
            break;
        }
    }
    return (struct value){.kind = VALUE_LOADED};
}

/* The value that `ldr rX, label` or `ldr rX, =value` loads. */
bool flow_literal(struct unit *u, const struct insn *i, struct value *v)
{
    struct span s = i->count > 1 ? i->operand[1] : (struct span){"", 0};
    long long offset = 0;
    long long n;

    if (s.n == 0 || s.at[0] == '[') {
        return false;
    }
    if (s.at[0] == '=') {
        s = span_trim((struct span){s.at + 1, s.n - 1});
        *v = span_number(s, &n) ? value_number(n) : symbol(u, s);
        return true;
    }

    struct span name = jumps_first_symbol(s);
    struct span rest = {
            name.at + name.n, (size_t)(s.at + s.n - name.at) - name.n};

    if (rest.n > 1 && rest.at[0] == '+') {
        rest = (struct span){rest.at + 1, rest.n - 1};
        if (!span_number(rest, &offset)) {
            return false;
        }
    }

    int label = unit_symbol(u, name, false);

    if (label == NONE || u->symbols[label].label == NONE) {
        return false;
    }
    *v = word_at(u, u->symbols[label].label, offset);
    return true;
}

/* The new value of the first operand. */
struct value value_result(struct unit *u, int insn, const struct state *s)
{
    const struct insn *i = &u->insns[insn];
    bool two = i->count < 3 || is_shift(i->operand[2]);
    struct value a = value_operand(u, i, s, two ? 0 : 1);
    struct value b = value_operand(u, i, s, two ? 1 : 2);
    struct value v = value_any();
    struct span name = u->items[i->item].name;

    switch (i->op) {
    case OP_MOV:
        return value_operand(u, i, s, 1);
    case OP_MVN:
        b = value_operand(u, i, s, 1);
        return b.kind == VALUE_CONST ? value_number(~(uint32_t)b.n)
                                     : value_any();
    case OP_MOVT:
        b = value_operand(u, i, s, 1);
        if (a.kind == VALUE_SYMBOL && b.kind != VALUE_CONST) {
            return a;
        }
        if (a.kind != VALUE_CONST || b.kind != VALUE_CONST) {
            return value_any();
        }
        return value_number(((uint32_t)a.n & 0xffff) | (uint32_t)b.n << 16);
    case OP_ADD:
        return add(a, b, insn);
    case OP_SUB:
        return subtract(a, b, insn);
    case OP_RSB:
        a = value_operand(u, i, s, 1);
        b = i->count > 2 ? value_operand(u, i, s, 2) : value_number(0);
        return a.kind == VALUE_CONST && b.kind == VALUE_CONST
                       ? value_number((uint32_t)b.n - (uint32_t)a.n)
                       : value_any();
    case OP_LSL:
        if (a.kind == VALUE_CONST && b.kind == VALUE_CONST) {
            return value_number((uint32_t)a.n << (b.n & 31));
        }
        return a.kind == VALUE_GROWN ? a : value_any();
    case OP_MASK:
        if ((name.at[0] | 32) == 'l') { /* lsr */
            b = value_number(
                    b.kind == VALUE_CONST ? (1ll << (b.n & 31)) - 1 : 0);
            return a.kind == VALUE_GROWN ? mask(i, a, b, false) : value_any();
        }
        return mask(i, a, b, (name.at[0] | 32) == 'a');
    case OP_BFC:
        b = value_operand(u, i, s, 2);
        a = value_get(s, insn_register(i->operand[0]));
        if (!span_is(i->operand[1], "#0") || b.kind != VALUE_CONST) {
            return value_any();
        }
        return mask(i, a, value_number((1u << (b.n & 31)) - 1), false);
    case OP_LOAD:
        if (!flow_literal(u, i, &v)) {
            v = slot_load(i, s);
        }
        return v;
    default:
        return value_any();
    }
}
