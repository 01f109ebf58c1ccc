/* SPDX-License-Identifier: MIT */
/*
 * Tasks that preempt each other use the C library as if each were alone.
 *
 * 1. Three tasks of three priorities, the upper two woken by the tick in the
 *    middle of whatever the lower ones do, print lines with printf(), puts()
 *    and fprintf(): every line comes out whole, and as often as printed.
 * 2. Each cuts its own words with strtok(), has its own errno, and fills blocks
 *    from malloc(), calloc() and realloc() that nobody else writes to.
 * 3. At the end every block is free, and no task has bytes left.
 * Fails if: the stream has no lock, malloc() is the C library's, or errno is
 * one for all.
 * boards: stm32f405 mps2-an386
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../support/console.c
 */
#include <alula/alula.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"
#include "test.h"

#define ROUNDS 40

static struct al_sem done = AL_SEM_INIT(0, 3);
static volatile uint32_t words_wrong, errno_wrong, blocks_wrong;

/* Time passes while a byte goes out: the tick wakes the others in between. */
static void slow(char c)
{
    (void)c;
    for (volatile unsigned i = 0; i < 200; i++) {
    }
}

static void cut_words(char id)
{
    char text[] = "?0 ?1 ?2 ?3 ?4";
    unsigned n = 0;

    for (char *c = text; *c != '\0'; c++) {
        if (*c == '?') {
            *c = id;
        }
    }
    for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " ")) {
        words_wrong += w[0] != id || w[1] != (char)('0' + n);
        n++;
        slow(' ');
    }
    words_wrong += n != 5;
}

static bool filled(const char *block, char with, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (block[i] != with) {
            return false;
        }
    }
    return true;
}

static void use_blocks(char id, unsigned round)
{
    size_t bytes = 10 + round * 7 % 200;
    char *a = malloc(bytes);
    char *b = calloc(bytes, 2);

    if (a == NULL || b == NULL) {
        blocks_wrong++;
        return;
    }
    blocks_wrong += !filled(b, 0, 2 * bytes);
    memset(a, id, bytes);
    memset(b, id, 2 * bytes);
    slow(' ');
    a = realloc(a, 3 * bytes);
    blocks_wrong += a == NULL || !filled(a, id, bytes);
    slow(' ');
    blocks_wrong += !filled(b, id, 2 * bytes);
    free(a);
    free(b);
}

static void work(const char *id)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        errno = *id + (int)i;
        printf("<%c %u %s %d.%d>\n", *id, i, "text", -1, 2);
        cut_words(*id);
        puts(*id == 'a'      ? "<aaaaaaaaaaaaaaaa>"
                : *id == 'b' ? "<bbbbbbbbbbbbbbbb>"
                             : "<cccccccccccccccc>");
        use_blocks(*id, i);
        fprintf(stderr, "<%c%c%c>\n", *id, *id, *id);
        errno_wrong += errno != *id + (int)i;
        if (*id != 'c') {
            al_sleep(*id == 'a' ? 3 : 2);
        }
    }
    (void)al_sem_give(&done);
    al_sleep(1000000);
}

AL_TASK_ARGS(low, work, 2, 2048, &al_restart_default, char, {'c'});
AL_TASK_ARGS(middle, work, 3, 2048, &al_restart_default, char, {'b'});
AL_TASK_ARGS(high, work, 4, 2048, &al_restart_default, char, {'a'});

/* Lines are whole, and of one task each. */
static bool whole(const char *line, size_t length, unsigned *of)
{
    char id = line[1];

    if (length < 5 || line[0] != '<' || line[length - 1] != '>' || id < 'a' ||
            id > 'c') {
        return false;
    }
    for (size_t i = 1; i + 1 < length; i++) {
        if (line[i] == '<' || line[i] == '>') {
            return false;
        }
        for (char other = 'a'; line[2] != ' ' && other <= 'c'; other++) {
            if (line[i] == other && other != id) {
                return false;
            }
        }
    }
    of[id - 'a']++;
    return true;
}

static void judge(void)
{
    unsigned of[3] = {0, 0, 0};
    unsigned mixed = 0;
    size_t begin = 0;
    struct al_heap_info heap;

    console_hook = slow;
    for (int i = 0; i < 3; i++) {
        al_sem_take(&done);
    }
    for (size_t i = 0; i < console_length; i++) {
        if (console_text[i] == '\n') {
            mixed += !whole(console_text + begin, i - begin, of);
            begin = i + 1;
        }
    }
    CHECK(mixed == 0, "every line is whole: %u are not", mixed);
    CHECK(of[0] == 3 * ROUNDS && of[1] == 3 * ROUNDS && of[2] == 3 * ROUNDS,
            "%u, %u, %u lines", of[0], of[1], of[2]);
    CHECK(words_wrong == 0, "words are a task's own: %u are not",
            (unsigned)words_wrong);
    CHECK(errno_wrong == 0, "errno is a task's own");
    CHECK(blocks_wrong == 0, "blocks are a task's own: %u are not",
            (unsigned)blocks_wrong);
    al_heap_read(&heap);
    CHECK(heap.blocks == 0 && heap.used_bytes == 0 && heap.damaged == 0,
            "no block is left");
    for (struct al_task *t = al_task_next(NULL); t != NULL;
            t = al_task_next(t)) {
        struct al_task_info info;

        al_task_read(t, &info);
        CHECK(info.heap_bytes == 0 && info.restarts == 0,
                "%s has no bytes and never died", info.name);
    }
    test_done();
}

AL_TASK(judging, judge, 5, 2048);
