/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *argument, const char *option)
{
    size_t n = strlen(option);

    return strncmp(argument, option, n) == 0 ? argument + n : NULL;
}

static int complain(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: error: alula-as: %s\n", file, line, what);
    return -1;
}

/* Lines of `name bytes`; '#' begins a comment. */
static int read_bounds(struct options *o, const char *file)
{
    FILE *in = fopen(file, "r");
    char line[512];
    int number = 0;

    if (in == NULL) {
        fprintf(stderr, "alula-as: error: cannot read the bounds file %s: %s\n",
                file, strerror(errno));
        return -1;
    }
    while (fgets(line, sizeof line, in) != NULL) {
        struct span rest = {line, strcspn(line, "#\n")};
        struct span name = span_word(&rest);
        long long bytes;

        number++;
        if (name.n == 0) {
            continue;
        }
        if (!span_number(rest, &bytes) || bytes < 0 || bytes > FRAME_MOST) {
            fclose(in);
            return complain(file, number, "a line here reads `name bytes'");
        }

        struct bound *b = VEC_ADD(o->bounds, o->nbounds, o->bounds_room);

        b->name = mem_text("%.*s", (int)name.n, name.at);
        b->bytes = (long)bytes;
    }
    fclose(in);
    return 1;
}

int options_take(struct options *o, const char *argument)
{
    const char *value = value_of(argument, "--alula-mode=");
    long long n;

    if (value != NULL) {
        o->mode = strcmp(value, "kernel") == 0 ? MODE_KERNEL : MODE_APP;
        if (o->mode == MODE_APP && strcmp(value, "app") != 0) {
            fprintf(stderr,
                    "alula-as: error: --alula-mode is app or kernel, "
                    "not `%s'\n",
                    value);
            return -1;
        }
        return 1;
    }
    value = value_of(argument, "--alula-bounds=");
    if (value != NULL) {
        return read_bounds(o, value);
    }
    value = value_of(argument, "--alula-ram=");
    if (value != NULL) {
        if (!span_number(span_of(value), &n) || n <= 0) {
            fprintf(stderr,
                    "alula-as: error: --alula-ram takes bytes, not `%s'\n",
                    value);
            return -1;
        }
        o->ram = (long)(n < FRAME_MOST ? n : FRAME_MOST);
        return 1;
    }
    if (value_of(argument, "--alula-") != NULL) {
        fprintf(stderr, "alula-as: error: no such option: %s\n", argument);
        return -1;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(
            ((const struct bound *)a)->name, ((const struct bound *)b)->name);
}

void options_ready(struct options *o)
{
    if (o->ram == 0) {
        o->ram = FRAME_MOST;
    }
    if (o->nbounds > 0) {
        qsort(o->bounds, (size_t)o->nbounds, sizeof o->bounds[0], by_name);
    }
}

long options_bound(const struct options *o, struct span name)
{
    char text[256];

    if (name.n >= sizeof text || o->nbounds == 0) {
        return -1;
    }
    memcpy(text, name.at, name.n);
    text[name.n] = '\0';

    struct bound key = {text, 0};
    const struct bound *b = bsearch(
            &key, o->bounds, (size_t)o->nbounds, sizeof o->bounds[0], by_name);

    return b != NULL ? b->bytes : -1;
}
