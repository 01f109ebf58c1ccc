/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Finds what may be reached how: the instruction that follows each one, jump
 * tables, labels whose address is taken, landing pads.
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

void jumps_find(struct unit *u)
{
    link_insns(u);
    find_references(u);
    find_pads(u);
}
