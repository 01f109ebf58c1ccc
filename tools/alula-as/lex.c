/* SPDX-License-Identifier: MIT */
#include "unit.h"

/*
 * Cuts assembly text into labels, instructions, directives and comments.
 *
 * Understood: '@' comments, '#' at the start of a line, block comments, ';'
 * between statements, several labels on a line, quoted names and strings.
 * Compilers mark asm statements by comments; the statement an item lies in is
 * recorded here. A hand-written file is one such statement as a whole.
 */

#include <ctype.h>
#include <string.h>

struct lexer {
    struct unit *u;
    uint32_t line;
    int statement;
    int repeated; /* open .rept, .irp, .if */
    bool macro;   /* inside .macro: the body is not code here */
};

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '$';
}

/* A copy of the text in which block comments are blanks of equal length. */
static char *without_block_comments(const struct buf *text)
{
    char *work = mem_grow(NULL, text->n + 1);
    bool quoted = false;

    memcpy(work, text->p, text->n + 1);
    if (strstr(work, "/*") == NULL) {
        return work;
    }
    for (char *p = work; *p != '\0'; p++) {
        if (*p == '\n') {
            quoted = false;
        } else if (*p == '\\' && quoted && p[1] != '\0') {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
        } else if (*p == '@' && !quoted) {
            p += strcspn(p, "\n") - 1;
        } else if (*p == '/' && p[1] == '*' && !quoted) {
            char *end = strstr(p + 2, "*/");

            end = end != NULL ? end + 2 : work + text->n;
            for (; p < end; p++) {
                *p = *p == '\n' ? '\n' : ' ';
            }
            p--;
        }
    }
    return work;
}

static struct item *add(struct lexer *x, enum item_kind kind, const char *at)
{
    struct unit *u = x->u;
    struct item *i = VEC_ADD(u->items, u->nitems, u->items_room);

    *i = (struct item){
            .kind = kind,
            .line = x->line,
            .offset = (uint32_t)(at - u->work),
            .section = NONE,
            .next = NONE,
            .function = NONE,
            .insn = NONE,
            .statement = x->statement,
            .repeated = x->repeated > 0,
    };
    return i;
}

static int open_statement(struct unit *u)
{
    struct statement *s =
            VEC_ADD(u->statements, u->nstatements, u->statements_room);

    s->depth = -1;
    return u->nstatements - 1;
}

/* GCC: `12 "file.c" 1` opens and `0 "" 2` closes; Clang: APP and NO_APP. */
static void mark_statement(struct lexer *x, struct span text)
{
    if (x->u->hand_written) {
        return;
    }
    if (span_begins(text, "NO_APP") ||
            span_begins(text, "End of file scope inline")) {
        x->statement = NONE;
    } else if (span_begins(text, "APP") ||
               span_begins(text, "Start of file scope inline")) {
        x->statement = open_statement(x->u);
    } else if (text.n > 4 && isdigit((unsigned char)text.at[0])) {
        struct span rest = text;
        char last = text.at[text.n - 1];

        span_word(&rest);
        rest = span_trim(rest);
        if (rest.n > 2 && rest.at[0] == '"' && last == '1') {
            x->statement = open_statement(x->u);
        } else if (rest.n > 2 && rest.at[0] == '"' && last == '2') {
            x->statement = NONE;
        }
    }
}

static void note(struct lexer *x, const char *at, const char *end)
{
    struct span text = span_trim((struct span){at + 1, (size_t)(end - at - 1)});

    mark_statement(x, text);

    struct item *i = add(x, ITEM_NOTE, at);

    i->name = (struct span){at, 1};
    i->rest = text;
    if (span_begins(text, "alula:") && x->statement != NONE) {
        struct span rest = {text.at + 6, text.n - 6};
        long long depth;

        if (span_is(span_word(&rest), "depth") && span_number(rest, &depth)) {
            x->u->statements[x->statement].depth = (long)depth;
        }
    }
}

static bool is_data(struct span name)
{
    static const char *const names[] = {".word", ".long", ".int", ".4byte",
            ".short", ".hword", ".2byte", ".byte", ".uleb128", ".sleb128",
            ".quad", ".8byte", ".ascii", ".asciz", ".string", ".space", ".skip",
            ".zero", ".fill", ".float", ".single", ".double", ".incbin",
            ".octa"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

static void count_blocks(struct lexer *x, struct span name)
{
    if (span_is(name, ".macro")) {
        x->macro = true;
    } else if (span_is(name, ".endm")) {
        x->macro = false;
    } else if (span_is(name, ".rept") || span_begins(name, ".irp") ||
               (span_begins(name, ".if"))) {
        x->repeated++;
    } else if ((span_is(name, ".endr") || span_is(name, ".endif")) &&
               x->repeated > 0) {
        x->repeated--;
    }
}

/* One statement without its comment: labels, then what they label. */
static void statement(struct lexer *x, const char *at, const char *end)
{
    for (;;) {
        struct span all = span_trim((struct span){at, (size_t)(end - at)});
        size_t n = 0;

        if (all.n == 0) {
            return;
        }
        if (all.at[0] == '"') {
            while (++n < all.n && all.at[n] != '"') {
            }
            n = n < all.n ? n + 1 : n;
        } else {
            while (n < all.n && is_name(all.at[n])) {
                n++;
            }
        }
        if (n > 0 && n < all.n && all.at[n] == ':') {
            if (!x->macro) {
                add(x, ITEM_LABEL, all.at)->name = (struct span){all.at, n};
            }
            at = all.at + n + 1;
            continue;
        }

        struct span rest = all;
        struct span name = span_word(&rest);
        enum item_kind kind = ITEM_INSN;

        rest = span_trim(rest);
        if (rest.n > 0 && rest.at[0] == '=' && name.at[0] != '.') {
            kind = ITEM_DIRECTIVE;
        } else if (name.at[0] == '.' && !span_begins(name, ".inst")) {
            kind = is_data(name) ? ITEM_DATA : ITEM_DIRECTIVE;
        }
        count_blocks(x, name);
        if (!x->macro || span_is(name, ".macro")) {
            struct item *i = add(x, kind, all.at);

            i->name = name;
            i->rest = rest;
        }
        return;
    }
}

static void read_line(struct lexer *x, const char *at, const char *end)
{
    const char *begin = at;
    bool quoted = false;

    while (at < end && isspace((unsigned char)*at)) {
        at++;
    }
    if (at < end && *at == '#') {
        note(x, at, end);
        return;
    }
    for (at = begin; at < end; at++) {
        if (*at == '\\' && quoted) {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (*at == ';') {
            statement(x, begin, at);
            begin = at + 1;
        } else if (*at == '@') {
            statement(x, begin, at);
            note(x, at, end);
            return;
        }
    }
    statement(x, begin, end);
}

void lex_unit(struct unit *u)
{
    struct lexer x = {.u = u, .statement = NONE};

    u->work = without_block_comments(&u->text);
    u->hand_written = strstr(u->work, ".eabi_attribute") == NULL;
    u->gcc = strstr(u->work, "@ args = ") != NULL ||
             strstr(u->work, ".ident\t\"GCC") != NULL;
    if (u->hand_written) {
        x.statement = open_statement(u);
    }
    for (const char *at = u->work; *at != '\0';) {
        const char *end = at + strcspn(at, "\n");

        x.line++;
        read_line(&x, at, end);
        at = *end != '\0' ? end + 1 : end;
    }
}
