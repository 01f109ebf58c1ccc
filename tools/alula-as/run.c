/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(pid_t child)
{
    int status;

    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return 127;
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static bool is_self(const char *path)
{
    struct stat us;
    struct stat it;

    return stat("/proc/self/exe", &us) == 0 && stat(path, &it) == 0 &&
           us.st_dev == it.st_dev && us.st_ino == it.st_ino;
}

/* The first program of that name in PATH which is not this one. */
static char *find_program(const char *name)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        size_t n = strcspn(path, ":");
        char *file = mem_text("%.*s/%s", (int)n, path, name);

        if (n > 0 && access(file, X_OK) == 0 && !is_self(file)) {
            return file;
        }
        free(file);
        path += n + (path[n] == ':');
    }
    return NULL;
}

static void write_all(int to, const struct buf *text)
{
    size_t done = 0;

    while (done < text->n) {
        ssize_t n = write(to, text->p + done, text->n - done);

        if (n < 0 && errno != EINTR) {
            return; /* the assembler has gone and says why itself */
        }
        done += n > 0 ? (size_t)n : 0;
    }
}

int run_assembler(const char **args, int nargs, const struct buf *text)
{
    const char *stated = getenv("ALULA_REAL_AS");
    char *as = stated != NULL && *stated != '\0'
                       ? mem_text("%s", stated)
                       : find_program("arm-none-eabi-as");
    const char **argv = mem_grow(NULL, sizeof *argv * ((size_t)nargs + 3));
    int ends[2];

    if (as == NULL || is_self(as)) {
        fputs("alula-as: error: no real assembler: put arm-none-eabi-as into "
              "PATH, or name it in ALULA_REAL_AS\n",
                stderr);
        return 1;
    }
    argv[0] = as;
    for (int k = 0; k < nargs; k++) {
        argv[k + 1] = args[k];
    }
    argv[nargs + 1] = "-";
    argv[nargs + 2] = NULL;
    fflush(NULL);
    signal(SIGPIPE, SIG_IGN);
    if (pipe(ends) != 0) {
        perror("alula-as: error: pipe");
        return 1;
    }

    pid_t child = fork();

    if (child < 0) {
        perror("alula-as: error: fork");
        return 1;
    }
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(as, (char *const *)argv);
        fprintf(stderr, "alula-as: error: cannot run %s: %s\n", as,
                strerror(errno));
        _exit(127);
    }
    close(ends[0]);
    write_all(ends[1], text);
    close(ends[1]);
    return status_of(child);
}

int run_program(const char *const *argv)
{
    fflush(NULL);

    pid_t child = fork();

    if (child == 0) {
        execvp(argv[0], (char *const *)argv);
        fprintf(stderr, "alula-clang: error: cannot run %s: %s\n", argv[0],
                strerror(errno));
        _exit(127);
    }
    return child > 0 ? status_of(child) : 127;
}
