/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "launch.h"

/*
 * The launcher for Clang, whose bare-metal Arm target never calls `as`.
 *
 * A compilation to an object becomes three steps: Clang writes assembly, the
 * filter adds the checks, Clang assembles. Dependency files come out as if it
 * had been one. Whatever makes no object (-E, -S, -fsyntax-only, --version)
 * passes straight through; what would make an unchecked one is refused.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filter.h"
#include "run.h"

struct list {
    const char **v;
    int n;
    int room;
};

struct launch {
    struct options options;
    struct list compile;  /* arguments of the step that writes assembly */
    struct list assemble; /* and of the one that reads it */
    const char *input;
    int ninputs;
    const char *output;
    const char *language; /* of -x */
    bool to_object;
    bool no_object; /* -E, -S, -M, -fsyntax-only */
    bool lto;
    bool debug;
    bool dependencies; /* -MD or -MMD */
    bool dependency_file;
    bool dependency_target;
};

static void add(struct list *l, const char *argument)
{
    *VEC_ADD(l->v, l->n, l->room) = argument;
}

static bool one_of(const char *a, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(a, *names) == 0) {
            return true;
        }
    }
    return false;
}

/* Options whose value is the next argument. */
static bool takes_value(const char *a)
{
    static const char *const names[] = {"-o", "-x", "-I", "-D", "-U", "-L",
            "-include", "-imacros", "-isystem", "-iquote", "-idirafter",
            "-isysroot", "--sysroot", "-MF", "-MT", "-MQ", "-Xclang", "-mllvm",
            "-target", "-Xassembler", "-Xpreprocessor", "-Xlinker", "-arch",
            "--param", "-T", "-u", "-e", "-z", NULL};

    return one_of(a, names);
}

/* Options of the first step only: the second reads no C. */
static bool only_compiles(const char *a)
{
    static const char *const names[] = {"-I", "-D", "-U", "-include",
            "-imacros", "-isystem", "-iquote", "-idirafter", "-Xclang",
            "-mllvm", "-Xpreprocessor", "-frecord-command-line", "-MP", "-MD",
            "-MMD", "-MF", "-MT", "-MQ", "-pedantic", NULL};

    return one_of(a, names) || strncmp(a, "-W", 2) == 0 ||
           strncmp(a, "-g", 2) == 0 || strncmp(a, "-I", 2) == 0 ||
           strncmp(a, "-D", 2) == 0 || strncmp(a, "-std", 4) == 0;
}

static bool has_suffix(const char *name, const char *const *suffixes)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL && one_of(dot, suffixes);
}

/* `-Wa,a,b`: ours to the filter, the others to the assembling step. */
static bool read_assembler_options(struct launch *l, const char *text)
{
    struct span rest = span_of(text);

    while (rest.n > 0) {
        struct span part = span_part(&rest);
        char *option = mem_text("%.*s", (int)part.n, part.at);
        int taken = options_take(&l->options, option);

        if (taken < 0) {
            return false;
        }
        if (taken == 0) {
            add(&l->assemble, mem_text("-Wa,%s", option));
        }
    }
    return true;
}

static void note_flag(struct launch *l, const char *a)
{
    static const char *const none[] = {"-E", "-S", "-M", "-MM", "-fsyntax-only",
            "--version", "-v", "-###", "-dumpmachine", "-dumpversion", "--help",
            NULL};

    l->to_object |= strcmp(a, "-c") == 0;
    l->no_object |= one_of(a, none) || strncmp(a, "-print", 6) == 0 ||
                    strncmp(a, "--print", 7) == 0;
    l->debug |= strncmp(a, "-g", 2) == 0;
    l->dependencies |= strcmp(a, "-MD") == 0 || strcmp(a, "-MMD") == 0;
    l->dependency_file |= strncmp(a, "-MF", 3) == 0;
    l->dependency_target |=
            strncmp(a, "-MT", 3) == 0 || strncmp(a, "-MQ", 3) == 0;
    if (strncmp(a, "-flto", 5) == 0) {
        l->lto = true;
    } else if (strcmp(a, "-fno-lto") == 0) {
        l->lto = false;
    }
}

static bool read_argument(struct launch *l, const char *a, const char *value)
{
    note_flag(l, a);
    if (strcmp(a, "-c") == 0 || strcmp(a, "-pipe") == 0) {
        return true;
    }
    if (strcmp(a, "-o") == 0) {
        l->output = value;
        return true;
    }
    if (strcmp(a, "-x") == 0) {
        l->language = value;
        return true;
    }
    if (strncmp(a, "-Wa,", 4) == 0) {
        return read_assembler_options(l, a + 4);
    }
    if (strcmp(a, "-Xassembler") == 0 && value != NULL) {
        return read_assembler_options(l, value);
    }
    if (a[0] != '-' || a[1] == '\0') {
        l->input = a;
        l->ninputs++;
        return true;
    }
    add(&l->compile, a);
    if (value != NULL) {
        add(&l->compile, value);
    }
    if (!only_compiles(a)) {
        add(&l->assemble, a);
        if (value != NULL) {
            add(&l->assemble, value);
        }
    }
    return true;
}

static int refuse(const char *what, const char *way_out)
{
    fprintf(stderr, "alula-clang: error: %s; way out: %s\n", what, way_out);
    return 1;
}

static bool is_hand_written(const struct launch *l)
{
    static const char *const suffixes[] = {".S", ".sx", ".s", NULL};

    if (l->language != NULL) {
        return strncmp(l->language, "assembler", 9) == 0;
    }
    return has_suffix(l->input, suffixes);
}

static bool is_source(const struct launch *l)
{
    static const char *const suffixes[] = {".c", ".cc", ".cpp", ".cxx", ".C",
            ".i", ".ii", ".S", ".sx", ".s", NULL};

    return l->input != NULL &&
           (l->language != NULL || has_suffix(l->input, suffixes));
}

static const char *object_name(const struct launch *l)
{
    const char *slash = strrchr(l->input, '/');
    const char *base = slash != NULL ? slash + 1 : l->input;
    const char *dot = strrchr(base, '.');
    int n = dot != NULL ? (int)(dot - base) : (int)strlen(base);

    return l->output != NULL ? l->output : mem_text("%.*s.o", n, base);
}

/* Step one: assembly into `to`. `extra` is one more argument, or NULL. */
static int write_assembly(const struct launch *l, const char *clang,
        const char *to, const char *extra)
{
    struct list c = {NULL, 0, 0};
    const char *object = object_name(l);

    add(&c, clang);
    for (int k = 0; k < l->compile.n; k++) {
        add(&c, l->compile.v[k]);
    }
    if (extra != NULL) {
        add(&c, extra);
        add(&c, "-w"); /* the first run has warned */
    }
    if (l->dependencies && !l->dependency_file) {
        const char *dot = strrchr(object, '.');

        add(&c, "-MF");
        add(&c, mem_text("%.*s.d",
                        (int)(dot != NULL ? (size_t)(dot - object)
                                          : strlen(object)),
                        object));
    }
    if (l->dependencies && !l->dependency_target) {
        add(&c, "-MQ");
        add(&c, object);
    }
    add(&c, is_hand_written(l) ? "-E" : "-S");
    add(&c, "-o");
    add(&c, to);
    if (l->language != NULL) {
        add(&c, "-x");
        add(&c, l->language);
    }
    add(&c, l->input);
    add(&c, NULL);
    return run_program(c.v);
}

/* Step two. Without line records the messages would name a line of a file
 * that is gone: then ask Clang for them and filter once more. */
static int filter_assembly(const struct launch *l, const char *clang,
        const char *from, const char *to)
{
    struct buf text = {NULL, 0, 0};
    FILE *messages = tmpfile();
    bool ok =
            messages != NULL && filter_file(&l->options, from, messages, &text);

    if (!ok && messages != NULL && !l->debug && !is_hand_written(l) &&
            write_assembly(l, clang, from, "-gline-tables-only") == 0) {
        struct buf again = {NULL, 0, 0};

        filter_file(&l->options, from, stderr, &again);
    } else if (!ok && messages != NULL) {
        struct buf said = {NULL, 0, 0};

        rewind(messages);
        buf_read(&said, messages);
        fwrite(said.p, 1, said.n, stderr);
    }
    if (messages != NULL) {
        fclose(messages);
    }
    if (!ok) {
        return 1;
    }

    FILE *out = fopen(to, "w");

    ok = out != NULL && fwrite(text.p, 1, text.n, out) == text.n;
    ok = out != NULL && fclose(out) == 0 && ok;
    return ok ? 0 : refuse("cannot write a temporary file", "free some space");
}

/* Step three. */
static int assemble_object(
        const struct launch *l, const char *clang, const char *from)
{
    struct list c = {NULL, 0, 0};

    add(&c, clang);
    add(&c, "-Qunused-arguments");
    for (int k = 0; k < l->assemble.n; k++) {
        add(&c, l->assemble.v[k]);
    }
    if (!is_hand_written(l)) {
        add(&c, "-w"); /* about the compiler's own text */
    }
    add(&c, "-c");
    add(&c, "-o");
    add(&c, object_name(l));
    add(&c, "-x");
    add(&c, "assembler");
    add(&c, from);
    add(&c, NULL);
    return run_program(c.v);
}

static int compile(const struct launch *l, const char *clang)
{
    const char *base = getenv("TMPDIR");
    char *dir = mem_text(
            "%s/alula-XXXXXX", base != NULL && *base != '\0' ? base : "/tmp");

    if (mkdtemp(dir) == NULL) {
        return refuse("cannot make a temporary folder", "set TMPDIR");
    }

    char *plain = mem_text("%s/plain.s", dir);
    char *checked = mem_text("%s/checked.s", dir);
    int status = write_assembly(l, clang, plain, NULL);

    if (status == 0) {
        status = filter_assembly(l, clang, plain, checked);
    }
    if (status == 0) {
        status = assemble_object(l, clang, checked);
    }
    unlink(plain);
    unlink(checked);
    rmdir(dir);
    return status;
}

int launch_clang(int argc, char **argv)
{
    struct launch l = {.input = NULL};

    if (argc < 2) {
        return refuse("no compiler given", "alula-clang CLANG ARGUMENT...");
    }
    for (int k = 2; k < argc; k++) {
        const char *a = argv[k];
        bool pair = takes_value(a) && k + 1 < argc;

        if (!read_argument(&l, a, pair ? argv[k + 1] : NULL)) {
            return 1;
        }
        k += pair;
    }
    options_ready(&l.options);
    if (l.no_object || !is_source(&l)) {
        return run_program((const char *const *)argv + 1);
    }
    if (l.lto) {
        return refuse("-flto is not supported with Clang: its objects hold no "
                      "assembly to check",
                "compile without -flto, or use GCC");
    }
    if (!l.to_object) {
        return refuse("compiling and linking in one command bypasses the "
                      "stack checks",
                "compile with -c, then link");
    }
    if (l.ninputs != 1) {
        return refuse("more than one source file in a command",
                "one compilation per file");
    }
    return compile(&l, argv[1]);
}
