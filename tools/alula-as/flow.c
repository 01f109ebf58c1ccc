/* SPDX-License-Identifier: MIT */
#include "flow.h"

/*
 * One step of the abstract machine: what an instruction does to sp, and the
 * values that it leaves in registers. Whatever writes sp in a way that is not
 * modelled is a problem, which the caller reports.
 */

#include <string.h>

static const char asm_way[] =
        "state its depth in the assembly by a line `@alula: depth N', or mark "
        "the function by `@alula: unchecked N'";

void flow_entry(struct state *s)
{
    memset(s, 0, sizeof *s);
    s->bases = BASE_ENTRY;
    for (int r = 0; r < 15; r++) {
        s->r[r] = (struct value){.kind = VALUE_ENTRY, .n = r};
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
    if (value_is_sp(v)) {
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
        struct value at = value_get(s, base);
        struct value by = value_number(0);
        long long n;

        if (span_number(inner, &n)) {
            by = value_number(n);
        } else if (inner.n > 0) {
            by = value_any();
        }
        if (value_is_sp(at) && by.kind == VALUE_CONST && at.n - by.n <= 0) {
            e->above = true;
        }
        if (base != 13) {
            return;
        }
        if (pre && by.kind == VALUE_CONST) {
            sink(s, e, -by.n);
        } else if (!pre && k + 1 < i->count) {
            by = value_operand(u, i, s, k + 1);
            if (by.kind == VALUE_CONST) {
                sink(s, e, -by.n);
            } else {
                set_sp(s, e, value_any(), NONE, false);
            }
        } else if (pre) {
            set_sp(s, e, value_any(), NONE, false);
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

    struct value v = value_result(u, insn, s);
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
        struct value size = value_get(s, reg);

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

/* What the instruction leaves in registers; `v` in its only destination. */
static void define(
        const struct insn *i, struct state *s, struct effect *e, struct value v)
{
    for (unsigned set = insn_defines(i) & 0x5fff; set != 0; set &= set - 1) {
        int r = __builtin_ctz(set);

        s->r[r] = i->op == OP_LDM || i->op == OP_POP
                          ? (struct value){.kind = VALUE_LOADED}
                          : value_any();
    }
    if (i->dests == 1 && i->count > 0) {
        int r = insn_register(i->operand[0]);

        if (r < 0 || r > 14 || r == 13) {
            return;
        }
        s->r[r] = v;
        e->above |= (i->op == OP_ADD || i->op == OP_SUB) && value_is_sp(v) &&
                    v.n <= 0;
    }
}

void flow_step(struct unit *u, int insn, struct state *s, struct effect *e)
{
    const struct insn *i = &u->insns[insn];
    struct state then = *s;
    bool first_sp = i->count > 0 && insn_register(i->operand[0]) == 13;

    *e = (struct effect){.deepest = s->depth, .grown = NONE, .size = NONE};

    struct value v = i->dests > 0 ? value_result(u, insn, s) : value_any();

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
        e->problem = "an instruction given as a number (.inst) or by a macro "
                     "of the assembler";
        e->way_out = asm_way;
        break;
    default:
        if (i->op == OP_STORE) {
            slot_store(i, s);
        }
        address(u, i, s, e);
        if (first_sp && (i->dests > 0 || i->op == OP_OTHER)) {
            write_sp(u, insn, s, e);
        }
    }
    define(i, s, e, v);
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
