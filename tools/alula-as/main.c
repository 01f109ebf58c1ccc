/* SPDX-License-Identifier: MIT */

/*
 * alula-as: the assembler that puts a stack check into every function.
 *
 * `gcc -B<dir>/` calls it as <dir>/as. It reads the assembly, adds the
 * checks, and runs the real assembler on the result with the remaining
 * arguments. As `alula-clang` it is the launcher of Clang, whose bare-metal
 * target never calls `as`: launch.c.
 */

#include <errno.h>
#include <string.h>

#include "filter.h"
#include "launch.h"
#include "run.h"

struct command {
    struct options options;
    const char **rest; /* for the real assembler */
    int nrest;
    int rest_room;
    const char **inputs;
    int ninputs;
    int inputs_room;
    const char *output; /* of --filter-only */
    bool filter_only;
};

/* Options of GNU as whose value is the next argument. */
static bool takes_value(const char *argument)
{
    static const char *const names[] = {"-o", "-I", "--defsym", "--MD",
            "--debug-prefix-map", "-mcpu", "-march", "-mfpu"};

    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        if (strcmp(argument, names[k]) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_arguments(struct command *c, int argc, char **argv)
{
    for (int k = 1; k < argc; k++) {
        const char *a = argv[k];
        int taken = options_take(&c->options, a);

        if (taken < 0) {
            return false;
        }
        if (taken > 0) {
            continue;
        }
        if (strcmp(a, "--filter-only") == 0) {
            c->filter_only = true;
        } else if (a[0] == '@') {
            fprintf(stderr,
                    "alula-as: error: argument files (%s) are not "
                    "read; pass the arguments themselves\n",
                    a);
            return false;
        } else if (strcmp(a, "-") == 0 || strcmp(a, "--") == 0 || a[0] != '-') {
            *VEC_ADD(c->inputs, c->ninputs, c->inputs_room) =
                    a[0] == '-' ? "-" : a;
        } else {
            *VEC_ADD(c->rest, c->nrest, c->rest_room) = a;
            if (takes_value(a) && k + 1 < argc) {
                c->output = strcmp(a, "-o") == 0 ? argv[k + 1] : c->output;
                *VEC_ADD(c->rest, c->nrest, c->rest_room) = argv[++k];
            }
        }
    }
    if (c->ninputs == 0) {
        *VEC_ADD(c->inputs, c->ninputs, c->inputs_room) = "-";
    }
    options_ready(&c->options);
    return true;
}

static bool write_output(const struct command *c, const struct buf *text)
{
    bool standard = c->output == NULL || strcmp(c->output, "-") == 0;
    FILE *out = standard ? stdout : fopen(c->output, "w");
    bool ok = out != NULL && fwrite(text->p, 1, text->n, out) == text->n;

    ok = (out == NULL || standard ? ok && fflush(stdout) == 0
                                  : fclose(out) == 0 && ok);
    if (!ok) {
        fprintf(stderr, "alula-as: error: cannot write %s: %s\n",
                standard ? "the output" : c->output, strerror(errno));
    }
    return ok;
}

static int assemble(int argc, char **argv)
{
    struct command c = {.filter_only = false};
    struct buf text = {NULL, 0, 0};
    bool ok = true;

    if (!read_arguments(&c, argc, argv)) {
        return 1;
    }
    buf_put(&text, "", 0);
    for (int k = 0; k < c.ninputs; k++) {
        ok = filter_file(&c.options, c.inputs[k], stderr, &text) && ok;
    }
    if (!ok) {
        return 1;
    }
    if (c.filter_only) {
        return write_output(&c, &text) ? 0 : 1;
    }
    return run_assembler(c.rest, c.nrest, &text);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');

    if (strcmp(slash != NULL ? slash + 1 : argv[0], "alula-clang") == 0) {
        return launch_clang(argc, argv);
    }
    return assemble(argc, argv);
}
