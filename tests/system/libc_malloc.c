/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its like are the kernel's heap: the calling task's blocks, whose
 * every case is as the C standard has it.
 *
 * 1. realloc(): of NULL, to 0, smaller and larger in place, larger where it
 *    must move, to more than there is: the contents are kept, the old block
 *    stays where nothing can be had.
 * 2. calloc() clears, and refuses a product that overflows; aligned_alloc(),
 *    memalign() and posix_memalign() align, and refuse what is no power of two.
 * 3. Exhaustion: NULL and ENOMEM, of malloc(), calloc(), realloc(), strdup()
 *    and asprintf(); all is there again afterwards.
 * 4. Functions of the C library allocate for the task that calls.
 * 5. qsort() sorts whatever it is given.
 * Fails if: realloc() copies the new size, or the product is not checked.
 * boards: stm32f405 mps2-an386 mps2-an385
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 */
#include <alula/alula.h>

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* Compilers know malloc(): what it returns goes through here. */
static void *volatile hidden;

static void *hide(void *block)
{
    hidden = block;
    return hidden;
}

/* Clang takes it that malloc() leaves errno alone. */
static int error(void)
{
    AL_BARRIER();
    return errno;
}

static uint32_t mine(void)
{
    struct al_task_info info;

    al_task_read(al_task_self(), &info);
    return info.heap_bytes;
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

static void reallocates(void)
{
    char *a = hide(realloc(NULL, 100));
    char *wall;
    char *moved;
    size_t bytes;

    CHECK(a != NULL && mine() == al_heap_size(a), "realloc of NULL");
    memset(a, 'a', 100);
    CHECK(hide(realloc(a, 40)) == a && malloc_usable_size(a) == 40 &&
                    filled(a, 'a', 40),
            "smaller, in place");
    CHECK(mine() == 40, "what it had more is free");
    CHECK(hide(realloc(a, 90)) == a && filled(a, 'a', 40), "larger, in place");
    memset(a, 'b', 90);
    free(a);

    wall = hide(malloc(50)); /* lies behind the next one */
    a = hide(malloc(50));
    memset(a, 'c', 50);
    moved = hide(realloc(a, 400));
    CHECK(moved != NULL && moved != a && filled(moved, 'c', 50),
            "larger, moved");
    CHECK(mine() == al_heap_size(wall) + al_heap_size(moved),
            "the old block is free");
    memset(moved, 'd', 400);
    bytes = mine();
    errno = 0;
    CHECK(hide(realloc(moved, 100000000)) == NULL && error() == ENOMEM &&
                    mine() == bytes && filled(moved, 'd', 400),
            "more than there is: the block stays");
    errno = 0;
    CHECK(hide(realloc(moved, SIZE_MAX)) == NULL && error() == ENOMEM,
            "the largest size there is");
    CHECK(hide(realloc(moved, 0)) == NULL, "to 0: freed");
    free(wall);
    free(NULL);
    CHECK(mine() == 0, "nothing is left");
}

static void clears_and_aligns(void)
{
    void *block = NULL;
    char *a = hide(malloc(200));

    memset(a, 0xff, 200);
    free(a);
    a = hide(calloc(20, 10));
    CHECK(a != NULL && filled(a, 0, 200), "calloc clears");
    free(a);
    errno = 0;
    CHECK(hide(calloc(0x10001, 0x10000)) == NULL && error() == ENOMEM,
            "a product that overflows");
    CHECK(mine() == 0, "nothing was taken for it");
    for (size_t align = 1; align <= 1024; align *= 4) {
        a = hide(aligned_alloc(align, 24));
        CHECK(a != NULL && (uintptr_t)a % align == 0, "aligned_alloc(%u)",
                (unsigned)align);
        free(a);
    }
    a = hide(memalign(256, 8));
    CHECK(a != NULL && (uintptr_t)a % 256 == 0, "memalign");
    free(a);
    errno = 0;
    CHECK(hide(memalign(24, 8)) == NULL && error() == EINVAL, "memalign(24)");
    CHECK(posix_memalign(&block, 128, 10) == 0 && (uintptr_t)block % 128 == 0,
            "posix_memalign");
    free(block);
    CHECK(posix_memalign(&block, 12, 10) == EINVAL, "posix_memalign(12)");
    CHECK(posix_memalign(&block, 8, 100000000) == ENOMEM,
            "posix_memalign of too much");
    CHECK(mine() == 0, "all is free");
}

static void is_exhausted(void)
{
    struct al_heap_info before;
    struct al_heap_info after;
    void **all = NULL;
    char *text = NULL;
    char *last;

    al_heap_read(&before);
    for (size_t bytes = 4000000; bytes > 0; bytes /= 2) {
        void **next = hide(malloc(bytes));

        while (next != NULL) {
            *next = all;
            all = next;
            next = hide(malloc(bytes));
        }
    }
    errno = 0;
    CHECK(hide(malloc(1)) == NULL && error() == ENOMEM, "malloc: ENOMEM");
    errno = 0;
    CHECK(hide(calloc(1, 1)) == NULL && error() == ENOMEM, "calloc: ENOMEM");
    errno = 0;
    CHECK(hide(strdup("x")) == NULL && error() == ENOMEM, "strdup: ENOMEM");
    CHECK(asprintf(&text, "%d", 1) < 0, "asprintf: refused");
    last = (char *)all;
    all = *all;
    errno = 0;
    CHECK(hide(realloc(last, 5000000)) == NULL && error() == ENOMEM,
            "realloc: ENOMEM");
    free(last);
    while (all != NULL) {
        void **next = *all;

        free(all);
        all = next;
    }
    al_heap_read(&after);
    CHECK(after.used_bytes == before.used_bytes &&
                    after.largest_bytes == before.largest_bytes && mine() == 0,
            "all is there again");
}

static void allocates_for_the_caller(void)
{
    char *copy = hide(strdup("a text of more than a block"));
    char *text = NULL;
    int n = asprintf(&text, "%s, %d", "formatted", 12345);

    CHECK(strcmp(copy, "a text of more than a block") == 0, "strdup");
    CHECK(n == 16 && strcmp(text, "formatted, 12345") == 0, "asprintf");
    CHECK(mine() == al_heap_size(copy) + al_heap_size(text),
            "counted for the caller");
    free(copy);
    free(text);
    CHECK(mine() == 0, "and free");
}

static int by_value(const void *a, const void *b)
{
    uint16_t x = *(const uint16_t *)a;
    uint16_t y = *(const uint16_t *)b;

    return (x > y) - (x < y);
}

static void sorts(void)
{
    static uint16_t numbers[200];
    uint32_t seed = 1;
    unsigned wrong = 0;

    for (size_t count = 0; count <= 200; count++) {
        uint32_t sum = 0;

        for (size_t i = 0; i < count; i++) {
            seed = seed * 1664525u + 1013904223u;
            numbers[i] = (uint16_t)(seed >> 16) % (count % 3 == 0 ? 5 : 9999);
            sum += numbers[i];
        }
        qsort(numbers, count, sizeof numbers[0], by_value);
        for (size_t i = 0; i < count; i++) {
            wrong += i > 0 && numbers[i - 1] > numbers[i];
            sum -= numbers[i];
        }
        wrong += sum != 0;
    }
    CHECK(wrong == 0, "201 arrays are sorted");
}

static void judge(void)
{
    reallocates();
    clears_and_aligns();
    is_exhausted();
    allocates_for_the_caller();
    sorts();
    test_done();
}

AL_TASK(judging, judge, 4, 3072);
