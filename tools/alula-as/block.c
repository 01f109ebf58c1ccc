/* SPDX-License-Identifier: MIT */
#include "emit.h"

/*
 * IT blocks that a variable frame's check goes into. The check does not fit in
 * (a block has four instructions at most), so that
 *
 *     itt hi ; subhi sp, sp, r0 ; movhi r0, sp
 *
 * becomes a branch on the opposite condition around sub and mov, and the check
 * goes between. Each run of instructions with one condition gets a branch of
 * its own; the checks keep the flags where they are still wanted.
 */

static const char *condition_name(int condition)
{
    static const char *const names[] = {"eq", "ne", "cs", "cc", "mi", "pl",
            "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le", "al"};

    return names[condition];
}

static int block_of(const struct unit *u, int insn)
{
    while (insn > 0 && u->insns[insn].op != OP_IT) {
        insn--;
    }
    return insn;
}

/* `subhi.w` to `sub.w`. */
static void strip_condition(struct emit *e, const struct insn *i)
{
    struct span name = e->u->items[i->item].name;
    size_t bare = 0;

    while (bare < name.n && name.at[bare] != '.') {
        bare++;
    }
    emit_replace(e, (struct span){name.at + bare - 2, 2}, "");
}

static void close_run(struct emit *e, const struct insn *last, int label)
{
    const struct span rest = e->u->items[last->item].rest;
    struct insert *c = VEC_ADD(e->closes, e->ncloses, e->closes_room);

    *c = (struct insert){.offset = (uint32_t)(rest.at + rest.n - e->u->work),
            .text = mem_text("; .Lal_s%d: ", label)};
}

static void open_block(struct emit *e, int it)
{
    struct unit *u = e->u;
    struct insn *block = &u->insns[it];
    int condition = insn_condition(block->operand[0]);
    const struct item *head = &u->items[block->item];
    int run = SLOT_OUTSIDE;
    int label = NONE;
    const struct insn *before = NULL;

    if (block->extra != 0) {
        return; /* done */
    }
    block->extra = 4;
    emit_replace(e,
            (struct span){head->name.at,
                    (size_t)(head->rest.at + head->rest.n - head->name.at)},
            "");
    for (int k = block->next; k != NONE; k = u->insns[k].next) {
        const struct insn *i = &u->insns[k];

        if (i->slot != run) {
            if (label != NONE) {
                close_run(e, before, label);
            }
            run = i->slot;
            label = e->nlabels++;
            emit_insert(e, u->items[i->item].offset,
                    mem_text("b%s .Lal_s%d; ",
                            condition_name(condition ^ (run == SLOT_THEN)),
                            label));
        }
        strip_condition(e, i);
        before = i;
        if (i->slot_last) {
            break;
        }
    }
    if (label != NONE) {
        close_run(e, before, label);
    }
}

void block_open(struct emit *e, const struct verdict *v)
{
    for (int k = 0; k < v->nsites; k++) {
        int insn = v->sites[k].insn;

        if (e->u->insns[insn].slot != SLOT_OUTSIDE) {
            open_block(e, block_of(e->u, insn));
        }
    }
    for (int k = 0; k < v->nroundings; k++) {
        int insn = v->roundings[k].insn;

        if (e->u->insns[insn].slot != SLOT_OUTSIDE) {
            open_block(e, block_of(e->u, insn));
        }
    }
}

void block_close(struct emit *e)
{
    for (int k = 0; k < e->ncloses; k++) {
        emit_insert(e, e->closes[k].offset, e->closes[k].text);
    }
    e->ncloses = 0;
}
