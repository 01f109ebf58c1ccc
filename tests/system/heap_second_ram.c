/* SPDX-License-Identifier: MIT */
/*
 * A chip's second RAM is a region of the heap, of up to 16 MiB.
 *
 * 1. mps2 (PSRAM): blocks of megabytes; what is asked for by name comes from
 *    there, all else does not. A task whose stack and control block lie there
 *    dies, and its scopes are undone.
 * 2. stm32f405 (CCM, which the emulator has not): adding it is a bus fault of
 *    the caller's, and no region.
 * Fails if: a scope in the second RAM is taken for damage.
 * boards: stm32f405 mps2-an386
 * builds: gcc-O2 clang-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

#include <chip.h>
#include <string.h>

static int32_t region = -1;

static void add(void)
{
    region = al_heap_add(
            (void *)CHIP_RAM2_BASE, CHIP_RAM2_BYTES, AL_HEAP_BY_NAME);
}

static bool is_there(const void *at)
{
    return (uintptr_t)at - CHIP_RAM2_BASE < CHIP_RAM2_BYTES;
}

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile uint32_t undone;

static void undo(void *arg)
{
    (void)arg;
    undone++;
}

static void die(void *args)
{
    AL_DEFER(undo, NULL);
    rig_lock(&mutex);
    AL_HEAP_SCOPED(block, 100);
    memset(block, 1, 100);
    if (is_there(&args)) {
        al_panic("in the second RAM");
    }
}

static const struct al_restart_policy once = {
        .budget = 0,
        .exhausted = AL_EXHAUSTED_STOP,
};

static void lives_there(void)
{
    struct al_spawn *memory = al_heap_alloc_from(region, sizeof *memory);
    struct al_task_params params = {
            .entry = die,
            .stack = al_heap_alloc_from(region, 2048),
            .stack_bytes = 2048,
            .prio = 6,
            .policy = &once,
    };
    size_t used = rig_heap_used();
    struct al_task_id id;

    CHECK(is_there(memory) && is_there(params.stack), "memory of a task");
    memset(memory, 0, sizeof *memory);
    al_task_create(memory, &params, &id);
    CHECK(al_task_join(id, AL_FOREVER) == AL_OK, "it has ended");
    CHECK(al_crash_count() == 1 && undone == 1, "its scope was undone");
    CHECK(!al_mutex_is_held(&mutex), "its lock is free");
    CHECK(rig_heap_used() == used, "its block is free");
}

static void holds_much(void)
{
    char *large = al_heap_alloc_from(region, 5u << 20);
    char *more = al_heap_alloc_from(region, 7u << 20);
    char *plain = al_heap_alloc(100);

    CHECK(is_there(large) && is_there(large + (5u << 20) - 1), "5 MiB");
    CHECK(is_there(more), "and 7");
    CHECK(plain != NULL && !is_there(plain), "nothing but by name");
    CHECK(al_heap_alloc_from(region, 7u << 20) == NULL, "no more");
    large[(5u << 20) - 1] = 1;
    al_heap_free(large);
    al_heap_free(more);
    al_heap_free(plain);
}

static void judge(void)
{
    uint32_t died = rig_run(add);
    struct al_heap_info info;

    if (CHIP_RAM2_BASE == 0x10000000u) {
        CHECK(died == 1 && rig_record.cause == AL_CAUSE_BUS && region < 0,
                "no such memory: a bus fault");
    } else {
        CHECK(died == 0 && region == 1, "the second RAM is region 1");
        holds_much();
        lives_there();
        al_heap_read_region(region, &info);
        CHECK(info.total_bytes > 0xfff000u && info.damaged == 0, "%u bytes",
                (unsigned)info.total_bytes);
    }
    CHECK(al_heap_alloc(100) != NULL, "region 0 serves");
    test_done();
}

AL_TASK(judging, judge, 4, 2048);
