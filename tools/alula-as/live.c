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
    int left;
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
        return reg < 4 || (i->op != OP_BL && reg == 12) ||
               (insn_uses(i) & 1u << reg) != 0;
    }
    return (insn_uses(i) & 1u << reg) != 0;
}

static bool kills(const struct unit *u, const struct insn *i, int reg)
{
    bool call = i->op == OP_BL || i->op == OP_BLX;

    (void)u;
    if (i->slot != 0 || (i->flags & INSN_CONDITIONAL) != 0) {
        return false;
    }
    if (reg == REG_FLAGS) {
        return call || (i->flags & INSN_SETS) != 0;
    }
    return call ? (0x500fu & 1u << reg) != 0 : (insn_kills(i) & 1u << reg) != 0;
}

static bool live_at(struct look *l, int insn)
{
    struct unit *u = l->w->u;

    for (; insn != NONE; insn = u->insns[insn].next) {
        const struct insn *i = &u->insns[insn];

        for (int k = 0; k < l->nseen; k++) {
            if (l->seen[k] == insn) {
                return false;
            }
        }
        if (l->nseen == LOOK || reads(i, l->reg)) {
            return true;
        }
        l->seen[l->nseen++] = insn;
        if (kills(u, i, l->reg)) {
            /* A nested function reads ip, whatever calls it. */
            struct span to = i->count > 0 ? i->operand[0] : span_of("");
            bool nested = false;

            for (size_t c = 0; c < to.n; c++) {
                nested |= to.at[c] == '.';
            }
            return l->reg == 12 && i->op == OP_BL && nested;
        }
        if (i->op == OP_B || i->op == OP_CBZ) {
            struct target t = jumps_target(u, i->item,
                    i->count > 0 ? i->operand[i->count - 1] : span_of(""));

            if (t.kind != TARGET_CODE || live_at(l, t.insn)) {
                return true;
            }
            if (insn_ends_block(i)) {
                return false;
            }
        } else if (insn_ends_block(i)) {
            return true;
        }
        if (i->pad != NONE && live_at(l, i->pad)) {
            return true;
        }
    }
    return true;
}

bool live_after(struct walk *w, int insn, int reg)
{
    struct look l = {.w = w, .reg = reg};

    return live_at(&l, w->u->insns[insn].next);
}
