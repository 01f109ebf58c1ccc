/* SPDX-License-Identifier: MIT */
/*
 * cc-quiet PROGRAM ARGUMENT...: runs a compiler stage (gcc -wrapper) and hands
 * on its standard error without the notes "disable pass tree-nothrow ..." and
 * "... rtl-nothrow ...", which GCC prints at each compilation for two flags
 * that Alula needs and no flag of GCC's silences.
 *
 * Every other line, standard output and the exit status pass unchanged.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_note(const char *line)
{
    return strstr(line, "note: disable pass tree-nothrow for") != NULL ||
           strstr(line, "note: disable pass rtl-nothrow for") != NULL;
}

static void filter(FILE *in)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, in) > 0) {
        if (!is_note(line)) {
            fputs(line, stderr);
        }
    }
    free(line);
}

int main(int argc, char **argv)
{
    int ends[2];
    int status;

    if (argc < 2) {
        fputs("usage: cc-quiet PROGRAM ARGUMENT...\n", stderr);
        return 2;
    }
    if (pipe(ends) != 0) {
        perror("cc-quiet: pipe");
        return 2;
    }
    pid_t child = fork();
    if (child < 0) {
        perror("cc-quiet: fork");
        return 2;
    }
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        execvp(argv[1], argv + 1);
        fprintf(stderr, "cc-quiet: %s: %s\n", argv[1], strerror(errno));
        _exit(127);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    if (in == NULL) {
        perror("cc-quiet: fdopen");
        return 2;
    }
    filter(in);
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            perror("cc-quiet: waitpid");
            return 2;
        }
    }
    /* A stage killed by a signal must look so to the driver: it prints which
     * one, and removes the unfinished output. */
    if (WIFSIGNALED(status)) {
        raise(WTERMSIG(status));
        return 2;
    }
    return WEXITSTATUS(status);
}
