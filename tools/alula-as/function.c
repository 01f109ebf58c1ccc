/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Where functions begin, and what the compiler says about them in comments.
 *
 * A function begins at a label of type %function in a section of code and
 * ends at the next such label of the section. A cold part (`f.cold`) is a
 * function here, with the function it was cut from as its parent: it is
 * reached by branches only and gets no check.
 */

static int parent_of(struct unit *u, struct span name)
{
    for (size_t n = 0; n + 5 <= name.n; n++) {
        struct span tail = {name.at + n, name.n - n};

        if (span_is(tail, ".cold") || span_begins(tail, ".cold.")) {
            return unit_symbol(u, (struct span){name.at, n}, false);
        }
    }
    return NONE;
}

/* A label that begins a function, and not one that begins there already. */
static bool begins_function(const struct unit *u, const struct item *i)
{
    return i->kind == ITEM_LABEL && u->sections[i->section].code &&
           u->symbols[unit_symbol((struct unit *)u, i->name, false)]
                   .is_function;
}

static int add_function(struct unit *u, int label)
{
    int symbol = unit_symbol(u, u->items[label].name, false);
    int parent = parent_of(u, u->symbols[symbol].name);

    if (parent != NONE && !u->symbols[parent].is_function) {
        parent = NONE;
    }

    struct function *f =
            VEC_ADD(u->functions, u->nfunctions, u->functions_room);

    *f = (struct function){
            .symbol = symbol,
            .label = label,
            .first = NONE,
            .section = u->items[label].section,
            .parent = parent,
            .taken = NONE,
            .unchecked = -1,
            .args = -1,
    };
    return u->nfunctions - 1;
}

/* Bytes that `.save {..}` or `.vsave {..}` state. */
static long saved_bytes(struct span list)
{
    long bytes = 0;

    for (unsigned set = insn_registers(list); set != 0; set &= set - 1) {
        bytes += 4;
    }
    return bytes;
}

static void read_function_directive(struct function *f, const struct item *i)
{
    long long bytes;

    if (span_is(i->name, ".save")) {
        f->stated += saved_bytes(i->rest);
    } else if (span_is(i->name, ".vsave")) {
        f->stated += insn_float_bytes(i->rest);
    } else if (span_is(i->name, ".pad") && span_number(i->rest, &bytes)) {
        f->stated += (long)bytes;
    }
}

/* GCC's remarks on a function, and ours. */
static void read_function_note(struct function *f, struct span text)
{
    struct span rest = text;
    struct span first = span_word(&rest);
    long long n;

    if (span_is(first, "args")) {
        long long args = 0;
        long long pretend = 0;
        struct span value = span_part(&rest);

        span_word(&value);
        span_number(value, &args);
        value = span_part(&rest);
        span_word(&value);
        span_word(&value);
        span_number(value, &pretend);
        f->args = (long)(args > pretend ? args - pretend : 0);
    } else if (span_begins(text, "Interrupt Service Routine") ||
               span_begins(text, "Stack Align: May be called")) {
        f->interrupt = true;
    } else if (span_is(first, "alula:")) {
        struct span what = span_word(&rest);

        if (span_is(what, "unchecked") && span_number(rest, &n)) {
            f->unchecked = (long)n;
        } else if (span_is(what, "raw")) {
            f->raw = true;
        }
    }
}

/* GCC copies .LTRAMP<n> to the stack where a nested function's address is
 * taken. */
static bool names_trampoline(const struct item *i)
{
    struct span s = i->rest;

    for (; s.n > 7; s.at++, s.n--) {
        if (s.at[0] == '.' && span_begins(s, ".LTRAMP")) {
            return i->kind == ITEM_DATA || i->kind == ITEM_INSN;
        }
    }
    return false;
}

/* Follow a directive that says which instruction set comes next. */
static bool arm_state(const struct item *i, bool now)
{
    if (span_is(i->name, ".arm") ||
            (span_is(i->name, ".code") && span_is(i->rest, "32"))) {
        return true;
    }
    return now && !span_begins(i->name, ".thumb") &&
           !(span_is(i->name, ".code") && span_is(i->rest, "16"));
}

static void find_functions(struct unit *u)
{
    bool arm = false;

    for (int s = 0; s < u->nsections; s++) {
        u->sections[s].last = NONE; /* now: the open function */
    }
    for (int k = 0; k < u->nitems; k++) {
        struct item *i = &u->items[k];
        int *open = &u->sections[i->section].last;

        if (begins_function(u, i)) {
            bool alias = *open != NONE && u->functions[*open].first == NONE;

            if (!alias) {
                *open = add_function(u, k);
            }
            u->symbols[unit_symbol(u, i->name, false)].function = *open;
        }
        i->function = *open;
        arm = i->kind == ITEM_DIRECTIVE ? arm_state(i, arm) : arm;
        if (*open == NONE) {
            continue;
        }

        struct function *f = &u->functions[*open];

        f->trampoline |= names_trampoline(i);
        f->arm |= arm && i->kind == ITEM_INSN;
        if (i->kind == ITEM_INSN && f->first == NONE) {
            f->first = i->insn;
        } else if (i->kind == ITEM_NOTE && i->name.at[0] == '@') {
            read_function_note(f, i->rest);
        } else if (i->kind == ITEM_DIRECTIVE) {
            read_function_directive(f, i);
        }
        if (i->kind == ITEM_DIRECTIVE && span_is(i->name, ".size")) {
            struct span rest = i->rest;
            int sized = unit_symbol(u, span_part(&rest), false);

            if (sized != NONE && u->symbols[sized].function == *open) {
                *open = NONE;
            }
        }
    }
}

/* The nops of patchable_function_entry are listed in a section of that name;
 * they stand before the function's label or right behind it. */
static void find_patchable(struct unit *u)
{
    for (int k = 0; k < u->nitems; k++) {
        const struct item *i = &u->items[k];

        if (i->kind != ITEM_DATA ||
                !span_begins(u->sections[i->section].name, "__patchable")) {
            continue;
        }

        int s = unit_symbol(u, jumps_first_symbol(i->rest), false);
        int at = s != NONE ? u->symbols[s].label : NONE;

        while (at != NONE && u->items[at].function == NONE) {
            at = u->items[at].next;
        }
        if (at != NONE) {
            u->functions[u->items[at].function].patchable = true;
        }
    }
}

void function_find(struct unit *u)
{
    find_functions(u);
    find_patchable(u);
}
