/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Finds what may be reached how: the instruction that follows each one, IT
 * blocks, jump tables, labels whose address is taken, landing pads.
 *
 * References from debug and unwind sections are ignored: they are everywhere
 * and say nothing about control flow. The call-site table of an LSDA is read
 * by its shape alone: three expressions (A-X), (B-A), (P-Y) in a row.
 */

#include <ctype.h>
#include <string.h>

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/* Take the next symbol out of an expression; empty when there is none. */
static struct span next_symbol(struct span *rest)
{
    size_t i = 0;

    while (i < rest->n) {
        bool quoted = rest->at[i] == '"';
        size_t n = quoted ? 1 : 0;

        while (i + n < rest->n &&
                (quoted ? rest->at[i + n] != '"' : is_name(rest->at[i + n]))) {
            n++;
        }
        if (n == 0) {
            i++;
            continue;
        }
        n += quoted && i + n < rest->n;

        struct span name = {rest->at + i, n};

        i += n;
        if (isdigit((unsigned char)name.at[0]) || span_is(name, ".")) {
            continue;
        }
        *rest = (struct span){rest->at + i, rest->n - i};
        return name;
    }
    rest->n = 0;
    return (struct span){"", 0};
}

struct span jumps_first_symbol(struct span expression)
{
    return next_symbol(&expression);
}

/* The nearest label `number` before or after an item. */
static int numeric_label(const struct unit *u, int item, struct span name)
{
    bool back = name.at[name.n - 1] == 'b' || name.at[name.n - 1] == 'B';
    struct span number = {name.at, name.n - 1};
    int step = back ? -1 : 1;

    for (int k = item + step; k >= 0 && k < u->nitems; k += step) {
        if (u->items[k].kind == ITEM_LABEL &&
                span_same(u->items[k].name, number)) {
            return k;
        }
    }
    return NONE;
}

/* Compilers leave labels without code where a switch cannot go. */
static struct target code_target(const struct unit *u, int label)
{
    int insn = unit_label_insn(u, label);
    bool compiled = u->items[label].statement == NONE;

    return (struct target){insn != NONE ? TARGET_CODE
                           : compiled   ? TARGET_NOWHERE
                                        : TARGET_UNKNOWN,
            insn, NONE};
}

struct target jumps_target(struct unit *u, int item, struct span name)
{
    if (name.n > 5 &&
            span_is((struct span){name.at + name.n - 5, 5}, "(PLT)")) {
        name.n -= 5;
    }
    if (span_is(name, ".")) {
        return (struct target){TARGET_HERE, NONE, NONE};
    }
    if (name.n > 1 && isdigit((unsigned char)name.at[0])) {
        int label = numeric_label(u, item, name);

        return label != NONE ? code_target(u, label)
                             : (struct target){TARGET_UNKNOWN, NONE, NONE};
    }
    if (name.n == 0 || !span_same(jumps_first_symbol(name), name)) {
        return (struct target){TARGET_UNKNOWN, NONE, NONE};
    }

    int s = unit_symbol(u, name, true);
    const struct symbol *symbol = &u->symbols[s];
    bool entry = symbol->function != NONE &&
                 u->functions[symbol->function].parent == NONE;

    if (symbol->label == NONE || entry) {
        return (struct target){TARGET_FUNCTION, NONE, s};
    }
    return code_target(u, symbol->label);
}

/* Numeric labels need no mark: is_reached() takes each for a target. */
static void mark_jumped(struct unit *u, struct span name)
{
    if (name.n > 0 && span_same(jumps_first_symbol(name), name)) {
        unit_named(u, name)->jumped = true;
    }
}

/* Note that the address of a label in code is known to data or to a register,
 * so that an indirect jump of its function may go there. */
static void mark_taken(struct unit *u, struct span name)
{
    int s = unit_symbol(u, name, false);
    struct symbol *symbol = s != NONE ? &u->symbols[s] : NULL;

    if (symbol == NULL || symbol->taken || symbol->label == NONE ||
            symbol->function != NONE) {
        return;
    }

    const struct item *label = &u->items[symbol->label];

    if (label->function == NONE || unit_label_insn(u, symbol->label) == NONE) {
        return;
    }
    symbol->taken = true;
    symbol->taken_next = u->functions[label->function].taken;
    u->functions[label->function].taken = s;
}

/* Data right behind an indirect jump is its table, up to the next label: a
 * literal pool may follow. */
static void find_table(struct unit *u, struct insn *jump)
{
    int k = u->items[jump->item].next;

    while (k != NONE && u->items[k].kind != ITEM_INSN) {
        struct item *i = &u->items[k];

        if (i->kind == ITEM_LABEL && jump->table != NONE) {
            break;
        }
        if (i->kind == ITEM_DATA) {
            struct span rest = i->rest;

            if (jump->table == NONE) {
                jump->table = k;
            }
            i->table = true;
            while (rest.n > 0) {
                mark_jumped(u, jumps_first_symbol(span_part(&rest)));
            }
        }
        k = i->next;
    }
}

/* `ldr pc, [sp], #4` is a return, whatever data lie behind it. */
static bool is_pop(const struct insn *i)
{
    return i->op == OP_LOAD && i->operand[1].n >= 3 &&
           memcmp(i->operand[1].at, "[sp", 3) == 0;
}

static bool is_indirect(const struct insn *i)
{
    if (is_pop(i)) {
        return false;
    }
    return i->op == OP_TABLE ||
           ((insn_defines(i) & 1u << 15) != 0 &&
                   (i->op == OP_LOAD || i->op == OP_MOV || i->op == OP_ADD));
}

static void link_insns(struct unit *u)
{
    for (int n = 0; n < u->ninsns; n++) {
        struct insn *i = &u->insns[n];
        int k = u->items[i->item].next;

        if (is_indirect(i)) {
            find_table(u, i);
        }
        for (; k != NONE && u->items[k].kind != ITEM_INSN;
                k = u->items[k].next) {
            i->next_data |= u->items[k].kind == ITEM_DATA;
        }
        i->next = k != NONE && !i->next_data ? u->items[k].insn : NONE;
    }
}

/* Whether a label is named by anything that can bring control to it. */
static bool is_reached(struct unit *u, const struct item *label)
{
    int s;

    if (isdigit((unsigned char)label->name.at[0])) {
        return true;
    }
    s = unit_symbol(u, label->name, false);
    return s != NONE && (u->symbols[s].jumped || u->symbols[s].taken);
}

/* Does the `it` that follows a block speak of the same condition? */
static void chain_blocks(struct unit *u, int it, int next, bool flags_kept)
{
    struct insn *i = next != NONE ? &u->insns[next] : NULL;

    if (i == NULL || i->op != OP_IT || !flags_kept || i->count != 1) {
        return;
    }
    for (int k = u->insns[it].item; k != i->item; k = u->items[k].next) {
        if (u->items[k].kind == ITEM_LABEL && is_reached(u, &u->items[k])) {
            return;
        }
    }

    int before = insn_condition(u->insns[it].operand[0]);
    int now = insn_condition(i->operand[0]);

    if (before != NONE && (before ^ now) <= 1) {
        i->slot = before == now ? SLOT_SAME : SLOT_INVERSE;
    }
}

/* Give the instructions of each IT block their place in it. */
static void find_it_blocks(struct unit *u)
{
    for (int n = 0; n < u->ninsns; n++) {
        if (u->insns[n].op != OP_IT) {
            continue;
        }

        struct span name = u->items[u->insns[n].item].name;
        int k = u->insns[n].next;
        bool flags_kept = true;

        for (size_t c = 1; c < name.n && k != NONE; c++) {
            struct insn *i = &u->insns[k];

            i->slot =
                    c == 1 || (name.at[c] | 32) == 't' ? SLOT_THEN : SLOT_ELSE;
            i->slot_last = c + 1 == name.n;
            flags_kept = flags_kept && (i->flags & INSN_SETS) == 0 &&
                         i->op != OP_BL && i->op != OP_BLX &&
                         i->op != OP_OTHER && i->op != OP_VFP;
            k = i->next;
        }
        chain_blocks(u, n, k, flags_kept);
    }
}

static void find_references(struct unit *u)
{
    for (int k = 0; k < u->nitems; k++) {
        struct item *i = &u->items[k];
        struct span rest = i->rest;

        if (i->kind == ITEM_DATA && !i->table &&
                !u->sections[i->section].debug) {
            for (;;) {
                struct span name = next_symbol(&rest);

                if (name.n == 0) {
                    break;
                }
                mark_taken(u, name);
            }
        }
        if (i->insn == NONE) {
            continue;
        }

        const struct insn *in = &u->insns[i->insn];

        if (in->op == OP_B || in->op == OP_CBZ || in->op == OP_BL) {
            mark_jumped(u, in->count > 0 ? in->operand[in->count - 1] : rest);
        } else if (in->op == OP_ADR || memchr(rest.at, '=', rest.n) != NULL ||
                   memchr(rest.at, ':', rest.n) != NULL) {
            struct span last =
                    in->count > 0 ? in->operand[in->count - 1] : rest;

            for (;;) {
                struct span name = next_symbol(&last);

                if (name.n == 0) {
                    break;
                }
                mark_taken(u, name);
            }
        }
    }
}

static void cover(struct unit *u, int from, int to, int pad)
{
    for (int k = from; k != NONE && k != to; k = u->items[k].next) {
        if (u->items[k].insn != NONE) {
            u->insns[u->items[k].insn].pad = pad;
        }
    }
}

/* The label item of the first symbol of an LSDA expression. */
static int lsda_label(struct unit *u, int item)
{
    struct span name = jumps_first_symbol(u->items[item].rest);
    int s = name.n > 0 ? unit_symbol(u, name, false) : NONE;

    return s != NONE ? u->symbols[s].label : NONE;
}

static bool ends_with_minus(struct span expression, struct span name)
{
    return expression.n > name.n &&
           expression.at[expression.n - name.n - 1] == '-' &&
           span_same(
                   (struct span){expression.at + expression.n - name.n, name.n},
                   name);
}

static void find_pads(struct unit *u)
{
    int row[2] = {NONE, NONE}; /* the last two data items of the LSDA */

    for (int k = 0; k < u->nitems; k++) {
        const struct item *i = &u->items[k];

        if (!u->sections[i->section].lsda || i->kind != ITEM_DATA) {
            continue;
        }
        if (row[0] != NONE && row[1] != NONE) {
            struct span begin = jumps_first_symbol(u->items[row[0]].rest);
            int pad = lsda_label(u, k);
            int insn = pad != NONE ? unit_label_insn(u, pad) : NONE;
            int from = lsda_label(u, row[0]);
            int to = lsda_label(u, row[1]);

            if (begin.n > 0 && from != NONE && to != NONE && insn != NONE &&
                    ends_with_minus(u->items[row[1]].rest, begin)) {
                cover(u, from, to, insn);
                mark_jumped(u, u->items[pad].name);
            }
        }
        row[0] = row[1];
        row[1] = k;
    }
}

/* Where paths meet: behind labels, and where an IT block ends or a condition
 * is set anew inside it. */
static void find_heads(struct unit *u)
{
    for (int n = 0; n < u->ninsns; n++) {
        struct insn *i = &u->insns[n];
        int k = u->items[i->item].next;

        for (; k != NONE && u->items[k].kind != ITEM_INSN;
                k = u->items[k].next) {
            i->next_label |= u->items[k].kind == ITEM_LABEL &&
                             is_reached(u, &u->items[k]);
        }
        if (k != NONE) {
            bool meets = i->slot_last || i->next_label ||
                         (i->flags & INSN_CONDITIONAL) != 0 ||
                         (i->slot != 0 && i->op == OP_TEST);

            u->insns[u->items[k].insn].head |= meets;
        }
        if (i->pad != NONE) {
            u->insns[i->pad].head = true;
        }
    }
    for (int f = 0; f < u->nfunctions; f++) {
        if (u->functions[f].first != NONE) {
            u->insns[u->functions[f].first].head = true;
        }
    }
}

enum {
    STRIDE = 64
};

/* Registers written by the instructions from `from` up to `to`. */
static uint16_t written(
        const struct unit *u, const uint16_t *strides, int from, int to)
{
    uint16_t set = 0;

    while (from <= to) {
        if (from % STRIDE == 0 && from + STRIDE - 1 <= to) {
            set |= strides[from / STRIDE];
            from += STRIDE;
        } else {
            set |= (uint16_t)insn_defines(&u->insns[from]);
            from++;
        }
    }
    return set;
}

/* What a loop writes is not known at its head. Knowing that beforehand keeps
 * the walk from taking the first turn's constants for the loop's. */
static void find_loops(struct unit *u)
{
    size_t n = (size_t)u->ninsns / STRIDE + 1;
    uint16_t *strides = mem_grow(NULL, n * sizeof *strides);

    for (size_t k = 0; k < n; k++) {
        strides[k] = 0;
    }
    for (int k = 0; k < u->ninsns; k++) {
        strides[k / STRIDE] |= (uint16_t)insn_defines(&u->insns[k]);
    }
    for (int k = 0; k < u->ninsns; k++) {
        const struct insn *i = &u->insns[k];

        if ((i->op != OP_B && i->op != OP_CBZ) || i->count == 0) {
            continue;
        }

        struct target t = jumps_target(u, i->item, i->operand[i->count - 1]);

        if (t.kind == TARGET_CODE && t.insn <= k) {
            u->insns[t.insn].varies |= written(u, strides, t.insn, k);
        }
    }
}

void jumps_find(struct unit *u)
{
    link_insns(u);
    find_references(u);
    find_pads(u);
    find_it_blocks(u);
    find_heads(u);
    find_loops(u);
}
