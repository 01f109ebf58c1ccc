/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *mem_grow(void *old, size_t bytes)
{
    void *p = realloc(old, bytes != 0 ? bytes : 1);

    if (p == NULL) {
        fputs("alula-as: error: out of memory\n", stderr);
        exit(1);
    }
    return p;
}

char *mem_text(const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = mem_grow(NULL, (size_t)n + 1);

    vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

bool span_is(struct span s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.at, text, s.n) == 0;
}

bool span_begins(struct span s, const char *text)
{
    size_t n = strlen(text);

    return s.n >= n && memcmp(s.at, text, n) == 0;
}

bool span_same(struct span a, struct span b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

struct span span_trim(struct span s)
{
    while (s.n > 0 && isspace((unsigned char)s.at[0])) {
        s.at++;
        s.n--;
    }
    while (s.n > 0 && isspace((unsigned char)s.at[s.n - 1])) {
        s.n--;
    }
    return s;
}

bool span_number(struct span s, long long *value)
{
    char digits[40];
    char *end;

    s = span_trim(s);
    if (s.n > 0 && s.at[0] == '#') {
        s.at++;
        s.n--;
    }
    if (s.n == 0 || s.n >= sizeof digits) {
        return false;
    }
    memcpy(digits, s.at, s.n);
    digits[s.n] = '\0';
    *value = strtoll(digits, &end, 0);
    return *end == '\0';
}

struct span span_part(struct span *rest)
{
    int deep = 0;
    bool quoted = false;
    size_t i = 0;

    for (; i < rest->n; i++) {
        char c = rest->at[i];

        if (c == '"') {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '[' || c == '{' || c == '(') {
            deep++;
        } else if (c == ']' || c == '}' || c == ')') {
            deep--;
        } else if (c == ',' && deep == 0) {
            break;
        }
    }

    struct span part = span_trim((struct span){rest->at, i});
    size_t used = i < rest->n ? i + 1 : i;

    rest->at += used;
    rest->n -= used;
    return part;
}

struct span span_word(struct span *rest)
{
    struct span s = span_trim(*rest);
    size_t i = 0;

    while (i < s.n && !isspace((unsigned char)s.at[i])) {
        i++;
    }
    *rest = (struct span){s.at + i, s.n - i};
    return (struct span){s.at, i};
}

void buf_put(struct buf *b, const char *at, size_t n)
{
    if (b->room - b->n < n + 1) {
        b->room = (b->room + n + 1) * 2;
        b->p = mem_grow(b->p, b->room);
    }
    memcpy(b->p + b->n, at, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_format(struct buf *b, const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);

    va_end(args);
    if ((size_t)n < sizeof line) {
        buf_put(b, line, (size_t)n);
        return;
    }

    char *longer = mem_grow(NULL, (size_t)n + 1);

    va_start(args, format);
    vsnprintf(longer, (size_t)n + 1, format, args);
    va_end(args);
    buf_put(b, longer, (size_t)n);
    free(longer);
}

bool buf_read(struct buf *b, FILE *in)
{
    char block[65536];
    size_t n;

    buf_put(b, "", 0);
    while ((n = fread(block, 1, sizeof block, in)) > 0) {
        buf_put(b, block, n);
    }
    return ferror(in) == 0;
}
