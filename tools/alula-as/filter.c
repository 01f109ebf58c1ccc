/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <string.h>

#include "emit.h"

/* Code that belongs to no function cannot be checked. */
static void look_for_strays(struct unit *u)
{
    for (int n = 0; n < u->ninsns; n++) {
        int item = u->insns[n].item;

        if (u->items[item].function == NONE) {
            diag_error(u, NONE, item, "instructions outside any function",
                    "give the function's label a `.type NAME, %function'");
            return;
        }
    }
}

/*
 * GCC pushes r3 for alignment and says that it saved it, which makes the unwind
 * instructions of most such functions one byte too long for the index table:
 * 12 bytes more, and an entry that the linker can merge with no other. No walk
 * needs r3, so it is padding.
 */
static void shorten_unwinding(struct emit *e)
{
    static const char r3[] = "{r3, ";
    const struct unit *u = e->u;

    for (int n = 0; n < u->nitems; n++) {
        const struct item *i = &u->items[n];
        struct span rest = i->rest;

        if (i->kind == ITEM_DIRECTIVE && span_is(i->name, ".save") &&
                span_begins(rest, r3)) {
            rest.at += sizeof r3 - 1;
            rest.n -= sizeof r3 - 1;
            emit_replace(e, i->rest,
                    mem_text("{%.*s; .pad #4", (int)rest.n, rest.at));
        }
    }
}

/* A landing pad of another language than C may be there to catch: what tells is
 * in an image only if something asks for it (arch/cortexm/actions.c). */
static void ask_for_actions(struct emit *e)
{
    const struct unit *u = e->u;

    for (int n = 0; n < u->nitems; n++) {
        const struct item *i = &u->items[n];
        struct span name = i->rest;

        if (i->kind == ITEM_DIRECTIVE && span_is(i->name, ".personality") &&
                !span_is(name, "__gcc_personality_v0")) {
            emit_replace(e, name,
                    mem_text("%.*s; .reloc ., R_ARM_NONE, al_action_support",
                            (int)name.n, name.at));
        }
    }
}

/* The kernel's code stands together in an image (arch/cortexm/image.ld). */
static void name_sections(struct emit *e)
{
    const struct unit *u = e->u;

    for (int n = 0; n < u->nitems; n++) {
        const struct item *i = &u->items[n];
        struct span rest = i->rest;

        if (i->kind == ITEM_DIRECTIVE &&
                (span_is(i->name, ".section") ||
                        span_is(i->name, ".pushsection"))) {
            struct span name = span_part(&rest);

            emit_replace(e, name, emit_section_name(e, name));
        }
    }
}

/* Filter one input into `out`. */
bool filter_file(const struct options *o, const char *input, FILE *messages,
        struct buf *out)
{
    bool standard = strcmp(input, "-") == 0;
    FILE *in = standard ? stdin : fopen(input, "r");
    struct unit u = {.name = standard ? "{standard input}" : input,
            .messages = messages};

    if (in == NULL || !unit_read(&u, in, o)) {
        fprintf(messages, "alula-as: error: cannot read %s: %s\n", input,
                strerror(errno));
        return false;
    }
    if (!standard) {
        fclose(in);
    }

    struct walk w = {.u = &u};
    struct emit e = {.u = &u, .o = o};

    look_for_strays(&u);
    for (int f = 0; f < u.nfunctions; f++) {
        struct verdict v;

        if (u.functions[f].parent != NONE) {
            continue; /* a cold part: walked with its function */
        }

        w.function = f;
        judge_function(&w, o, &v);
        check_function(&e, f, &v);
        emit_record(&e, f, &v);
        if (v.nsites > 0) {
            range_repair(&e, &w);
        }
        walk_forget(&w);
    }
    close_sites(&e);
    shorten_unwinding(&e);
    ask_for_actions(&e);
    if (o->mode == MODE_KERNEL) {
        name_sections(&e);
    }
    if (u.hand_written && !standard && u.text.n > 0 && u.text.p[0] != '#') {
        /* The real assembler reads a pipe: keep the file's name in its
         * messages and in the line table. */
        buf_format(out, "# 1 \"%s\"\n", input);
    }
    emit_all(&e, out);
    return u.errors == 0;
}
