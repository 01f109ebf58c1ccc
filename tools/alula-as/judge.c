/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <string.h>

struct judge {
    struct walk *w;
    const struct options *o;
    struct verdict *v;
    bool interrupt;
    uint32_t aligned; /* largest mask that aligns an address in the stack */
    bool tail;        /* continues in another function */
    bool above;       /* touches the caller's frame */
};

static void complain(
        struct judge *j, int insn, const char *what, const char *way_out)
{
    if (j->w->problem.what == NULL) {
        j->w->problem =
                (struct problem){j->w->u->insns[insn].item, what, way_out};
    }
}

/* The function's own depth is that of its fixed part alone; the entry check
 * also covers what comes below a variable part, taken to be empty. */
static void deepen(
        struct judge *j, int32_t own, int32_t effective, unsigned bases)
{
    struct verdict *v = j->v;

    v->effective = effective > v->effective ? effective : v->effective;
    if ((bases & BASE_ENTRY) != 0 && own > v->own) {
        v->own = own;
    }
    if ((bases & BASE_MOVED) != 0 && effective > v->variable) {
        v->variable = effective;
    }
}

/* Charge the stated bound of a precompiled callee. */
static void charge_call(struct judge *j, int insn, const struct state *before)
{
    struct unit *u = j->w->u;
    struct call c = walk_call(u, insn, before);
    const struct insn *i = &u->insns[insn];
    bool own_jump = i->op == OP_B && c.symbol == NONE;

    if (own_jump) {
        return;
    }
    j->v->calls = true;
    j->tail |= c.tail;
    if (c.symbol == NONE) {
        return;
    }

    const struct symbol *s = &u->symbols[c.symbol];
    long bound = s->label == NONE ? options_bound(j->o, s->name) : -1;

    if (bound > 0) {
        deepen(j, c.depth, c.depth + (int32_t)bound, c.bases);
    }
    /* A nested function finds its static chain in ip; it may come from our
     * own caller when nothing has written ip. */
    if (before->r[12].kind == VALUE_ENTRY && unit_may_be_nested(s->name)) {
        j->v->ip_live = true;
    }
}

static bool may_leave(const struct insn *i)
{
    return i->op == OP_B || i->op == OP_BL || i->op == OP_BLX ||
           i->op == OP_BX ||
           ((insn_defines(i) & 1u << 15) != 0 &&
                   (i->op == OP_LOAD || i->op == OP_MOV));
}

static bool is_return(const struct insn *i)
{
    int reg = i->count > 0 ? insn_register(i->operand[i->count - 1]) : NONE;

    if (i->op == OP_LOAD) {
        return i->count > 1 &&
               insn_register((struct span){i->operand[1].at + 1, 2}) == 13;
    }
    return (i->op == OP_BX || i->op == OP_MOV) && reg == 14;
}

/* What an instruction does to registers that are not the function's. */
static void look_at_registers(
        struct judge *j, int insn, const struct state *before)
{
    const struct insn *i = &j->w->u->insns[insn];

    if ((insn_defines(i) & 1u << 9) != 0 && j->o->mode == MODE_APP) {
        complain(j, insn, "writes r9, which holds the stack limit",
                "compile with -ffixed-r9, or mark the function by "
                "`@alula: unchecked N'");
    }
    if ((insn_uses(i) & 1u << 12) != 0 && before->r[12].kind == VALUE_ENTRY) {
        j->v->ip_live = true;
    }
}

/* An asm statement may move sp only with its depth stated. The whole of a
 * hand-written file is one, and so is a function of file-scope assembly; the kernel's is interpreted, since its functions
 * are not checked one by one. */
static void look_at_asm(struct judge *j, int insn, const struct effect *e)
{
    const struct item *item = &j->w->u->items[j->w->u->insns[insn].item];

    if (!e->moves_sp) {
        return;
    }
    bool by_hand =
            item->statement != NONE ||
            (j->w->u->gcc && j->w->u->functions[j->w->function].args < 0);

    if (by_hand && j->o->mode == MODE_APP) {
        complain(j, insn, "assembly written by hand moves sp",
                "state its depth in the assembly by a line `@alula: depth N', "
                "or mark the function by `@alula: unchecked N'");
    }
}

/* Code that aligns an address in the stack. sp is a multiple of 8 wherever a
 * compiler's function begins; only Clang's attribute `interrupt' makes it so
 * again. */
static void look_at_alignment(
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

static void add_site(struct judge *j, int insn, const struct state *before,
        const struct effect *e)
{
    struct verdict *v = j->v;
    const struct insn *i = &j->w->u->insns[insn];

    if (i->slot == SLOT_OUTSIDE && (i->flags & INSN_CONDITIONAL) != 0) {
        complain(j, insn, "sp moves by a variable amount under a condition",
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
    deepen(j, before->depth, before->depth, BASE_MOVED);

    /* What the check itself pushes. */
    int32_t pushed = s->scratch == NONE                  ? 4
                     : s->flags == NONE && s->flags_live ? 4
                                                         : 0;

    pushed += s->scratch == NONE && s->flags_live ? 4 : 0;
    deepen(j, before->depth + pushed, before->depth + pushed, before->bases);
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
static void add_rounding(struct judge *j, const struct site *site)
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

        deepen(j, s->depth + 4, s->depth + 4, s->bases);
    }
}

static void look_at(struct judge *j, int at)
{
    struct walk *w = j->w;
    int insn = at / 2;
    const struct insn *i = &w->u->insns[insn];
    struct state s = w->states[w->where[at]];
    const struct state before = s;
    struct effect e;

    if (!walk_executes(i, at & 1)) {
        return;
    }
    flow_step(w->u, insn, &s, &e);
    deepen(j, e.deepest, e.deepest, before.bases);
    deepen(j, s.depth, s.depth, s.bases);
    j->above |= e.above;
    look_at_registers(j, insn, &before);
    look_at_alignment(j, i, &before);
    look_at_asm(j, insn, &e);
    if (may_leave(i) && !is_return(i)) {
        charge_call(j, insn, &before);
    }
    if (e.move != MOVE_NONE) {
        add_site(j, insn, &before, &e);
    }
}

static void choose_form(struct judge *j)
{
    struct verdict *v = j->v;
    const struct unit *u = j->w->u;
    int function = j->w->function;
    struct span name = unit_function_name(u, function);
    bool api = span_begins(name, "al_") &&
               u->symbols[u->functions[function].symbol].global;

    if (j->o->mode == MODE_KERNEL) {
        v->form = !api                            ? FORM_INTERNAL
                  : v->effective != 0 || v->calls ? FORM_SMALL
                                                  : FORM_NONE;
    } else if (v->effective == 0) {
        v->form = FORM_NONE;
    } else if (v->effective <= 64) {
        v->form = FORM_SMALL;
    } else {
        v->form = v->ip_live ? FORM_IP_FREE : FORM_LARGE;
    }
    v->form |= v->nsites > 0 ? FORM_VARIABLE : 0;
}

/* A label whose address data holds, in code that nothing here jumps to. */
static void look_for_hidden_jumps(struct judge *j)
{
    struct walk *w = j->w;
    const struct unit *u = w->u;
    int l = u->functions[w->function].taken;

    for (; l != NONE; l = u->symbols[l].taken_next) {
        int insn = unit_label_insn(u, u->symbols[l].label);

        if (insn != NONE && w->where[insn * 2] == NONE) {
            complain(j, insn,
                    "data holds the address of code in it that nothing seen "
                    "here jumps to",
                    "mark the function by `@alula: unchecked N'");
        }
    }
}

static void look_at_whole(struct judge *j)
{
    struct unit *u = j->w->u;
    const struct function *f = &u->functions[j->w->function];
    struct problem *p = &j->w->problem;
    int where = f->first != NONE ? u->insns[f->first].item : f->label;

    if (f->interrupt || j->interrupt) {
        *p = (struct problem){where,
                "it has the attribute `interrupt', which realigns sp",
                "drop the attribute: on Cortex-M a handler is a plain "
                "function"};
    }
    if (f->patchable) {
        *p = (struct problem){where,
                "it begins with patchable nops, before which no check fits",
                "drop -fpatchable-function-entry and the attribute"};
    }
    if (f->trampoline) {
        *p = (struct problem){where,
                "it takes the address of a nested function, which needs code "
                "on the stack",
                "pass the data by an argument instead"};
    }
    if (p->what == NULL) {
        look_for_hidden_jumps(j);
    }
    if (p->what == NULL && j->v->own < f->stated) {
        *p = (struct problem){where,
                "the unwind directives describe a deeper frame than its "
                "instructions make",
                "report this to the authors of alula-as with the .s file"};
    }
    if (p->what == NULL && j->v->effective > j->o->ram) {
        *p = (struct problem){where,
                mem_text("its frame of %ld bytes is larger than the board's "
                         "RAM of %ld bytes",
                        (long)j->v->effective, j->o->ram),
                "make large local variables static, or allocate them"};
    }
}

void judge_function(struct walk *w, const struct options *o, struct verdict *v)
{
    const struct function *f = &w->u->functions[w->function];
    struct judge j = {.w = w, .o = o, .v = v};

    *v = (struct verdict){.variable = -1, .args = f->args};
    if (f->unchecked >= 0) {
        v->own = (int32_t)f->unchecked;
        v->effective = v->own;
        v->args = v->args < 0 ? 0 : v->args;
        v->form = FORM_UNCHECKED;
        return;
    }
    walk_function(w, w->function);
    for (int k = 0; k < w->nseen; k++) {
        look_at(&j, w->seen[k]);
    }
    for (int k = 0; k < v->nsites; k++) {
        add_rounding(&j, &v->sites[k]);
    }
    look_at_whole(&j);
    if (v->args < 0 && !j.above && !j.tail) {
        v->args = 0;
    }
    choose_form(&j);
    if (w->problem.what != NULL) {
        diag_error(w->u, w->function, w->problem.item, w->problem.what,
                w->problem.way_out);
    }
}
