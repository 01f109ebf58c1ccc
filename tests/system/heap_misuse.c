/* SPDX-License-Identifier: MIT */
/*
 * Wrong uses of the heap, and damage of every word of it, end the task that
 * comes across it, or nobody; never the kernel, and never another's block.
 *
 * 1. Freed twice, inside, outside, unaligned; a region that does not exist, an
 *    alignment of 12, memory that is the heap's already, memory that is none;
 *    a block given to what is no task, or to one that has ended.
 * 2. A block is written past its end: its free is HEAP.3, and that of the
 *    block behind it HEAP.2. Others can be allocated and freed.
 * 3. A region of its own, in which in turn each word that is the heap's is
 *    overwritten with zeros, ones, an address in it and one that is nowhere:
 *    what comes then is HEAP.2, HEAP.3 or success, and blocks that live keep
 *    their bytes.
 * Fails if: an address in a header or link is followed without a look.
 * boards: stm32f405 mps2-an386
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

#include <chip.h>
#include <string.h>

#define HEAP 4u /* the module's number in crash records */

static char *volatile block;
static char *volatile other;
static bool ignored;

static void free_twice(void)
{
    block = al_heap_alloc(40);
    al_heap_free(block);
    al_heap_free(block);
}

static void free_inside(void)
{
    block = al_heap_alloc(40);
    memset(block, 0, 40);
    al_heap_free(block + 16);
}

static void free_unaligned(void)
{
    al_heap_free(block + 2);
}

static void free_outside(void)
{
    static char outside[64];

    al_heap_free(outside + 32);
}

static void free_nowhere(void)
{
    al_heap_free((void *)(uintptr_t)RIG_NOWHERE);
}

static void free_lowest(void)
{
    al_heap_free((void *)4);
}

static void alloc_nowhere(void)
{
    block = al_heap_alloc_from(77, 10);
}

static void alloc_at_12(void)
{
    block = al_heap_alloc_aligned(0, 10, 12);
}

static void give_to_none(void)
{
    block = al_heap_alloc(20);
    ignored =
            al_heap_give(block, (struct al_task_id){(void *)block, 1}) == AL_OK;
}

static void give_to_nowhere(void)
{
    ignored = al_heap_give(block,
                      (struct al_task_id){(void *)(uintptr_t)RIG_NOWHERE, 1}) ==
              AL_OK;
}

static void give_none(void)
{
    ignored = al_heap_give(&ignored, al_task_id_of(&rig_victim)) == AL_OK;
}

static void add_the_heap(void)
{
    block = al_heap_alloc(1000);
    ignored = al_heap_add(block, 1000, 0) == 0;
}

static void add_little(void)
{
    static char little[200];

    ignored = al_heap_add(little, sizeof little, 0) == 0;
}

static void size_of_none(void)
{
    ignored = al_heap_size(&ignored) == 0;
}

static void resize_none(void)
{
    ignored = al_heap_resize(&ignored, 8);
}

static void panics(void (*body)(void), uint32_t n, const char *name)
{
    struct al_heap_info before;
    struct al_heap_info after;

    al_heap_read(&before);
    CHECK(rig_run(body) == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                    rig_record.detail[0] == HEAP && rig_record.detail[1] == n,
            "%s: HEAP.%u", name, (unsigned)n);
    al_heap_read(&after);
    CHECK(after.damaged == before.damaged && after.blocks <= before.blocks + 2,
            "%s: nothing is damaged", name);
}

static void add_nowhere(void)
{
    ignored = al_heap_add((void *)(uintptr_t)RIG_NOWHERE, 4096, 0) == 0;
}

static void overrun(void)
{
    other = al_heap_alloc(32); /* lies behind the next one */
    block = al_heap_alloc(32);
    memset(block + 32, 'x', 5);
    al_heap_free(block);
}

static void free_overrun(void)
{
    al_heap_free(other);
}

static void frees_well(void)
{
    void *a = al_heap_alloc(100);
    void *b = al_heap_alloc(200);

    AL_ASSERT(a != NULL && b != NULL);
    al_heap_free(a);
    al_heap_free(b);
}

static struct al_task_id ended_id;

static void ended(void)
{
    ended_id = al_task_id_self();
}
AL_TASK(has_ended, ended, 6, 1024);

/* A region of 1 KiB: three live blocks, three free ones between, the rest. */
static long long memory[AL_HEAP_REGIONS - 1][128];
static int32_t region;
static char *live[3];
static char *hole[3];

static bool live_are_whole(unsigned freed)
{
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; (freed >> i & 1) == 0 && k < 40; k++) {
            if (live[i][k] != (char)('0' + i)) {
                return false;
            }
        }
    }
    return true;
}

static volatile unsigned step; /* of the victim: which call was its last */
static volatile unsigned freed;

/* Every kind of call on the damaged region; the victim goes on after a death,
 * with the call behind the one that it died of. */
static void use_damaged(void)
{
    while (step < 12) {
        unsigned now = step++;
        char *got;

        if (now < 3) {
            got = al_heap_alloc_from(region, 24 + 40 * now);
            if (got != NULL) {
                memset(got, 0xee, 24 + 40 * now);
            }
        } else if (now < 6) {
            (void)al_heap_size(live[now - 3]);
            ignored = al_heap_resize(live[now - 3], 56);
        } else if (now < 9) {
            al_heap_free(live[now - 6]);
            freed |= 1u << (now - 6);
        } else {
            got = al_heap_alloc_aligned(region, 30, 64);
            if (got != NULL) {
                memset(got, 0xdd, 30);
            }
        }
    }
}

static bool is_heap_panic(void)
{
    return rig_record.cause == AL_CAUSE_CALLER &&
           rig_record.detail[0] == HEAP &&
           (rig_record.detail[1] == 2 || rig_record.detail[1] == 3);
}

/* Of the region as it was when it was new: its memory, and which of its lists
 * are not empty, three words of the kernel's behind those that say where the
 * region is. */
extern uint32_t __al_state_low[];
extern uint32_t __al_state_high[];

static char clean[1024];
static uint32_t *map;
static uint32_t clean_map[3];

static void find_map(void)
{
    for (uint32_t *at = __al_state_low; at < __al_state_high; at++) {
        if (*at == (uint32_t)(uintptr_t)memory[0]) {
            map = at + 2;
        }
    }
    AL_ASSERT(map != NULL);
    memcpy(clean, memory[0], sizeof clean);
    memcpy(clean_map, map, sizeof clean_map);
}

static void damage_each_word(void)
{
    static const char *const names[] = {
            "zeros", "ones", "an address inside", "an address nowhere"};
    uint32_t *words = (uint32_t *)(void *)memory[0];
    uint32_t values[4] = {0, ~0u, (uint32_t)(uintptr_t)&memory[0][40],
            (uint32_t)(uintptr_t)RIG_NOWHERE};

    for (unsigned v = 0; v < 4; v++) {
        unsigned deaths = 0;
        unsigned wrong = 0;
        unsigned wild = 0;

        for (unsigned w = 0; w < sizeof clean / 4; w++) {
            uint32_t *at = &words[w];
            bool is_payload = false;

            memcpy(words, clean, sizeof clean);
            memcpy(map, clean_map, sizeof clean_map);
            for (unsigned i = 0; i < 3; i++) {
                is_payload |=
                        (char *)at >= live[i] && (char *)at < live[i] + 40;
            }
            if (is_payload) {
                continue;
            }
            *at = values[v];
            step = 0;
            freed = 0;
            while (step < 12) {
                if (rig_run(use_damaged) == 1) {
                    deaths++;
                    wrong += !is_heap_panic();
                }
            }
            wild += !live_are_whole(freed);
        }
        CHECK(wrong == 0, "%s: %u deaths, all HEAP.2 or HEAP.3", names[v],
                deaths);
        CHECK(wild == 0, "%s: no live block was written to", names[v]);
    }
}

static void judge(void)
{
    struct al_heap_info info;
    struct al_task_info self;

    panics(free_twice, 2, "free twice");
    panics(free_inside, 2, "free inside");
    panics(free_unaligned, 2, "free unaligned");
    panics(free_outside, 2, "free outside");
    panics(free_nowhere, 2, "free nowhere");
    panics(free_lowest, 2, "free below all");
    panics(alloc_nowhere, 4, "no such region");
    panics(alloc_at_12, 5, "alignment of 12");
    panics(give_to_none, 6, "give to a block");
    panics(give_to_nowhere, 6, "give to nowhere");
    panics(give_none, 2, "give what is no block");
    panics(size_of_none, 2, "size of no block");
    panics(resize_none, 2, "resize no block");
    panics(add_the_heap, 7, "add a block");
    panics(add_little, 7, "add too little");
    CHECK(rig_run(add_nowhere) == 1 && rig_record.cause == AL_CAUSE_BUS,
            "adding memory that is none: a bus fault");
    CHECK(rig_run(frees_well) == 0, "the heap works on");
    block = al_heap_alloc(10);
    CHECK(al_heap_give(block, ended_id) == AL_E_STALE, "give to the dead");
    al_task_read(al_task_self(), &self);
    CHECK(self.heap_bytes == al_heap_size(block), "and it stays with us");
    al_heap_free(block);

    panics(overrun, 3, "written past its end");
    panics(free_overrun, 2, "the block behind that");
    CHECK(rig_run(frees_well) == 0, "the heap goes on without them");

    region = al_heap_add(memory[0], sizeof memory[0], AL_HEAP_BY_NAME);
    CHECK(region == 1, "a region is added");
    for (unsigned i = 0; i < 3; i++) {
        live[i] = al_heap_alloc_from(region, 40);
        hole[i] = al_heap_alloc_from(region, 24 + 16 * i);
        memset(live[i], '0' + (int)i, 40);
    }
    for (unsigned i = 0; i < 3; i++) {
        al_heap_free(hole[i]);
    }
    find_map();
    damage_each_word();
    CHECK(rig_run(frees_well) == 0, "region 0 knows nothing of it");

    CHECK(al_heap_add(memory[1], sizeof memory[1], 0) == 2, "region 2");
    CHECK(al_heap_add(memory[2], sizeof memory[2], 0) == 3, "region 3");
    CHECK(al_heap_add(clean, sizeof clean, 0) == AL_E_FULL, "and no more");
    al_heap_read_region(2, &info);
    CHECK(info.blocks == 0 && info.total_bytes > 850, "region 2: %u bytes",
            (unsigned)info.total_bytes);
    test_done();
}

AL_TASK(judging, judge, 4, 2048);
