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

static struct span unquoted(struct span s)
{
    s = span_trim(s);
    return s.n > 1 && s.at[0] == '"' ? (struct span){s.at + 1, s.n - 2} : s;
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

        struct span name = span_trim(rest);
        const char *second =
                name.n > 0 ? memchr(name.at + 1, '"', name.n - 1) : NULL;
        size_t used = second != NULL ? (size_t)(second + 1 - name.at) : name.n;
        struct span last =
                span_trim((struct span){name.at + used, name.n - used});

        return unquoted(
                span_begins(last, "\"") ? last : (struct span){name.at, used});
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

static struct place find_place(const struct unit *u, int item)
{
    struct place p = {span_of(u->name), (long)u->items[item].line};
    int statement = u->items[item].statement;

    for (int k = item; k >= 0; k--) {
        const struct item *i = &u->items[k];
        struct span rest = i->rest;
        long long line;

        if (k != item && i->function != u->items[item].function &&
                !u->hand_written) {
            break;
        }
        if (i->kind == ITEM_DIRECTIVE && span_is(i->name, ".loc")) {
            struct span file = file_name(u, span_word(&rest));

            if (file.n > 0 && span_number(span_word(&rest), &line)) {
                return (struct place){file, (long)line};
            }
        }
        if (i->kind != ITEM_NOTE || statement == NONE || !marked(rest, &p)) {
            continue;
        }
        if (i->name.at[0] == '#') {
            p.line += (long)(u->items[item].line - i->line) - 1;
        }
        return p;
    }
    return p;
}

void diag_error(struct unit *u, int function, int item, const char *what,
        const char *way_out)
{
    struct place p = find_place(u, item);

    u->errors++;
    fprintf(stderr, "%.*s:%ld: error: alula-as: ", (int)p.file.n, p.file.at,
            p.line);
    if (function != NONE) {
        struct span name = unit_function_name(u, function);

        fprintf(stderr, "function `%.*s': ", (int)name.n, name.at);
    }
    fprintf(stderr, "%s; way out: %s\n", what, way_out);
}
