/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Says what cannot be checked, and where: the line of the C source when the
 * compiler recorded it (.loc, or the mark of an asm statement), else the line
 * of the assembly file.
 */

#include <ctype.h>
#include <string.h>

struct place {
    struct span file;
    long line;
};

static struct span next_quoted(struct span *rest)
{
    const char *end = rest->at + rest->n;
    const char *from = memchr(rest->at, '"', rest->n);
    const char *to = from != NULL
                             ? memchr(from + 1, '"', (size_t)(end - from) - 1)
                             : NULL;

    if (to == NULL) {
        return (struct span){"", 0};
    }
    *rest = (struct span){to + 1, (size_t)(end - to) - 1};
    return (struct span){from + 1, (size_t)(to - from) - 1};
}

/* The name in `.file N "dir" "name"` or `.file N "name"`. */
static struct span file_name(const struct unit *u, struct span number)
{
    for (int k = 0; k < u->nitems; k++) {
        const struct item *i = &u->items[k];
        struct span rest = i->rest;

        if (i->kind != ITEM_DIRECTIVE || !span_is(i->name, ".file") ||
                !span_same(span_word(&rest), number)) {
            continue;
        }

        struct span first = next_quoted(&rest);
        struct span second = next_quoted(&rest);

        return second.n > 0 ? second : first;
    }
    return (struct span){"", 0};
}

/* `12 "file.c"` of an asm mark, or of a line mark of the preprocessor. */
static bool marked(struct span text, struct place *p)
{
    long long line;
    struct span rest = text;

    if (text.n < 4 || !isdigit((unsigned char)text.at[0]) ||
            !span_number(span_word(&rest), &line)) {
        return false;
    }
    rest = span_trim(rest);

    const char *end = rest.n > 1 && rest.at[0] == '"'
                              ? memchr(rest.at + 1, '"', rest.n - 1)
                              : NULL;

    if (end == NULL) {
        return false;
    }
    p->file = (struct span){rest.at + 1, (size_t)(end - rest.at) - 1};
    p->line = (long)line;
    return p->file.n > 0;
}

static bool line_record(
        const struct unit *u, const struct item *i, struct place *p)
{
    struct span rest = i->rest;
    long long line;

    if (i->kind != ITEM_DIRECTIVE || !span_is(i->name, ".loc")) {
        return false;
    }

    struct span file = file_name(u, span_word(&rest));

    if (file.n == 0 || !span_number(span_word(&rest), &line) || line == 0) {
        return false;
    }
    *p = (struct place){file, (long)line};
    return true;
}

static struct place find_place(const struct unit *u, int item)
{
    struct place p = {span_of(u->name), (long)u->items[item].line};
    int statement = u->items[item].statement;

    for (int k = item; k >= 0; k--) {
        const struct item *i = &u->items[k];

        if (k != item && i->function != u->items[item].function &&
                !u->hand_written) {
            break;
        }
        if (line_record(u, i, &p)) {
            return p;
        }
        if (i->kind != ITEM_NOTE || statement == NONE || !marked(i->rest, &p)) {
            continue;
        }
        if (i->name.at[0] == '#') {
            p.line += (long)(u->items[item].line - i->line) - 1;
        }
        return p;
    }
    for (int k = item; k < u->nitems && u->items[item].function != NONE; k++) {
        if (u->items[k].function == u->items[item].function &&
                line_record(u, &u->items[k], &p)) {
            break;
        }
    }
    return p;
}

void diag_error(struct unit *u, int function, int item, const char *what,
        const char *way_out)
{
    struct place p = find_place(u, item);

    u->errors++;
    fprintf(u->messages, "%.*s:%ld: error: alula-as: ", (int)p.file.n,
            p.file.at, p.line);
    if (function != NONE) {
        struct span name = unit_function_name(u, function);

        fprintf(u->messages, "function `%.*s': ", (int)name.n, name.at);
    }
    fprintf(u->messages, "%s; way out: %s\n", what, way_out);
}
