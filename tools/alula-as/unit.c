/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Builds the unit: symbols, and which section each item lies in.
 */

#include <string.h>

#include "pointer.h"

static unsigned hash(struct span s)
{
    unsigned h = 2166136261u;

    for (size_t i = 0; i < s.n; i++) {
        h = (h ^ (unsigned char)s.at[i]) * 16777619u;
    }
    return h;
}

static void more_buckets(struct unit *u)
{
    u->nbuckets = u->nbuckets != 0 ? u->nbuckets * 2 : 1024;
    u->buckets = mem_grow(u->buckets, sizeof(int) * (size_t)u->nbuckets);
    for (int i = 0; i < u->nbuckets; i++) {
        u->buckets[i] = NONE;
    }
    for (int i = 0; i < u->nsymbols; i++) {
        int *b = &u->buckets[hash(u->symbols[i].name) % (unsigned)u->nbuckets];

        u->symbols[i].chain = *b;
        *b = i;
    }
}

int unit_symbol(struct unit *u, struct span name, bool make)
{
    if (name.n > 2 && name.at[0] == '"') {
        name = (struct span){name.at + 1, name.n - 2};
    }
    if (u->nsymbols * 2 >= u->nbuckets) {
        more_buckets(u);
    }

    int *b = &u->buckets[hash(name) % (unsigned)u->nbuckets];

    for (int i = *b; i != NONE; i = u->symbols[i].chain) {
        if (span_same(u->symbols[i].name, name)) {
            return i;
        }
    }
    if (!make) {
        return NONE;
    }

    struct symbol *s = VEC_ADD(u->symbols, u->nsymbols, u->symbols_room);

    *s = (struct symbol){
            .name = name,
            .label = NONE,
            .function = NONE,
            .taken_next = NONE,
            .chain = *b,
    };
    *b = u->nsymbols - 1;
    return *b;
}

struct symbol *unit_named(struct unit *u, struct span name)
{
    int s = unit_symbol(u, name, true);

    return &u->symbols[s];
}

static int find_section(struct unit *u, struct span name, struct span args)
{
    struct span flags = span_part(&args);

    for (int i = 0; i < u->nsections; i++) {
        if (span_same(u->sections[i].name, name) &&
                (args.n == 0 || span_same(u->sections[i].tail, args))) {
            return i;
        }
    }

    struct section *s = VEC_ADD(u->sections, u->nsections, u->sections_room);
    struct span bare = name;

    if (bare.n > 1 && bare.at[0] == '"') {
        bare = (struct span){bare.at + 1, bare.n - 2};
    }
    *s = (struct section){
            .name = name, .flags = flags, .tail = args, .last = NONE};
    s->code = span_begins(bare, ".text") ||
              memchr(flags.at, 'x', flags.n) != NULL;
    s->lsda = span_begins(bare, ".gcc_except_table") ||
              span_is(bare, ".handlerdata");
    s->debug = s->lsda || span_begins(bare, ".debug") ||
               span_begins(bare, ".ARM.ex") || span_begins(bare, ".gnu.lto") ||
               span_begins(bare, "__patchable");
    return u->nsections - 1;
}

enum {
    SECTION_DEPTH = 32
};

struct sections {
    int now;
    int before;
    int stack[SECTION_DEPTH][2];
    int depth;
    int function; /* section to go back to from .handlerdata */
};

/* Follow a directive that may change the section. */
static void change_section(
        struct unit *u, struct sections *s, const struct item *i)
{
    static const char *const plain[] = {".text", ".data", ".bss", ".rodata"};
    struct span rest = i->rest;
    int then = s->now;

    if (span_is(i->name, ".pushsection") && s->depth < SECTION_DEPTH) {
        s->stack[s->depth][0] = s->now;
        s->stack[s->depth][1] = s->before;
        s->depth++;
    }
    if (span_is(i->name, ".handlerdata")) {
        s->function = s->now;
        s->now = find_section(u, i->name, (struct span){"", 0});
        return;
    }
    if (span_is(i->name, ".fnend") && s->function != NONE) {
        s->now = s->function;
    }
    s->function = span_is(i->name, ".fnend") ? NONE : s->function;
    if (span_is(i->name, ".section") || span_is(i->name, ".pushsection")) {
        struct span name = span_part(&rest);

        s->now = find_section(u, name, rest);
    } else if (span_is(i->name, ".popsection") && s->depth > 0) {
        s->depth--;
        s->now = s->stack[s->depth][0];
        s->before = s->stack[s->depth][1];
        return;
    } else if (span_is(i->name, ".previous")) {
        s->now = s->before;
    } else {
        for (int k = 0; k < 4; k++) {
            if (span_is(i->name, plain[k])) {
                s->now = find_section(u, i->name, (struct span){"", 0});
            }
        }
    }
    if (then != s->now) {
        s->before = then;
    }
}

static void read_symbol_directive(struct unit *u, const struct item *i)
{
    struct span rest = i->rest;

    if (span_is(i->name, ".type")) {
        struct span name = span_part(&rest);

        if (span_is(span_trim(rest), "%function") ||
                span_is(span_trim(rest), "STT_FUNC") ||
                span_is(span_trim(rest), "#function")) {
            unit_named(u, name)->is_function = true;
        }
    } else if (span_is(i->name, ".macro")) {
        struct span name = span_part(&rest);

        unit_named(u, span_word(&name))->macro = true;
    } else if (span_is(i->name, ".global") || span_is(i->name, ".globl") ||
               span_is(i->name, ".weak")) {
        while (rest.n > 0) {
            unit_named(u, span_part(&rest))->global = true;
        }
    }
}

static void place_items(struct unit *u)
{
    struct sections s = {.function = NONE};

    s.now = find_section(u, span_of(".text"), (struct span){"", 0});
    s.before = s.now;
    for (int k = 0; k < u->nitems; k++) {
        struct item *i = &u->items[k];

        if (i->kind == ITEM_DIRECTIVE) {
            change_section(u, &s, i);
            read_symbol_directive(u, i);
        }
        i->section = s.now;

        struct section *in = &u->sections[s.now];

        if (in->last != NONE) {
            u->items[in->last].next = k;
        }
        in->last = k;
        if (i->kind == ITEM_LABEL) {
            int symbol = unit_symbol(u, i->name, true);

            u->symbols[symbol].label = k;
        } else if (i->kind == ITEM_INSN && in->code) {
            insn_read(u, k);
        }
    }
}

int unit_label_insn(const struct unit *u, int label)
{
    int k = label;

    while (k != NONE && u->items[k].kind != ITEM_INSN) {
        if (u->items[k].kind == ITEM_DATA) {
            return NONE;
        }
        k = u->items[k].next;
    }
    /* A label at the very end is not the next function's beginning. */
    if (k == NONE || u->items[k].function != u->items[label].function) {
        return NONE;
    }
    return u->items[k].insn;
}

struct span unit_function_name(const struct unit *u, int function)
{
    return u->symbols[u->functions[function].symbol].name;
}

/* GCC calls a nested function NAME.<number>. Other numbers follow a word that
 * says what they count: NAME.part.0, NAME.constprop.1. */
bool unit_may_be_nested(struct span name)
{
    struct span before = {"", 0};
    bool first = true;

    for (size_t from = 0; from <= name.n;) {
        const char *at = name.at + from;
        const char *dot = memchr(at, '.', name.n - from);
        struct span part = {
                at, dot != NULL ? (size_t)(dot - at) : name.n - from};
        bool counted = span_is(before, "part") || span_is(before, "isra") ||
                       span_is(before, "constprop") ||
                       span_is(before, "lto_priv") || span_is(before, "cold");
        long long number;

        if (!first && !counted && span_number(part, &number)) {
            return true;
        }
        first = false;
        before = part;
        from += part.n + 1;
    }
    return false;
}

bool unit_read(struct unit *u, FILE *in, const struct options *o)
{
    if (!buf_read(&u->text, in)) {
        return false;
    }
    pointers_rename(o, &u->text);
    lex_unit(u);
    place_items(u);
    function_find(u);
    jumps_find(u);
    paths_find(u);
    return true;
}
