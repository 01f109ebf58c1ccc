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
/* Their lists and bitmaps are looked at. */
#include "../../kernel/weak.h"

/* What is weak there is this test's. */
#undef WEAK
#define WEAK(function, type)

#include "../../kernel/heap.c"
#include "../../lib/core/block.c"

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
static bool ignored; /* what a call returned that should not have */
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

void softlock_look(void)
{
}

/* lib/scope.c's; only for scopes that are not the newest. */
void __al_scope_close(struct al_scope *scope)
{
    fail_msg("%p is not the newest scope", (void *)scope);
}

/* The task module's, as far as heap.c asks it. */
bool task_is_known(const struct al_task *task)
{
    return task == &tasks[0] || task == &tasks[1];
}

bool task_id_is_sane(struct al_task_id id)
{
    return task_is_known(id.task);
}

bool task_id_lives(struct al_task_id id)
{
    return id.spawn == id.task->spawns;
}

/* spawn.c's: counts when a task was left without a block. */
static unsigned emptied;

void spawn_empty_held(struct al_task *task)
{
    assert_int_equal(task->heap_bytes, 0);
    emptied++;
}

static struct al_task_id id_of(unsigned n)
{
    return (struct al_task_id){&tasks[n], tasks[n].spawns};
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

static bool stands_in_list(const struct block *block)
{
    uint32_t c = block_class(block_size(block));

    for (struct block *b = *list_of(&heap.regions[0], c); b != NULL;
            b = b->next_free) {
        if (b == block) {
            return true;
        }
    }
    return false;
}

static void look_at_lists(size_t free_blocks)
{
    struct region *r = &heap.regions[0];
    size_t listed = 0;

    for (unsigned c = 0; c < BLOCK_LISTS; c++) {
        struct block **link = list_of(r, c);

        if ((uintptr_t)link >= (uintptr_t)first_of(r)) {
            assert_int_equal(r->map[c / 32] >> c % 32 & 1, 0);
            continue;
        }
        assert_int_equal(r->map[c / 32] >> c % 32 & 1, *link != NULL);
        for (; *link != NULL; link = &(*link)->next_free) {
            listed++;
            assert_ptr_equal((*link)->link, link);
        }
    }
    assert_int_equal(listed, free_blocks);
}

static uintptr_t last_header(void)
{
    return heap.regions[0].low + heap.regions[0].span - BLOCK_HEADER;
}

static void look(void)
{
    struct block *block = first_of(&heap.regions[0]);
    bool before_is_free = false;
    size_t used = 0;
    size_t blocks = 0;
    size_t free_blocks = 0;
    size_t owned[2] = {0, 0};

    while ((uintptr_t)block < last_header()) {
        bool is_free = (block->head & FREE) != 0;

        assert_true(block_size(block) >= BLOCK_LEAST);
        assert_int_equal((block->head & PREV_FREE) != 0, before_is_free);
        assert_false(is_free && before_is_free);
        if (is_free) {
            free_blocks++;
            assert_ptr_equal(*footer_before(next_of(block)), block);
            assert_true(stands_in_list(block));
        } else {
            used += block_payload(block) + BLOCK_HEADER;
            blocks++;
            if (block->owner != NULL) {
                owned[block->owner - tasks] += block_payload(block);
            }
        }
        before_is_free = is_free;
        block = next_of(block);
    }
    assert_int_equal((uintptr_t)block, last_header());
    assert_int_equal((block->head & PREV_FREE) != 0, before_is_free);
    assert_int_equal(heap.regions[0].used_bytes, used);
    assert_int_equal(heap.regions[0].blocks, blocks);
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
    assert_int_equal(heap.regions[0].blocks, 0);
    assert_int_equal(block_payload(first_of(&heap.regions[0])),
            block_total(&heap.regions[0]));
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

static void finds_the_place_of_its_size(void **state)
{
    (void)state;
    for (size_t bytes = 17; bytes < 5000; bytes += bytes / 9 + 1) {
        char *at = al_heap_alloc(bytes);
        char *all = NULL;

        /* All the rest is taken, the largest blocks first. */
        for (size_t rest = REGION; rest > 0; rest = rest * 7 / 8) {
            char *next = al_heap_alloc(rest);

            if (next != NULL) {
                memcpy(next, &all, sizeof(all));
                all = next;
            }
        }
        al_heap_free(at);
        assert_ptr_equal(al_heap_alloc(bytes), at);
        al_heap_free(at);
        while (all != NULL) {
            at = all;
            memcpy(&all, at, sizeof(all));
            al_heap_free(at);
        }
        look();
        assert_int_equal(heap.regions[0].blocks, 0);
    }
}

/* call(at) must end its caller in this way, with nothing changed. */
static void misused(enum panic_site how, void (*call)(void *), void *at)
{
    static char before[REGION];
    struct al_task tasks_before[2];

    memcpy(before, region, REGION);
    memcpy(tasks_before, tasks, sizeof(tasks));
    site = 0;
    if (setjmp(dead) == 0) {
        call(at);
        fail_msg("%p was let through", at);
    }
    assert_int_equal(site, how);
    assert_memory_equal(before, region, REGION);
    assert_memory_equal(tasks_before, tasks, sizeof(tasks));
    look();
}

static void read_size(void *at)
{
    (void)al_heap_size(at);
}

static void resize(void *at)
{
    ignored = al_heap_resize(at, 8) != 0;
}

static void give_to_other(void *at)
{
    ignored = al_heap_give(at, id_of(1)) != 0;
}

static void refused(void *at)
{
    misused(PANIC_HEAP_2, al_heap_free, at);
    misused(PANIC_HEAP_2, read_size, at);
    misused(PANIC_HEAP_2, resize, at);
    misused(PANIC_HEAP_2, give_to_other, at);
    assert_false(heap_free_held(at));
}

static void align_by_12(void *at)
{
    (void)at;
    (void)al_heap_alloc_aligned(0, 8, 12);
}

static void align_by_0(void *at)
{
    (void)at;
    (void)al_heap_alloc_aligned(0, 8, 0);
}

static void add(void *at)
{
    ignored = al_heap_add(at, 300, 0) != 0;
}

static void add_little(void *at)
{
    ignored = al_heap_add(at, AL_HEAP_REGION_LEAST - 1, 0) != 0;
}

static void alloc_from_4(void *at)
{
    (void)at;
    (void)al_heap_alloc_from(4, 8);
}

static void alloc_from_minus_1(void *at)
{
    (void)at;
    (void)al_heap_alloc_from(-1, 8);
}

static void read_region_4(void *info)
{
    al_heap_read_region(4, info);
}

static void refuses_to_free_twice(void **state)
{
    /* Which of three neighbours are free already when the middle one goes. */
    static const size_t bytes[] = {40, 96, 96, 128};

    (void)state;
    for (unsigned free_set = 0; free_set < 4; free_set++) {
        /* Each lies before the one that was allocated before it. */
        char *end = al_heap_alloc(40);
        char *c = al_heap_alloc(40);
        char *b = al_heap_alloc(40);
        char *a = al_heap_alloc(40);
        char *begin = al_heap_alloc(40);
        char *again;

        if ((free_set & 1) != 0) {
            al_heap_free(a);
        }
        if ((free_set & 2) != 0) {
            al_heap_free(c);
        }
        al_heap_free(b);
        refused(b);
        /* A header that was joined to another is none: no link may lead there
         * once the memory is in use again. */
        assert_int_equal(
                is_sound(&heap.regions[0], block_of(c)), (free_set & 2) == 0);
        assert_int_equal(
                is_sound(&heap.regions[0], block_of(b)), (free_set & 1) == 0);
        if ((free_set & 1) != 0) {
            refused(a);
        }
        if ((free_set & 2) != 0) {
            refused(c);
        }
        /* The joined block in use again, the stale headers inside it. */
        /* All of it, or all but less than a block; sizes of their own class. */
        again = al_heap_alloc(bytes[free_set]);
        assert_ptr_equal(again, (free_set & 1) != 0 ? a : b);
        if ((free_set & 1) != 0) {
            refused(b);
        }
        if ((free_set & 2) != 0) {
            refused(c);
        }
        al_heap_free(again);
        if ((free_set & 1) == 0) {
            al_heap_free(a);
        }
        if ((free_set & 2) == 0) {
            al_heap_free(c);
        }
        al_heap_free(end);
        al_heap_free(begin);
        look();
        assert_int_equal(heap.regions[0].blocks, 0);
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
    refused(region + BLOCK_HEADER + REGION);
    refused((char *)last_header() + BLOCK_HEADER);
    refused((char *)first_of(&heap.regions[0]));
    refused((char *)(uintptr_t)8);
    refused((char *)(uintptr_t)0xfffffff8u);
    /* Payload that looks like a header of a block of nobody's. */
    memset(block, 0x10, 200);
    refused(block + 64);
    memset(block, 0xff, 200);
    refused(block + 64);
    memset(block, 0, 200);
    forged[0] = 32;
    *(void **)(void *)(block + 64 + BLOCK_HEADER - sizeof(void *)) = block;
    refused(block + 64 + BLOCK_HEADER);
    al_heap_free(other);
    al_heap_free(block);
    al_heap_free(NULL);
    assert_int_equal(heap.regions[0].blocks, 0);
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

static void is_given_with_its_bytes(void **state)
{
    char *block = al_heap_alloc(100);
    char *other = al_heap_alloc(50);

    (void)state;
    assert_int_equal(al_heap_give(block, id_of(1)), AL_OK);
    look();
    assert_int_equal(tasks[0].heap_bytes, al_heap_size(other));
    assert_int_equal(tasks[1].heap_bytes, al_heap_size(block));
    assert_int_equal(al_heap_give(block, id_of(1)), AL_OK);
    assert_int_equal(tasks[1].heap_bytes, al_heap_size(block));
    assert_int_equal(
            al_heap_give(block, (struct al_task_id){tasks, 9}), AL_E_STALE);
    look();
    al_heap_free(other);
    al_heap_free(block);
    look();
    site = 0;
    if (setjmp(dead) == 0) {
        ignored = al_heap_give(al_heap_alloc(8),
                          (struct al_task_id){(void *)region, 1}) != AL_OK;
        fail();
    }
    assert_int_equal(site, PANIC_HEAP_6);
    look();
    misused(PANIC_HEAP_2, give_to_other, other);
}

static void keeps_the_kernels_blocks(void **state)
{
    char *block = heap_alloc(NULL, 100);

    (void)state;
    assert_non_null(block);
    misused(PANIC_HEAP_2, al_heap_free, block);
    misused(PANIC_HEAP_2, give_to_other, block);
    assert_int_equal(tasks[0].heap_bytes, 0);
    assert_true(heap_free_held(block));
    assert_false(heap_free_held(block));
    assert_false(heap_free_held(NULL));
    look();
    assert_int_equal(heap.regions[0].blocks, 0);
    block = heap_alloc(&tasks[1], 100);
    assert_int_equal(tasks[1].heap_bytes, al_heap_size(block));
    assert_true(heap_free_held(block));
    look();
}

static void frees_for_who_is_no_task_any_more(void **state)
{
    static struct al_task gone;
    char *block;

    (void)state;
    al_core.current = &gone; /* in memory that is something else by then */
    block = al_heap_alloc(100);
    gone.heap_bytes = 1234567;
    al_core.current = &tasks[0];
    al_heap_free(block);
    assert_int_equal(gone.heap_bytes, 1234567);
    assert_int_equal(heap.regions[0].blocks, 0);

    emptied = 0;
    block = al_heap_alloc(10);
    al_heap_free(al_heap_alloc(10));
    assert_int_equal(emptied, 0);
    al_heap_free(block);
    assert_int_equal(emptied, 1);
    block = al_heap_alloc(10);
    assert_int_equal(al_heap_give(block, id_of(1)), AL_OK);
    assert_int_equal(emptied, 2);
    al_heap_free(block);
    assert_int_equal(emptied, 3);
    look();
}

static void keeps_what_a_scope_gave_away(void **state)
{
    struct al_scope scope;
    void *slot;

    (void)state;
    al_heap_scope_open(&scope, &slot, 64);
    assert_int_equal(tasks[0].heap_bytes, 64);
    al_scope_close(&scope);
    assert_int_equal(heap.regions[0].blocks, 0);
    al_heap_scope_open(&scope, &slot, 64);
    assert_int_equal(al_heap_give(slot, id_of(1)), AL_OK);
    al_scope_close(&scope);
    assert_int_equal(tasks[1].heap_bytes, 64);
    look();
    al_heap_scope_open(&scope, &slot, REGION);
    assert_null(slot);
    al_scope_close(&scope);
    look();
}

static void changes_size_in_place(void **state)
{
    (void)state;
    random_start();
    for (unsigned round = 0; round < 3000; round++) {
        unsigned i = random_below(20);
        size_t bytes =
                random_below(4) == 0 ? random_below(4000) : random_below(300);

        al_core.current = &tasks[random_below(2)];
        if (model[i].at == NULL) {
            allocate(i, bytes);
        } else if (random_below(3) == 0) {
            check_filled(i);
            al_heap_free(model[i].at);
            model[i].at = NULL;
        } else {
            size_t had = al_heap_size(model[i].at);
            bool fits = al_heap_resize(model[i].at, bytes);

            assert_true(fits || bytes > had);
            if (!fits || model[i].bytes < bytes) {
                check_filled(i);
            } else {
                model[i].bytes = bytes;
                check_filled(i);
            }
            if (fits) {
                assert_true(al_heap_size(model[i].at) >= bytes);
                model[i].bytes = bytes;
                fill(i);
            } else {
                assert_int_equal(al_heap_size(model[i].at), had);
            }
        }
        look();
    }
    assert_false(al_heap_resize(al_heap_alloc(8), SIZE_MAX));
    look();
}

static void aligns(void **state)
{
    (void)state;
    for (size_t align = 1; align <= 8192; align *= 2) {
        void *first = al_heap_alloc(24);
        char *at = al_heap_alloc_aligned(0, 100, align);

        assert_non_null(at);
        assert_int_equal((uintptr_t)at % align, 0);
        assert_true(at >= region && at + 100 <= region + REGION);
        memset(at, 1, 100);
        look();
        al_heap_free(first);
        al_heap_free(at);
        look();
        assert_int_equal(heap.regions[0].blocks, 0);
    }
    assert_null(al_heap_alloc_aligned(0, 8, 1u << 20));
    assert_null(al_heap_alloc_aligned(0, 8, (size_t)1 << 40));
    assert_null(al_heap_alloc_aligned(0, SIZE_MAX, 64));
    look();
    misused(PANIC_HEAP_5, align_by_12, NULL);
    misused(PANIC_HEAP_5, align_by_0, NULL);
}

static void has_regions(void **state)
{
    static _Alignas(8) char more[3][3000];
    struct al_heap_info info;
    struct al_heap_info all;
    char *at;

    (void)state;
    assert_int_equal(al_heap_add(more[0] + 1, 2995, AL_HEAP_BY_NAME), 1);
    assert_int_equal(al_heap_add(more[1], 3000, 0), 2);
    misused(PANIC_HEAP_7, add, more[1]);
    misused(PANIC_HEAP_7, add, more[1] + 2950);
    misused(PANIC_HEAP_7, add, more[0] - 40);
    misused(PANIC_HEAP_7, add, region);
    misused(PANIC_HEAP_7, add, (void *)(UINTPTR_MAX - 100));
    misused(PANIC_HEAP_7, add_little, more[2]);
    assert_int_equal(al_heap_add(more[2], AL_HEAP_REGION_LEAST, 0), 3);
    assert_int_equal(al_heap_add(&tasks, sizeof(tasks) + 10000, 0), AL_E_FULL);

    misused(PANIC_HEAP_4, alloc_from_4, NULL);
    misused(PANIC_HEAP_4, alloc_from_minus_1, NULL);
    misused(PANIC_HEAP_4, read_region_4, NULL);

    al_heap_read_region(1, &info);
    assert_int_equal(info.blocks, 0);
    assert_true(info.total_bytes > 2500 && info.total_bytes < 2995);
    at = al_heap_alloc_from(1, 100);
    assert_true(at >= more[0] + 1 && at < more[0] + 2996);
    al_heap_read_region(1, &info);
    assert_int_equal(info.blocks, 1);
    al_heap_read(&all);
    assert_int_equal(all.used_bytes, info.used_bytes);
    assert_null(al_heap_alloc_from(1, 5000));
    al_heap_free(at);
    al_heap_read(&all);
    assert_int_equal(all.used_bytes, 0);

    /* Region 0 first, then 2 and 3, never 1. */
    for (unsigned n = 0; (at = al_heap_alloc(200)) != NULL; n++) {
        bool first = at >= region && at < region + REGION;

        assert_true(first || (at >= more[1] && at < more[2] + 3000));
    }
    al_heap_read_region(1, &info);
    assert_int_equal(info.blocks, 0);
    al_heap_read_region(2, &info);
    assert_true(info.blocks >= 10);
}

/* Bytes that a program may write over the heap's words: zeros, ones, text,
 * anything, an address inside. */
static void damage(char *at, size_t bytes)
{
    uintptr_t inside = (uintptr_t)region + random_below(REGION / 8) * 8;

    switch (random_below(5)) {
    case 0:
        memset(at, 0, bytes);
        return;
    case 1:
        memset(at, 0xff, bytes);
        return;
    case 2:
        memset(at, 'A', bytes);
        return;
    case 3:
        memcpy(at, &inside, bytes < sizeof(inside) ? bytes : sizeof(inside));
        return;
    default:
        for (size_t i = 0; i < bytes; i++) {
            at[i] = (char)random_below(256);
        }
    }
}

/* A header, links, a footer, the lists: of what is there, something. */
static void damage_something(void)
{
    unsigned i = random_below(BLOCKS);
    char *at = model[i].at;

    switch (random_below(4)) {
    case 0:
        damage((char *)heap.regions[0].low + random_below(200), 8);
        return;
    case 1: /* past its end */
        if (at != NULL) {
            damage(at + al_heap_size(at), 1 + random_below(BLOCK_HEADER));
        }
        return;
    case 2: /* before its begin */
        if (at != NULL) {
            damage(at - BLOCK_HEADER, BLOCK_HEADER);
        }
        return;
    default: /* after it was freed */
        if (at != NULL) {
            size_t bytes = al_heap_size(at);
            size_t where = random_below(2) * (bytes - 8);

            al_heap_free(at);
            model[i].at = NULL;
            damage(at + where, bytes - where < 16 ? bytes - where : 16);
        }
    }
}

/* One call that may end its caller; a block that cannot be freed stays. */
static void try_something(void)
{
    unsigned volatile i = random_below(BLOCKS);

    site = 0;
    al_core.current = &tasks[random_below(2)];
    if (setjmp(dead) == 0) {
        if (model[i].at == NULL) {
            allocate(i, some_size());
        } else if (random_below(3) == 0) {
            ignored = al_heap_resize(model[i].at, model[i].bytes) != 0;
        } else {
            check_filled(i);
            al_heap_free(model[i].at);
            model[i].at = NULL;
        }
    }
    assert_true(site == 0 || site == PANIC_HEAP_2 || site == PANIC_HEAP_3);
    assert_int_equal(al_core.locked, 0);
}

static void damage_ends_nobody_else(void **state)
{
    unsigned volatile found = 0;

    random_start();
    for (unsigned volatile round = 0; round < 400; round++) {
        (void)start(state);
        for (unsigned step = 0; step < 400; step++) {
            try_something();
        }
        for (unsigned volatile n = 0; n < 10; n++) {
            if (setjmp(dead) == 0) {
                damage_something();
            }
        }
        for (unsigned step = 0; step < 400; step++) {
            try_something();
            found += site != 0;
        }
        /* Nobody's block was handed out twice, nor written to. */
        for (unsigned i = 0; i < BLOCKS; i++) {
            if (model[i].at != NULL) {
                check_filled(i);
            }
        }
        found += heap.regions[0].damaged;
    }
    assert_true(found > 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(finds_the_place_of_its_size, start),
            cmocka_unit_test_setup(plays_like_a_list_of_blocks, start),
            cmocka_unit_test_setup(serves_until_it_is_exhausted, start),
            cmocka_unit_test_setup(refuses_to_free_twice, start),
            cmocka_unit_test_setup(refuses_what_is_no_block, start),
            cmocka_unit_test_setup(is_for_tasks_only, start),
            cmocka_unit_test_setup(is_given_with_its_bytes, start),
            cmocka_unit_test_setup(keeps_what_a_scope_gave_away, start),
            cmocka_unit_test_setup(changes_size_in_place, start),
            cmocka_unit_test_setup(aligns, start),
            cmocka_unit_test_setup(has_regions, start),
            cmocka_unit_test_setup(keeps_the_kernels_blocks, start),
            cmocka_unit_test_setup(frees_for_who_is_no_task_any_more, start),
            cmocka_unit_test_setup(damage_ends_nobody_else, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
