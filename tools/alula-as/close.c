/* SPDX-License-Identifier: MIT */
#include "emit.h"

/*
 * Where the calls of scopes' cleanups come back to: .alula.closes, sorted as
 * the code is. The note stands before the call; compilers may put a jump
 * between the two when they merge the ends of blocks.
 *
 * Each entry asks for the code that reads them: an image without such calls
 * links none.
 */

#include <stdlib.h>

enum {
    STEPS = 64 /* between a note and its call, at most */
};

static bool is_close(const struct item *i)
{
    struct span rest = i->rest;

    return i->kind == ITEM_NOTE && span_is(span_word(&rest), "alula:") &&
           span_is(span_trim(rest), "close");
}

static int first_insn_after(const struct unit *u, int item)
{
    int k = u->items[item].next;

    while (k != NONE && u->items[k].kind != ITEM_INSN) {
        k = u->items[k].kind == ITEM_DATA ? NONE : u->items[k].next;
    }
    return k != NONE ? u->items[k].insn : NONE;
}

/* The call's item, or NONE. */
static int call_after(struct unit *u, int item)
{
    int n = first_insn_after(u, item);

    for (int steps = 0; n != NONE && steps < STEPS; steps++) {
        const struct insn *i = &u->insns[n];

        if (i->op == OP_BL || i->op == OP_BLX) {
            return i->item;
        }
        if ((i->flags & INSN_CONDITIONAL) != 0 || i->op == OP_CBZ) {
            return NONE;
        }
        n = i->op == OP_B ? jumps_target(u, i->item, i->operand[0]).insn
                          : i->next;
    }
    return NONE;
}

static int by_place(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void put_site(struct emit *e, int call, int number)
{
    const struct item *i = &e->u->items[call];

    emit_insert(e, (uint32_t)(i->rest.at + i->rest.n - e->u->work),
            mem_text("; .Lal_c%d:", number));
    emit_section(e, ".alula.closes", "ao", i->section);
    buf_format(&e->records,
            "\t.reloc ., R_ARM_NONE, al_cleanup_support\n"
            "\t.word .Lal_c%d\n",
            number);
}

void close_sites(struct emit *e)
{
    struct unit *u = e->u;
    int *calls = NULL;
    int ncalls = 0;
    int room = 0;

    for (int k = 0; k < u->nitems; k++) {
        const struct item *i = &u->items[k];

        if (!is_close(i) || i->function == NONE) {
            continue;
        }

        int call = call_after(u, k);

        if (call == NONE) {
            diag_error(u, i->function, k, "no call follows `@alula: close'",
                    "let a plain call follow the note");
            continue;
        }
        *VEC_ADD(calls, ncalls, room) = call;
    }
    if (ncalls > 0) {
        qsort(calls, (size_t)ncalls, sizeof *calls, by_place);
    }
    for (int k = 0; k < ncalls; k++) {
        if (k == 0 || calls[k] != calls[k - 1]) {
            put_site(e, calls[k], k);
        }
    }
}
