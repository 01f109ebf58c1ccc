/* SPDX-License-Identifier: MIT */
#include "judging.h"

void judge_complain(
        struct judge *j, int insn, const char *what, const char *way_out)
{
    if (j->w->problem.what == NULL) {
        j->w->problem =
                (struct problem){j->w->u->insns[insn].item, what, way_out};
    }
}

/* The function's own depth is that of its fixed part alone; the entry check
 * also covers what comes below a variable part, taken to be empty. */
void judge_deepen(
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

/* A jump to what has a check of its own, or ends the task: nothing below this
 * function's entry is left to answer for. */
static bool checks_itself(const struct unit *u, const struct call *c)
{
    struct span name;

    if (c->symbol == NONE) {
        return false;
    }
    name = u->symbols[c->symbol].name;
    return span_begins(name, "al_") || span_is(name, "panic_caller");
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
    j->v->calls |= !(c.tail && checks_itself(u, &c));
    j->tail |= c.tail;
    if (c.symbol == NONE) {
        return;
    }

    const struct symbol *s = &u->symbols[c.symbol];
    long bound = s->label == NONE ? options_bound(j->o, s->name) : -1;

    if (bound > 0) {
        judge_deepen(j, c.depth, c.depth + (int32_t)bound, c.bases);
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
        judge_complain(j, insn, "writes r9, which holds the stack limit",
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
        judge_complain(j, insn, "assembly written by hand moves sp",
                "state its depth in the assembly by a line `@alula: depth N', "
                "or mark the function by `@alula: unchecked N'");
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
    judge_deepen(j, e.deepest, e.deepest, before.bases);
    judge_deepen(j, s.depth, s.depth, s.bases);
    j->above |= e.above;
    look_at_registers(j, insn, &before);
    variable_alignment(j, i, &before);
    look_at_asm(j, insn, &e);
    if (may_leave(i) && !is_return(i)) {
        charge_call(j, insn, &before);
    }
    if (e.move != MOVE_NONE) {
        variable_site(j, insn, &before, &e);
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

    if (u->functions[function].raw) {
        v->form = FORM_RAW;
    } else if (j->o->mode == MODE_KERNEL) {
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
            judge_complain(j, insn,
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
    if (f->raw && j->v->nsites > 0) {
        *p = (struct problem){where,
                "it is a raw interrupt handler, which nothing checks, and its "
                "frame has no fixed size",
                "give its arrays a fixed size, or define it by AL_IRQ"};
    }
    if (f->arm) {
        *p = (struct problem){where, "it is code for the Arm state",
                "write it for Thumb: Cortex-M has no other"};
    }
    if (span_begins(unit_function_name(u, j->w->function), "OUTLINED_") &&
            j->v->effective > 0) {
        *p = (struct problem){where,
                "it was cut out of other functions by the compiler, whose "
                "flags and ip it must keep",
                "compile with -mno-outline"};
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
        variable_rounding(&j, &v->sites[k]);
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
