/* SPDX-License-Identifier: MIT */
/*
 * A program that knows of the kernel only its task: all it prints goes out on
 * the console. Dies in the middle of a line once, for the rest to show that the
 * stream is usable after that.
 */
#include <alula/task.h>

#include <board.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int lives;

static void talk(void)
{
    char word[16];
    char *copy;
    size_t n = 0;
    int c;

    lives++;
    printf("life %d\n", lives);
    if (lives == 1) {
        printf("dies %s\n", (const char *)0x30000000);
    }
#ifdef PICOLIBC_INTEGER_PRINTF_SCANF
    printf("%5d|%-6s|%08lx\n", -42, "left", 0xbeeful);
#else
    printf("%5d|%-6s|%08lx|%.3f\n", -42, "left", 0xbeeful, 3.14159);
#endif
    fputs("name? ", stdout);
    c = getchar();
    while (c != '\n' && n + 1 < sizeof word) {
        word[n] = (char)c;
        n++;
        c = getchar();
    }
    word[n] = '\0';
    copy = strdup(word);
    fprintf(stderr, "hello, %s\n", copy);
    free(copy);
    fflush(stdout);
    board_exit(0);
}

AL_TASK(talker, talk, 3, 2048);
