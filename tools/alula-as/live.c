/* SPDX-License-Identifier: MIT */
#include "judge.h"

/*
 * Is a register, or are the flags, read again after an instruction?
 *
 * A search forwards from the instruction that gives up, with the answer yes,
 * wherever it gets difficult: at an indirect jump, at the end of the
 * function, after LOOK instructions.
 */

enum {
    LOOK = 64
};

struct look {
    struct walk *w;
    int reg;
    int seen[LOOK];
    int nseen;
};

static bool reads(const struct insn *i, int reg)
{
    if (reg == REG_FLAGS) {
        return (i->flags & (INSN_READS | INSN_CONDITIONAL)) != 0 ||
               i->op == OP_OTHER || i->op == OP_RAW || i->op == OP_SVC;
    }
    if (i->op == OP_BL || i->op == OP_BLX || i->op == OP_SVC) {
        return reg < 4 || (insn_uses(i) & 1u << reg) != 0;
    }
    return (insn_uses(i) & 1u << reg) != 0;
}

static bool kills(const struct insn *i, int reg)
{
    bool call = i->op == OP_BL || i->op == OP_BLX;

    if (i->slot != 0 || (i->flags & INSN_CONDITIONAL) != 0) {
        return false;
    }
    if (reg == REG_FLAGS) {
        return call || (i->flags & INSN_SETS) != 0;
    }
    return call ? (0x500fu & 1u << reg) != 0 : (insn_kills(i) & 1u << reg) != 0;
}

/* A nested function reads ip. */
static bool may_be_nested(const struct insn *i)
{
    return unit_may_be_nested(i->count > 0 ? i->operand[0] : span_of(""));
}

/* The caller expects nothing in ip or the flags. */
static bool is_return(const struct insn *i)
{
    if (i->op == OP_BX) {
        return insn_register(i->operand[0]) == 14;
    }
    return (insn_defines(i) & 1u << 15) != 0 &&
           (i->op == OP_POP ||
                   (i->op == OP_LDM && (insn_uses(i) & 1u << 13) != 0));
}

static bool live_at(struct look *l, int insn);

/* Control leaves the line here; *answer is final when this says so. */
static bool decided(struct look *l, const struct insn *i, bool *answer)
{
    struct unit *u = l->w->u;

    *answer = true;
    if (i->op == OP_B || i->op == OP_CBZ) {
        struct target t = jumps_target(u, i->item,
                i->count > 0 ? i->operand[i->count - 1] : span_of(""));
        bool there = true;

        if (t.kind == TARGET_FUNCTION && l->reg >= 12) {
            there = l->reg == 12 && may_be_nested(i);
        } else if (t.kind == TARGET_CODE) {
            there = live_at(l, t.insn);
        }
        *answer = there;
        return there || insn_ends_block(i);
    }
    if (insn_ends_block(i)) {
        *answer = l->reg < 12 || !is_return(i);
        return true;
    }
    return i->pad != NONE && live_at(l, i->pad);
}

static bool live_at(struct look *l, int insn)
{
    struct unit *u = l->w->u;

    for (; insn != NONE; insn = u->insns[insn].next) {
        const struct insn *i = &u->insns[insn];
        bool answer;

        for (int k = 0; k < l->nseen; k++) {
            if (l->seen[k] == insn) {
                return false;
            }
        }
        if (l->nseen == LOOK || reads(i, l->reg)) {
            return true;
        }
        l->seen[l->nseen++] = insn;
        if (kills(i, l->reg)) {
            return l->reg == 12 && i->op == OP_BL && may_be_nested(i);
        }
        if (decided(l, i, &answer)) {
            return answer;
        }
    }
    return true;
}

bool live_after(struct walk *w, int insn, int reg)
{
    struct look l = {.w = w, .reg = reg};

    return live_at(&l, w->u->insns[insn].next);
}
