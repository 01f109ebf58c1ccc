/* SPDX-License-Identifier: MIT */
/*
 * Pointers to precompiled functions. A call through one is checked by nobody:
 * which function it reaches is not known where the frame is. So whatever takes
 * the address of a function that has a stated bound, and that is not defined in
 * the same file, gets that of a stub, which is checked for the bound and jumps:
 *
 *     .word strstr            .word __al_checked_strstr
 *     movw r0, #:lower16:strstr
 *
 * An image has one stub of each. This is done on the text, before anything else
 * looks at it. Not here: calls by name, whose bound is in their caller's frame.
 */
#include "pointer.h"

#include <string.h>

#define STUB "__al_checked_"

static const char *const takes[] = {
        ".word", ".long", ".4byte", ":lower16:", ":upper16:"};

enum {
    TAKES = sizeof takes / sizeof takes[0]
};

static bool in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '$';
}

/* Does the text have a line of these words? */
static bool has_line(const char *text, const char *line)
{
    size_t n = strlen(line);

    for (const char *at = strstr(text, line); at != NULL;
            at = strstr(at + 1, line)) {
        if ((at == text || at[-1] == '\n') && !in_name(at[n])) {
            return true;
        }
    }
    return false;
}

/* Its own, or one that may be absent, so that its address says something. */
static bool is_left_alone(const char *text, struct span name)
{
    int n = (int)name.n;

    return has_line(text, mem_text("%.*s:", n, name.at)) ||
           has_line(text, mem_text("\t.weak\t%.*s", n, name.at));
}

/* The name behind one of `takes` at `at`, all that is said there; or none. */
static struct span taken_at(const char *at)
{
    struct span name = {NULL, 0};

    for (int k = 0; k < TAKES; k++) {
        size_t n = strlen(takes[k]);

        if (strncmp(at, takes[k], n) != 0) {
            continue;
        }
        at += n;
        while (*at == ' ' || *at == '\t') {
            at++;
        }
        name.at = at;
        while (in_name(*at)) {
            at++;
        }
        name.n = (size_t)(at - name.at);
        if (*at != '\n' && *at != '\0' && *at != '\t' && *at != ' ') {
            name.n = 0; /* a sum, or a list, of data */
        }
        break;
    }
    return name;
}

static void put_stub(struct buf *b, struct span name)
{
    const char *stub = mem_text(STUB "%.*s", (int)name.n, name.at);

    buf_format(b,
            "\t.section\t.text.%s,\"axG\",%%progbits,%s,comdat\n"
            "\t.align\t1\n"
            "\t.weak\t%s\n"
            "\t.syntax unified\n"
            "\t.thumb\n"
            "\t.thumb_func\n"
            "\t.type\t%s, %%function\n"
            "%s:\n"
            "\t.fnstart\n"
            "\tb\t%.*s\n"
            "\t.fnend\n"
            "\t.size\t%s, .-%s\n",
            stub, stub, stub, stub, stub, (int)name.n, name.at, stub, stub);
}

static bool is_known(const struct span *names, int n, struct span name)
{
    for (int k = 0; k < n; k++) {
        if (span_same(names[k], name)) {
            return true;
        }
    }
    return false;
}

void pointers_rename(const struct options *o, struct buf *text)
{
    struct buf out = {0};
    struct span *names = NULL;
    int nnames = 0;
    int room = 0;
    const char *done = text->p;

    if (o->mode != MODE_APP || strstr(text->p, ".eabi_attribute") == NULL) {
        return;
    }
    for (const char *at = strpbrk(text->p, ".:"); at != NULL;
            at = strpbrk(at + 1, ".:")) {
        struct span name = taken_at(at);

        if (name.n == 0 || options_bound(o, name) <= 0 ||
                is_left_alone(text->p, name)) {
            continue;
        }
        buf_put(&out, done, (size_t)(name.at - done));
        buf_text(&out, STUB);
        done = name.at;
        if (!is_known(names, nnames, name)) {
            *VEC_ADD(names, nnames, room) = name;
        }
    }
    if (nnames == 0) {
        return;
    }
    buf_text(&out, done);
    for (int k = 0; k < nnames; k++) {
        put_stub(&out, names[k]);
    }
    *text = out;
}
