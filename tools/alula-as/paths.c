/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Where paths part and meet: IT blocks and labels.
 */

#include <ctype.h>

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

void paths_find(struct unit *u)
{
    find_it_blocks(u);
    find_heads(u);
}
