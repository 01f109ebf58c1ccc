/* SPDX-License-Identifier: MIT */
#include "judging.h"

/*
 * Where sp moves by an unknown amount, which registers the check may use, and
 * which addition rounded the amount up.
 */

/* Code that aligns an address in the stack. sp is a multiple of 8 wherever a
 * compiler's function begins; only Clang's attribute `interrupt' makes it so
 * again. */
void variable_alignment(
        struct judge *j, const struct insn *i, const struct state *before)
{
    const char *name = j->w->u->items[i->item].name.at;
    int r = i->count > 0 ? insn_register(
                                   i->operand[i->count > 2 && i->op == OP_MASK])
                         : NONE;
    long long n;

    if ((i->op != OP_BFC && i->op != OP_MASK) || r < 0 || r > 12 ||
            before->r[r].kind != VALUE_SP ||
            !span_number(i->operand[i->count - 1], &n) || n < 0 ||
            (n > 20 && (name[0] | 32) == 'l')) {
        return;
    }
    if (i->op == OP_BFC && n == 3 && before->r[r].mask == BASE_ENTRY) {
        j->interrupt = true;
    }

    /* bic clears n, lsr the lowest n bits. */
    uint32_t clear = (name[0] | 32) == 'l' ? (1u << n) - 1 : (uint32_t)n;

    if (clear < 4096 && clear > j->aligned) {
        j->aligned = clear;
    }
}

/* The last of the instructions that share this one's condition in its IT
 * block, which becomes a branch around them (block.c). */
static int last_of_run(const struct unit *u, int insn)
{
    const struct insn *i = &u->insns[insn];

    while (i->slot != SLOT_OUTSIDE && !i->slot_last &&
            u->insns[i->next].slot == i->slot) {
        insn = i->next;
        i = &u->insns[insn];
    }
    return insn;
}

void variable_site(struct judge *j, int insn, const struct state *before,
        const struct effect *e)
{
    struct verdict *v = j->v;
    const struct insn *i = &j->w->u->insns[insn];

    if (i->slot == SLOT_OUTSIDE && (i->flags & INSN_CONDITIONAL) != 0) {
        judge_complain(j, insn,
                "sp moves by a variable amount under a condition",
                "write the condition as a branch");
        return;
    }

    struct site *s = VEC_ADD(v->sites, v->nsites, v->sites_room);

    *s = (struct site){.insn = insn,
            .effect = *e,
            .depth = before->depth,
            .scratch = NONE,
            .flags = NONE};
    for (int r = 12; r >= 0; r = r == 12 ? 3 : r - 1) {
        if (r == e->size || (insn_uses(i) & 1u << r) != 0 ||
                live_after(j->w, insn, r)) {
            continue;
        }
        if (s->scratch == NONE) {
            s->scratch = r;
        } else if (s->flags == NONE) {
            s->flags = r;
        }
    }
    s->flags_live = live_after(j->w, last_of_run(j->w->u, insn), REG_FLAGS);
    judge_deepen(j, before->depth, before->depth, BASE_MOVED);

    /* What the check itself pushes. */
    int32_t pushed = s->scratch == NONE                  ? 4
                     : s->flags == NONE && s->flags_live ? 4
                                                         : 0;

    pushed += s->scratch == NONE && s->flags_live ? 4 : 0;
    judge_deepen(
            j, before->depth + pushed, before->depth + pushed, before->bases);
}

/* No label and no jump lies between the two instructions. */
static bool straight(const struct unit *u, int from, int to)
{
    while (from != NONE && from != to) {
        const struct insn *i = &u->insns[from];

        if (i->next_label || i->op == OP_B || i->op == OP_CBZ ||
                insn_ends_block(i)) {
            return false;
        }
        from = i->next;
    }
    return from == to;
}

/* A size n is rounded up as (n + mask) & ~mask: a sum below the mask has
 * carried out, whatever n is the sum of. For an array aligned to more than 8
 * compilers add that alignment less one, and align the address later. */
static uint32_t added_mask(const struct judge *j, int insn, uint32_t mask)
{
    const struct walk *w = j->w;
    long long sum = 0;
    long long n;

    for (int steps = 0; steps < 4; steps++) {
        const struct insn *i = &w->u->insns[insn];
        int from = insn_register(i->operand[i->count > 2]);

        if (!span_number(i->operand[i->count - 1], &n) || from < 0 ||
                from > 12 || w->where[insn * 2] == NONE) {
            break;
        }
        sum += n;
        if (sum > (long long)mask && sum <= (long long)j->aligned &&
                (sum & (sum + 1)) == 0) {
            return (uint32_t)sum;
        }

        struct value v = w->states[w->where[insn * 2]].r[from];

        if (v.kind != VALUE_GROWN) {
            break;
        }
        insn = v.n;
    }
    return mask;
}

/* The addition that rounded this move's size up gets a check of its own. */
void variable_rounding(struct judge *j, const struct site *site)
{
    struct walk *w = j->w;
    struct verdict *v = j->v;
    int insn = site->effect.grown;

    if (insn == NONE) {
        return;
    }
    for (int k = 0; k < v->nroundings; k++) {
        if (v->roundings[k].insn == insn) {
            return;
        }
    }
    struct rounding *r =
            VEC_ADD(v->roundings, v->nroundings, v->roundings_room);

    *r = (struct rounding){
            .insn = insn,
            .mask = added_mask(j, insn, site->effect.mask),
            .same_block = straight(w->u, insn, site->insn),
            .flags_live = live_after(w, last_of_run(w->u, insn), REG_FLAGS),
    };
    r->flags = NONE;
    for (int reg = 12; reg >= 0 && r->flags_live && r->flags == NONE;
            reg = reg == 12 ? 3 : reg - 1) {
        if ((insn_defines(&w->u->insns[insn]) & 1u << reg) == 0 &&
                !live_after(w, insn, reg)) {
            r->flags = reg;
        }
    }
    if (r->flags_live && r->flags == NONE) {
        const struct state *s = &w->states[w->where[insn * 2]];

        judge_deepen(j, s->depth + 4, s->depth + 4, s->bases);
    }
}
