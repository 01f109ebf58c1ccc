/* SPDX-License-Identifier: MIT */
#include "flow.h"

/*
 * One step of the abstract machine. Arithmetic on values first, then loads,
 * then everything that writes sp.
 *
 * Whatever is not modelled makes its destinations VALUE_ANY; whatever writes
 * sp in a way that is not modelled is a problem, which the caller reports.
 */

#include <string.h>

static const char asm_way[] =
        "state its depth in the assembly by a line `@alula: depth N', or mark "
        "the function by `@alula: unchecked N'";

static struct value any(void)
{
    return (struct value){.kind = VALUE_ANY};
}

static struct value constant(long long n)
{
    return (struct value){.kind = VALUE_CONST, .n = (int32_t)(uint32_t)n};
}

static struct value symbol(struct unit *u, struct span name)
{
    return (struct value){
            .kind = VALUE_SYMBOL, .n = unit_symbol(u, name, true)};
}

void flow_entry(struct state *s)
{
    memset(s, 0, sizeof *s);
    s->bases = BASE_ENTRY;
    for (int r = 0; r < 15; r++) {
        s->r[r] = (struct value){.kind = VALUE_ENTRY, .n = r};
    }
}

static struct value get(const struct state *s, int r)
{
    if (r == 13) {
        return (struct value){
                .kind = VALUE_SP, .mask = s->bases, .n = s->depth};
    }
    return r >= 0 && r < 15 ? s->r[r] : any();
}

static bool is_sp(struct value v)
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
        bool grown = (a.kind == VALUE_GROWN && !is_sp(b)) ||
                     (b.kind == VALUE_GROWN && !is_sp(a));

        return grown ? (struct value){.kind = VALUE_GROWN, .n = insn} : any();
    }
    switch (a.kind) {
    case VALUE_CONST:
        return constant((uint32_t)a.n + (uint32_t)b.n);
    case VALUE_SP:
        a.n = (int32_t)((uint32_t)a.n - (uint32_t)b.n);
        return a;
    case VALUE_CUT:
        return a;
    case VALUE_SYMBOL:
        return any();
    default:
        if (b.n > 0 && b.n < 4096) {
            return (struct value){.kind = VALUE_GROWN, .n = insn};
        }
        return b.n == 0 ? a : any();
    }
}

static struct value subtract(struct value a, struct value b, int insn)
{
    if (b.kind == VALUE_CONST) {
        return add(a, constant(-(uint32_t)b.n), insn);
    }
    if (is_sp(a) && !is_sp(b)) {
        bool grown = b.kind == VALUE_GROWN && b.mask != 0;

        return (struct value){.kind = VALUE_CUT,
                .n = grown ? b.n : NONE,
                .mask = grown ? b.mask : 0};
    }
    return any();
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
        return any();
    }
    if (a.kind == VALUE_GROWN) {
        a.mask = clear < 1u << 20 ? clear : 0;
        return a;
    }
    if (i->op == OP_MASK && a.kind == VALUE_CONST) {
        return constant((uint32_t)a.n & ~clear);
    }
    if (is_sp(a) && (clear & (clear + 1)) == 0) {
        /* sp is a multiple of 8 at the entry, so of 8 or 4 here. */
        int32_t granule = (a.n & 7) == 0 ? 8 : 4;
        int32_t unit = (int32_t)clear + 1;

        a.n += unit > granule ? unit - granule : 0;
        return a;
    }
    return any();
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
static struct value operand(
        struct unit *u, const struct insn *i, const struct state *s, int k)
{
    long long n;

    if (k >= i->count) {
        return any();
    }
    if (span_number(i->operand[k], &n)) {
        return constant(n);
    }

    struct span half = half_symbol(i->operand[k], ":lower16:");

    if (half.n > 0) {
        return symbol(u, half);
    }

    struct value v = get(s, insn_register(i->operand[k]));

    if (k + 1 < i->count && is_shift(i->operand[k + 1])) {
        struct span amount = i->operand[k + 1];
        bool left = span_begins(amount, "lsl");

        span_word(&amount);
        if (left && v.kind == VALUE_CONST && span_number(amount, &n)) {
            return constant((uint32_t)v.n << (n & 31));
        }
        return any();
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
                return constant(n);
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
        *v = span_number(s, &n) ? constant(n) : symbol(u, s);
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
static struct value result(struct unit *u, int insn, const struct state *s)
{
    const struct insn *i = &u->insns[insn];
    bool two = i->count < 3 || is_shift(i->operand[2]);
    struct value a = operand(u, i, s, two ? 0 : 1);
    struct value b = operand(u, i, s, two ? 1 : 2);
    struct value v = any();
    struct span name = u->items[i->item].name;

    switch (i->op) {
    case OP_MOV:
        return operand(u, i, s, 1);
    case OP_MVN:
        b = operand(u, i, s, 1);
        return b.kind == VALUE_CONST ? constant(~(uint32_t)b.n) : any();
    case OP_MOVT:
        b = operand(u, i, s, 1);
        if (a.kind == VALUE_SYMBOL && b.kind != VALUE_CONST) {
            return a;
        }
        if (a.kind != VALUE_CONST || b.kind != VALUE_CONST) {
            return any();
        }
        return constant(((uint32_t)a.n & 0xffff) | (uint32_t)b.n << 16);
    case OP_ADD:
        return add(a, b, insn);
    case OP_SUB:
        return subtract(a, b, insn);
    case OP_RSB:
        a = operand(u, i, s, 1);
        b = i->count > 2 ? operand(u, i, s, 2) : constant(0);
        return a.kind == VALUE_CONST && b.kind == VALUE_CONST
                       ? constant((uint32_t)b.n - (uint32_t)a.n)
                       : any();
    case OP_LSL:
        if (a.kind == VALUE_CONST && b.kind == VALUE_CONST) {
            return constant((uint32_t)a.n << (b.n & 31));
        }
        return a.kind == VALUE_GROWN ? a : any();
    case OP_MASK:
        if ((name.at[0] | 32) == 'l') { /* lsr */
            b = constant(b.kind == VALUE_CONST ? (1ll << (b.n & 31)) - 1 : 0);
            return a.kind == VALUE_GROWN ? mask(i, a, b, false) : any();
        }
        return mask(i, a, b, (name.at[0] | 32) == 'a');
    case OP_BFC:
        b = operand(u, i, s, 2);
        a = get(s, insn_register(i->operand[0]));
        if (!span_is(i->operand[1], "#0") || b.kind != VALUE_CONST) {
            return any();
        }
        return mask(i, a, constant((1u << (b.n & 31)) - 1), false);
    case OP_LOAD:
        if (!flow_literal(u, i, &v)) {
            v = (struct value){.kind = VALUE_LOADED};
        }
        return v;
    default:
        return any();
    }
}

static void sink(struct state *s, struct effect *e, int32_t bytes)
{
    s->depth += bytes;
    e->moves_sp = true;
    if (s->depth > e->deepest) {
        e->deepest = s->depth;
    }
    if (s->depth < 0) {
        e->problem = "sp rises above its value at the entry";
        e->way_out = asm_way;
        s->depth = 0;
    }
}

/* sp takes the value `v`; `reg` holds it, or the size in a MOVE_DROP. */
static void set_sp(
        struct state *s, struct effect *e, struct value v, int reg, bool drop)
{
    e->moves_sp = true;
    e->size = reg;
    e->grown = NONE;
    if (is_sp(v)) {
        s->bases = (uint8_t)v.mask;
        sink(s, e, v.n - s->depth);
    } else if (v.kind == VALUE_CUT && reg != NONE) {
        e->move = drop ? MOVE_DROP : MOVE_CUT;
        e->grown = v.n;
        e->mask = v.mask;
        s->bases = BASE_MOVED;
    } else if (v.kind == VALUE_LOADED && reg != NONE) {
        e->move = MOVE_RESTORE;
        s->bases = BASE_MOVED;
    } else {
        e->problem = "sp is set to a value that alula-as cannot follow";
        e->way_out = asm_way;
        s->bases = BASE_MOVED;
    }
}

static void multiple(const struct insn *i, struct state *s, struct effect *e)
{
    bool single = i->op == OP_PUSH || i->op == OP_POP || i->op == OP_VPUSH ||
                  i->op == OP_VPOP;
    struct span list = i->operand[single ? 0 : 1];
    struct span base = single ? span_of("sp!") : i->operand[0];
    bool vfp = i->op == OP_VPUSH || i->op == OP_VPOP || i->op == OP_VLDM ||
               i->op == OP_VSTM;
    bool down = (i->flags & INSN_DOWN) != 0 || i->op == OP_PUSH ||
                i->op == OP_VPUSH;
    int32_t bytes = vfp ? insn_float_bytes(list) : 0;

    for (unsigned set = vfp ? 0 : insn_registers(list); set != 0;
            set &= set - 1) {
        bytes += 4;
    }
    if ((insn_registers(base) & 1u << 13) == 0) {
        return;
    }
    if (base.at[base.n - 1] == '!') {
        sink(s, e, down ? bytes : -bytes);
    } else if (down && s->depth + bytes > e->deepest) {
        e->deepest = s->depth + bytes;
    }
}

/* [sp, #n], [sp, #n]! and [sp], #n; and whether the caller's frame is met. */
static void address(
        struct unit *u, const struct insn *i, struct state *s, struct effect *e)
{
    for (int k = 0; k < i->count; k++) {
        struct span inner = i->operand[k];

        if (inner.n < 2 || inner.at[0] != '[') {
            continue;
        }

        bool pre = inner.at[inner.n - 1] == '!';

        inner = (struct span){inner.at + 1, inner.n - (pre ? 3 : 2)};

        int base = insn_register(span_part(&inner));
        struct value at = get(s, base);
        struct value by = constant(0);
        long long n;

        if (span_number(inner, &n)) {
            by = constant(n);
        } else if (inner.n > 0) {
            by = any();
        }
        if (is_sp(at) && by.kind == VALUE_CONST && at.n - by.n <= 0) {
            e->above = true;
        }
        if (base != 13) {
            return;
        }
        if (pre && by.kind == VALUE_CONST) {
            sink(s, e, -by.n);
        } else if (!pre && k + 1 < i->count) {
            by = operand(u, i, s, k + 1);
            if (by.kind == VALUE_CONST) {
                sink(s, e, -by.n);
            } else {
                set_sp(s, e, any(), NONE, false);
            }
        } else if (pre) {
            set_sp(s, e, any(), NONE, false);
        } else if (i->op == OP_STORE && s->depth - by.n > e->deepest) {
            e->deepest = s->depth - by.n;
        }
    }
}

/* The base of `ldr sp, [base, #n]`: GCC keeps a saved sp in the frame. */
static int reload_base(const struct insn *i)
{
    struct span s = i->count == 2 ? i->operand[1] : (struct span){"", 0};

    if (s.n < 4 || s.at[0] != '[' || s.at[s.n - 1] != ']') {
        return NONE;
    }

    struct span inner = {s.at + 1, s.n - 2};
    int base = insn_register(span_part(&inner));

    return base != 13 ? base : NONE;
}

/* An instruction whose first operand is sp, and which writes it. */
static void write_sp(
        struct unit *u, int insn, struct state *s, struct effect *e)
{
    const struct insn *i = &u->insns[insn];

    if (i->op == OP_LOAD && reload_base(i) != NONE) {
        e->moves_sp = true;
        e->move = MOVE_RELOAD;
        e->size = reload_base(i);
        s->bases = BASE_MOVED;
        return;
    }

    struct value v = result(u, insn, s);
    bool two = i->count == 2;
    bool drop = i->op == OP_SUB;

    e->by_register = (i->op == OP_SUB || i->op == OP_ADD) &&
                     insn_register(i->operand[i->count - 1]) != NONE;

    int reg = insn_register(i->operand[two ? 1 : i->count > 2 ? 2 : 0]);

    if (drop && !two && (insn_register(i->operand[1]) != 13 || i->count > 3)) {
        reg = NONE;
    }
    if (i->op != OP_SUB && i->op != OP_MOV) {
        reg = NONE;
    }
    set_sp(s, e, v, reg, drop);
    if (v.kind == VALUE_CUT && drop) {
        struct value size = get(s, reg);

        e->grown = size.kind == VALUE_GROWN && size.mask != 0 ? size.n : NONE;
        e->mask = size.mask;
    }
}

/* Inside `@alula: depth N` sp counts as unmoved; the N bytes are charged. */
static bool stated(const struct unit *u, const struct insn *i, struct state *s,
        struct effect *e)
{
    int statement = u->items[i->item].statement;

    if (statement == NONE || u->statements[statement].depth < 0) {
        return false;
    }
    e->deepest = s->depth + (int32_t)u->statements[statement].depth;
    return true;
}

void flow_step(struct unit *u, int insn, struct state *s, struct effect *e)
{
    const struct insn *i = &u->insns[insn];
    struct state then = *s;
    bool first_sp = i->count > 0 && insn_register(i->operand[0]) == 13;

    *e = (struct effect){.deepest = s->depth, .grown = NONE, .size = NONE};

    struct value v = i->dests > 0 ? result(u, insn, s) : any();

    switch (i->op) {
    case OP_PUSH:
    case OP_POP:
    case OP_VPUSH:
    case OP_VPOP:
    case OP_LDM:
    case OP_STM:
    case OP_VLDM:
    case OP_VSTM:
        multiple(i, s, e);
        break;
    case OP_MSR:
        if (i->count > 0 && (span_is(i->operand[0], "msp") ||
                                    span_is(i->operand[0], "MSP") ||
                                    span_is(i->operand[0], "psp") ||
                                    span_is(i->operand[0], "PSP"))) {
            e->problem = "writes the stack pointer by msr";
            e->way_out = asm_way;
        }
        break;
    case OP_RAW:
        e->problem = "an instruction given as a number (.inst)";
        e->way_out = asm_way;
        break;
    default:
        address(u, i, s, e);
        if (first_sp && (i->dests > 0 || i->op == OP_OTHER)) {
            write_sp(u, insn, s, e);
        }
    }
    for (unsigned set = insn_defines(i) & 0x5fff; set != 0; set &= set - 1) {
        int r = __builtin_ctz(set);

        s->r[r] = i->op == OP_LDM || i->op == OP_POP
                          ? (struct value){.kind = VALUE_LOADED}
                          : any();
    }
    if (i->dests == 1 && !first_sp && i->count > 0) {
        int r = insn_register(i->operand[0]);

        if (r >= 0 && r < 15) {
            s->r[r] = v;
        }
        e->above |=
                (i->op == OP_ADD || i->op == OP_SUB) && is_sp(v) && v.n <= 0;
    }
    if (e->moves_sp && u->items[i->item].repeated) {
        e->problem = "sp moves inside .rept, .irp or .if";
        e->way_out = "mark the function by `@alula: unchecked N'";
    }
    if (e->moves_sp || e->problem != NULL) {
        struct effect plain = {
                .deepest = then.depth, .grown = NONE, .size = NONE};

        if (stated(u, i, &then, &plain)) {
            s->depth = then.depth;
            s->bases = then.bases;
            *e = plain;
        }
    }
}
