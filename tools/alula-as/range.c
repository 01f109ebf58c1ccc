/* SPDX-License-Identifier: MIT */
#include "emit.h"

/*
 * Branches over a variable frame's check, which the compiler did not count.
 *
 * Most branches are relaxed by the assembler. Two forms are not: cbz reaches
 * 126 bytes, a tbb entry 510. Where the distance may be larger now, cbz
 * becomes cmp and beq, and tbb with its table becomes tbh. (Compilers print
 * cbz only where the flags are dead; where they are not, it stays.)
 *
 * Not here: literal pools. Their reach is 1020 bytes at least, and one that
 * becomes too far is an error of the assembler, never silent.
 */

#include <limits.h>

enum {
    CBZ_REACH = 126,
    TBB_REACH = 510
};

/* At most so many bytes lie between an instruction and one behind it; huge
 * when data lies between as well, 0 when the other is not behind. */
static long distance(const struct unit *u, int from, int to)
{
    long bytes = 0;

    for (int n = from; n != to; n = u->insns[n].next) {
        if (n == NONE) {
            return LONG_MAX;
        }
        bytes += 4 + u->insns[n].extra;
    }
    return bytes + u->insns[to].extra;
}

static bool checks_between(const struct unit *u, int from, int to)
{
    for (int n = from; n <= to; n++) {
        if (u->insns[n].extra != 0) {
            return true;
        }
    }
    return false;
}

static void repair_cbz(struct emit *e, struct walk *w, int insn)
{
    struct unit *u = e->u;
    const struct insn *i = &u->insns[insn];
    const struct item *item = &u->items[i->item];

    if (i->count != 2) {
        return;
    }

    struct target t = jumps_target(u, i->item, i->operand[1]);

    if (t.kind != TARGET_CODE || !checks_between(u, insn, t.insn) ||
            distance(u, insn, t.insn) <= CBZ_REACH ||
            live_after(w, insn, REG_FLAGS)) {
        return;
    }
    emit_replace(e,
            (struct span){item->name.at,
                    (size_t)(item->rest.at + item->rest.n - item->name.at)},
            mem_text("cmp %.*s, #0; b%s %.*s", (int)i->operand[0].n,
                    i->operand[0].at, item->name.n == 3 ? "eq" : "ne",
                    (int)i->operand[1].n, i->operand[1].at));
}

static bool table_is_far(struct unit *u, const struct insn *i, int insn)
{
    for (int k = i->table; k != NONE && u->items[k].table;
            k = u->items[k].next) {
        struct span rest = u->items[k].rest;

        while (rest.n > 0) {
            struct span name = jumps_first_symbol(span_part(&rest));
            struct target t = jumps_target(u, k, name);

            /* The table itself lies between. */
            if (t.kind == TARGET_CODE && checks_between(u, insn, t.insn)) {
                return true;
            }
        }
    }
    return false;
}

static void repair_tbb(struct emit *e, int insn)
{
    struct unit *u = e->u;
    const struct insn *i = &u->insns[insn];
    const struct item *item = &u->items[i->item];

    if (item->name.n < 3 || (item->name.at[2] | 32) != 'b' ||
            i->table == NONE || !table_is_far(u, i, insn)) {
        return;
    }

    struct span inner = {i->operand[0].at + 1, i->operand[0].n - 2};

    emit_replace(e,
            (struct span){item->name.at,
                    (size_t)(item->rest.at + item->rest.n - item->name.at)},
            mem_text("tbh [%.*s, lsl #1]", (int)inner.n, inner.at));
    for (int k = i->table; k != NONE && u->items[k].table;
            k = u->items[k].next) {
        emit_replace(e, u->items[k].name, mem_text(".2byte"));
    }
}

void range_repair(struct emit *e, struct walk *w)
{
    for (int k = 0; k < w->nseen; k++) {
        int insn = w->seen[k] / 2;

        if (w->seen[k] % 2 != 0) {
            continue;
        }
        if (e->u->insns[insn].op == OP_CBZ) {
            repair_cbz(e, w, insn);
        } else if (e->u->insns[insn].op == OP_TABLE) {
            repair_tbb(e, insn);
        }
    }
}
