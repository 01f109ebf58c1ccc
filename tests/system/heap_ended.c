/* SPDX-License-Identifier: MIT */
/*
 * What tasks that are made at run time leave on the heap is counted for them
 * until it is freed, and costs nothing afterwards.
 *
 * 1. A task ends with blocks of its own: they live on, another task frees them;
 *    300 times over the heap has what it had.
 * 2. Its control block is not used again before that.
 * 3. A task in memory of the caller's ends with a block; its memory becomes
 *    another task, and then something else: the block can be freed at any time.
 * 4. A block is given to a task that has ended: stale; to one that lives.
 * 5. The heap is exhausted: no task can be made, and nothing of the attempt is
 *    left, at every point at which memory may be lacking.
 * 6. It is exhausted while a task lives: when that has ended, another one with
 *    as large a stack finds room, of whatever size.
 * Fails if: a control block with blocks to its name becomes a task again, or
 * none ever does; or a free block of just the right size is passed over.
 * boards: stm32f405 mps2-an386
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O2
 */
#include <alula/alula.h>

#include <string.h>

#include "test.h"

#define STACK 1536

static char *left[2];

static void leave(void *args)
{
    left[0] = al_heap_alloc(100);
    left[1] = al_heap_alloc(*(const uint32_t *)args);
}

static al_status make(uint32_t bytes, struct al_task_id *id)
{
    const struct al_task_params params = {
            .name = "leaves",
            .entry = leave,
            .args = &bytes,
            .args_bytes = sizeof bytes,
            .stack_bytes = STACK,
            .prio = 6, /* runs to its end before al_task_spawn() returns */
    };

    return al_task_spawn(&params, id);
}

static struct al_heap_info now(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info;
}

static void leaves_and_frees(void)
{
    struct al_task_id first;
    struct al_task_id second;
    struct al_task_info info;
    size_t used;
    uint32_t wrong = 0;

    CHECK(make(200, &first) == AL_OK && left[1] != NULL, "a task leaves two");
    al_task_read(first.task, &info);
    CHECK(info.heap_bytes == 104 + 200, "they are counted for it: %u bytes",
            (unsigned)info.heap_bytes);
    CHECK(al_heap_give(left[0], first) == AL_E_STALE, "give to the dead");
    al_heap_free(left[0]);
    CHECK(make(40, &second) == AL_OK && second.task != first.task,
            "its control block is not used again");
    al_heap_free(left[0]);
    al_heap_free(left[1]);
    CHECK(al_task_join(first, AL_POLL) == AL_OK, "its id is still one");
    used = now().used_bytes;
    for (uint32_t i = 0; i < 300; i++) {
        wrong += make(24 + i, &first) != AL_OK;
        al_heap_free(left[1]);
        al_heap_free(left[0]);
        wrong += now().used_bytes != used;
    }
    CHECK(wrong == 0, "300 more leave nothing in the end");
}

static struct al_spawn memory;
static char stack[STACK] __attribute__((aligned(8)));

static void in_own_memory(void)
{
    static const uint32_t bytes = 72;
    const struct al_task_params params = {
            .entry = leave,
            .args = &bytes,
            .args_bytes = sizeof bytes,
            .stack = stack,
            .stack_bytes = STACK,
            .prio = 6,
    };
    struct al_task_info info;
    size_t used = now().used_bytes;
    char *of_first;

    al_task_create(&memory, &params, NULL);
    al_heap_free(left[0]);
    of_first = left[1];
    al_task_create(&memory, &params, NULL);
    al_task_read(&memory.task, &info);
    CHECK(info.heap_bytes == 72 + 104 + 72, "of both: %u bytes",
            (unsigned)info.heap_bytes);
    al_heap_free(of_first);
    al_task_read(&memory.task, &info);
    CHECK(info.heap_bytes == 104 + 72, "of the second");
    memset(&memory, 0x55, sizeof memory);
    al_heap_free(left[0]);
    al_heap_free(left[1]);
    CHECK(now().used_bytes == used, "all is free");
    CHECK(((char *)&memory)[100] == 0x55, "no account is where there is none");
}

/* Take all there is but `spare` bytes in one piece; returns the list. */
static void **take_all(size_t spare)
{
    void *reserve = spare != 0 ? al_heap_alloc(spare) : NULL;
    void **all = NULL;

    for (size_t bytes = 1u << 20; bytes >= 16; bytes /= 2) {
        void **next = al_heap_alloc(bytes);

        while (next != NULL) {
            *next = all;
            all = next;
            next = al_heap_alloc(bytes);
        }
    }
    al_heap_free(reserve);
    return all;
}

static void free_all(void **all)
{
    while (all != NULL) {
        void **next = *all;

        al_heap_free(all);
        all = next;
    }
}

static void when_exhausted(void)
{
    uint32_t wrong = 0;
    uint32_t refused = 0;

    for (size_t spare = 0; spare < 4096; spare += 96) {
        void **all = take_all(spare);
        size_t used = now().used_bytes;
        struct al_task_id id;
        al_status status;

        left[0] = NULL;
        left[1] = NULL;
        status = make(1000, &id);
        wrong += status != AL_OK && status != AL_E_MEMORY;
        refused += status == AL_E_MEMORY;
        al_heap_free(left[1]);
        al_heap_free(left[0]);
        wrong += now().used_bytes != used;
        free_all(all);
    }
    CHECK(wrong == 0, "no trace of what there was no memory for");
    CHECK(refused > 3 && refused < 40, "%u of 43 had no memory",
            (unsigned)refused);
}

static struct al_sem stay = AL_SEM_INIT(0, 1);

static void lives_on(void *args)
{
    (void)args;
    al_sem_take(&stay);
}

static void in_the_same_place(void)
{
    uint32_t wrong = 0;

    for (uint32_t bytes = 1024; bytes < 2048; bytes += 40) {
        const struct al_task_params params = {
                .entry = lives_on,
                .args = &bytes,
                .args_bytes = sizeof bytes,
                .stack_bytes = bytes,
                .prio = 6,
        };
        void **all;

        wrong += al_task_spawn(&params, NULL) != AL_OK;
        all = take_all(0);
        for (unsigned again = 0; again < 2; again++) {
            (void)al_sem_give(&stay); /* it has ended */
            if (al_task_spawn(&params, NULL) != AL_OK) {
                wrong++;
            }
        }
        (void)al_sem_give(&stay);
        (void)al_sem_try_take(&stay);
        free_all(all);
    }
    CHECK(wrong == 0, "%u that did not fit where one had been",
            (unsigned)wrong);
}

static void judge(void)
{
    struct al_heap_info at_begin;
    struct al_heap_info at_end;

    leaves_and_frees();
    at_begin = now();
    in_own_memory();
    when_exhausted();
    in_the_same_place();
    at_end = now();
    CHECK(at_end.used_bytes == at_begin.used_bytes &&
                    at_end.blocks == at_begin.blocks && at_end.damaged == 0,
            "the heap has what it had");
    test_done();
}

AL_TASK(judging, judge, 4, 2048);
