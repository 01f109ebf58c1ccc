/* SPDX-License-Identifier: MIT */
/*
 * Claim: the heap hands out aligned blocks that never overlap, knows what is
 * in use and whose it is, joins neighbours at once, and refuses whatever is
 * not a live block before it changes anything.
 *   1. random allocations and frees of two tasks against a list of blocks,
 *      every block filled with a pattern of its own
 *   2. after each step the whole region: headers reach from end to end, no two
 *      free neighbours, lists and bitmaps hold exactly the free blocks
 *   3. exhaustion: sizes in turn until NULL; all freed: one block again
 *   4. freed twice in every constellation of neighbours, also when the joined
 *      block is in use again; pointers into blocks, outside, unaligned
 * Fails if: a joined block keeps its header, a class is rounded down, or the
 * footer is not written.
 * sources: -Itests/unit/host
 */
#include "../../kernel/heap.c" /* its lists and bitmaps are looked at */

#include "host/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define REGION 20000
#define BLOCKS 300
#define STEPS  60000

bool host_in_handler;
struct al_core al_core;

static jmp_buf dead;
static enum panic_site site;
static struct al_task tasks[2];
static struct al_task_def defs[2] = {{.task = &tasks[0]}, {.task = &tasks[1]}};
static _Alignas(8) char region[REGION];

static struct {
    char *at;
    size_t bytes;
    struct al_task *owner;
} model[BLOCKS];

AL_NORETURN void panic_caller(enum panic_site where)
{
    site = where;
    longjmp(dead, 1);
}

void arch_pend_switch(void)
{
}

/* The task module's: heap.c asks it whether an owner is a task. */
bool task_is_known(const struct al_task *task)
{
    return task == &tasks[0] || task == &tasks[1];
}

static int start(void **state)
{
    (void)state;
    memset(&heap, 0, sizeof(heap));
    memset(tasks, 0, sizeof(tasks));
    memset(model, 0, sizeof(model));
    tasks[0].def = &defs[0];
    tasks[1].def = &defs[1];
    memset(region, 0xa5, sizeof(region));
    al_core.current = &tasks[0];
    heap_boot((uintptr_t)region, (uintptr_t)region + sizeof(region));
    return 0;
}

static bool is_listed(const struct block *block)
{
    struct class c = class_of(payload_of(block));

    for (struct block *b = heap.lists[c.rank][c.sub]; b != NULL;
            b = b->next_free) {
        if (b == block) {
            return true;
        }
    }
    return false;
}

static void look_at_lists(size_t free_blocks)
{
    size_t listed = 0;

    for (unsigned r = 0; r < RANKS; r++) {
        bool any = false;

        for (unsigned s = 0; s < SUBS; s++) {
            const struct block *head = heap.lists[r][s];

            assert_int_equal(heap.subs[r] >> s & 1, head != NULL);
            any = any || head != NULL;
            assert_true(head == NULL || head->prev_free == NULL);
            for (const struct block *b = head; b != NULL; b = b->next_free) {
                listed++;
                assert_true(
                        b->next_free == NULL || b->next_free->prev_free == b);
            }
        }
        assert_int_equal(heap.ranks >> r & 1, any);
    }
    assert_int_equal(listed, free_blocks);
}

static void look(void)
{
    struct block *block = (struct block *)heap.low;
    bool before_is_free = false;
    size_t used = 0;
    size_t blocks = 0;
    size_t free_blocks = 0;
    size_t owned[2] = {0, 0};

    while ((uintptr_t)block < heap.high) {
        bool is_free = (block->size & FREE) != 0;

        assert_true(payload_of(block) >= MIN_PAYLOAD);
        assert_int_equal((block->size & PREV_FREE) != 0, before_is_free);
        assert_false(is_free && before_is_free);
        if (is_free) {
            free_blocks++;
            assert_ptr_equal(*footer_of(block), block);
            assert_true(is_listed(block));
        } else {
            used += payload_of(block) + HEADER;
            blocks++;
            owned[block->owner - tasks] += payload_of(block);
        }
        before_is_free = is_free;
        block = next_of(block);
    }
    assert_int_equal((uintptr_t)block, heap.high);
    assert_int_equal((block->size & PREV_FREE) != 0, before_is_free);
    assert_int_equal(heap.used_bytes, used);
    assert_int_equal(heap.blocks, blocks);
    assert_int_equal(tasks[0].heap_bytes, owned[0]);
    assert_int_equal(tasks[1].heap_bytes, owned[1]);
    assert_int_equal(al_core.locked, 0);
    look_at_lists(free_blocks);
}

static void fill(unsigned i)
{
    memset(model[i].at, (int)(i * 7 + 1), model[i].bytes);
}

static void check_filled(unsigned i)
{
    for (size_t b = 0; b < model[i].bytes; b++) {
        assert_int_equal(
                (unsigned char)model[i].at[b], (unsigned char)(i * 7 + 1));
    }
}

static void allocate(unsigned i, size_t bytes)
{
    char *at = al_heap_alloc(bytes);

    if (at == NULL) {
        return;
    }
    assert_int_equal((uintptr_t)at % 8, 0);
    assert_true(at >= region && at + bytes <= region + REGION);
    model[i].at = at;
    model[i].bytes = bytes;
    model[i].owner = al_core.current;
    fill(i);
}

static size_t some_size(void)
{
    switch (random_below(8)) {
    case 0:
        return 0;
    case 1:
        return random_below(3000);
    case 2:
        return (1u << random_below(12)) + random_below(3) - 1;
    default:
        return random_below(120);
    }
}

static void plays_like_a_list_of_blocks(void **state)
{
    (void)state;
    random_start();
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = random_below(BLOCKS);

        al_core.current = &tasks[random_below(2)];
        if (model[i].at == NULL) {
            allocate(i, some_size());
        } else {
            check_filled(i);
            al_heap_free(model[i].at);
            model[i].at = NULL;
        }
        if (step % 8 == 0 || step < 2000) {
            look();
        }
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (model[i].at != NULL) {
            check_filled(i);
            al_heap_free(model[i].at);
        }
    }
    look();
    assert_int_equal(heap.blocks, 0);
    assert_int_equal(payload_of((struct block *)heap.low),
            heap.high - heap.low - HEADER);
}

static void serves_until_it_is_exhausted(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 2 * REGION; bytes += bytes / 3 + 1) {
        unsigned n = 0;
        struct al_heap_info info;

        al_heap_read(&info);
        assert_int_equal(info.used_bytes, 0);
        assert_int_equal(info.largest_bytes, info.total_bytes);
        while (n < BLOCKS) {
            allocate(n, bytes);
            if (model[n].at == NULL) {
                break;
            }
            n++;
        }
        look();
        al_heap_read(&info);
        assert_int_equal(info.blocks, n);
        /* What is left is no block of that size, rounded up by its class. */
        assert_true(n == BLOCKS || info.largest_bytes < bytes + bytes / 4 + 16);
        while (n > 0) {
            n--;
            check_filled(n);
            al_heap_free(model[n].at);
            model[n].at = NULL;
        }
        look();
    }
}

/* Freeing `at` must be refused, with nothing changed. */
static void refused(void *at)
{
    static char before[REGION];
    struct al_task tasks_before[2];

    memcpy(before, region, REGION);
    memcpy(tasks_before, tasks, sizeof(tasks));
    site = 0;
    if (setjmp(dead) == 0) {
        al_heap_free(at);
        fail_msg("free(%p) was let through", at);
    }
    assert_int_equal(site, PANIC_HEAP_2);
    assert_memory_equal(before, region, REGION);
    assert_memory_equal(tasks_before, tasks, sizeof(tasks));
    look();
}

static void refuses_to_free_twice(void **state)
{
    /* Which of three neighbours are free already when the middle one goes. */
    (void)state;
    for (unsigned free_set = 0; free_set < 4; free_set++) {
        char *a = al_heap_alloc(40);
        char *b = al_heap_alloc(40);
        char *c = al_heap_alloc(40);
        char *end = al_heap_alloc(40);
        char *again;

        if ((free_set & 1) != 0) {
            al_heap_free(a);
        }
        if ((free_set & 2) != 0) {
            al_heap_free(c);
        }
        al_heap_free(b);
        refused(b);
        if ((free_set & 1) != 0) {
            refused(a);
        }
        if ((free_set & 2) != 0) {
            refused(c);
        }
        /* The joined block in use again, the stale headers inside it. */
        again = al_heap_alloc(
                40u + 40u * (free_set & 1) + HEADER * (free_set & 1));
        assert_non_null(again);
        if ((free_set & 1) != 0) {
            assert_ptr_equal(again, a);
            refused(b);
        }
        al_heap_free(again);
        if ((free_set & 1) == 0) {
            al_heap_free(a);
        }
        if ((free_set & 2) == 0) {
            al_heap_free(c);
        }
        al_heap_free(end);
        look();
        assert_int_equal(heap.blocks, 0);
    }
}

static void refuses_what_is_no_block(void **state)
{
    char *block = al_heap_alloc(200);
    char *other = al_heap_alloc(16);
    uint32_t *forged = (uint32_t *)(void *)(block + 64);

    (void)state;
    memset(block, 0, 200);
    refused(block + 1);
    refused(block + 4);
    refused(block + 8);
    refused(block + 96);
    refused(region + HEADER + REGION);
    refused((char *)heap.high + HEADER);
    refused((char *)heap.low);
    refused((char *)(uintptr_t)8);
    refused((char *)(uintptr_t)0xfffffff8u);
    /* Payload that looks like a header of a block of nobody's. */
    memset(block, 0x10, 200);
    refused(block + 64);
    memset(block, 0xff, 200);
    refused(block + 64);
    memset(block, 0, 200);
    forged[0] = 32;
    *(void **)(void *)(block + 64 + HEADER - sizeof(void *)) = block;
    refused(block + 64 + HEADER);
    al_heap_free(other);
    al_heap_free(block);
    al_heap_free(NULL);
    assert_int_equal(heap.blocks, 0);
}

static void is_for_tasks_only(void **state)
{
    struct al_heap_info info;

    (void)state;
    for (volatile int call = 0; call < 3; call++) {
        site = 0;
        host_in_handler = true;
        if (setjmp(dead) == 0) {
            switch (call) {
            case 0:
                (void)al_heap_alloc(1);
                break;
            case 1:
                al_heap_free(NULL);
                break;
            default:
                al_heap_read(&info);
            }
            fail();
        }
        host_in_handler = false;
        assert_int_equal(site, PANIC_HEAP_1);
        look();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(plays_like_a_list_of_blocks, start),
            cmocka_unit_test_setup(serves_until_it_is_exhausted, start),
            cmocka_unit_test_setup(refuses_to_free_twice, start),
            cmocka_unit_test_setup(refuses_what_is_no_block, start),
            cmocka_unit_test_setup(is_for_tasks_only, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
