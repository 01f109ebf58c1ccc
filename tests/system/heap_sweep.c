/* SPDX-License-Identifier: MIT */
/*
 * A more urgent task may use the heap between any two instructions of another's
 * use of it.
 *
 * An interrupt before each instruction of an operation wakes a task that frees
 * the block that it has and allocates the next. After each round both have what
 * they should have, no damage was found, and now and then, when all has been
 * freed, the heap is in one piece.
 *
 *   1. allocate two blocks, free them     2. grow and shrink one
 *   3. give one to the other task         4. allocate at 64, free
 *   5. a scoped block                     6. a block of another region
 * Fails if: anything of the heap is touched outside of the lock.
 * boards: stm32f405 mps2-an386
 * builds: gcc-O2 gcc-Os clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include <string.h>

#include "test.h"

static struct al_sem wake = AL_SEM_INIT(0, 1);
static volatile uint32_t fired, woken;
static volatile uint32_t bad;
static char *volatile taken; /* the urgent task's */
static int32_t region;
static long long memory[64];

extern struct al_task urgent;

static void wake_urgent(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    fired++;
    (void)al_irq_sem_give(&wake);
}

static void urgent_main(void)
{
    for (uint32_t i = 0;; i++) {
        al_sem_take(&wake);
        if (taken != NULL) {
            bad += taken[0] != 'u' || taken[23] != 'u';
            al_heap_free(taken);
        }
        taken = al_heap_alloc(24 + i % 5 * 16);
        bad += taken == NULL;
        memset(taken, 'u', 24);
        woken++;
    }
}

AL_TASK(urgent, urgent_main, 20, 1024);

static void op_two(void)
{
    char *a = al_heap_alloc(40);
    char *b = al_heap_alloc(100);

    memset(a, 'a', 40);
    memset(b, 'b', 100);
    bad += a[0] != 'a' || a[39] != 'a' || b[0] != 'b';
    al_heap_free(a);
    al_heap_free(b);
}

static void op_resize(void)
{
    char *a = al_heap_alloc(40);
    bool grown = al_heap_resize(a, 120);
    bool shrunk = al_heap_resize(a, 24);

    bad += !shrunk;
    bad += al_heap_size(a) < 24 && grown;
    al_heap_free(a);
}

static void op_give(void)
{
    char *a = al_heap_alloc(40);

    bad += al_heap_give(a, al_task_id_of(&urgent)) != AL_OK;
    al_heap_free(a);
}

static void op_aligned(void)
{
    char *a = al_heap_alloc_aligned(0, 40, 64);

    bad += (uintptr_t)a % 64 != 0;
    al_heap_free(a);
}

static void op_scoped(void)
{
    AL_HEAP_SCOPED(a, 72);
    memset(a, 's', 72);
}

static void op_region(void)
{
    char *a = al_heap_alloc_from(region, 72);

    bad += a < (char *)memory || a > (char *)memory + sizeof memory;
    al_heap_free(a);
}

static const struct {
    const char *name;
    void (*op)(void);
} ops[] = {
        {"two blocks", op_two},
        {"resize", op_resize},
        {"give", op_give},
        {"aligned", op_aligned},
        {"scoped", op_scoped},
        {"region", op_region},
};

/* Nothing is left of the operator's, one block of the urgent task's. */
static bool is_whole(void)
{
    struct al_heap_info heap;
    struct al_task_info info;

    al_heap_read(&heap);
    if (heap.damaged != 0 || bad != 0 ||
            heap.blocks != (taken != NULL ? 1u : 0u)) {
        return false;
    }
    al_task_read(&urgent, &info);
    if (info.heap_bytes != (taken != NULL ? al_heap_size(taken) : 0)) {
        return false;
    }
    al_task_read(al_task_self(), &info);
    return info.heap_bytes == 0;
}

static bool is_one_piece(size_t largest)
{
    struct al_heap_info heap;

    if (taken != NULL) {
        al_heap_free(taken);
        taken = NULL;
    }
    al_heap_read(&heap);
    return heap.largest_bytes == largest && is_whole();
}

static void sweep(const char *name, void (*op)(void), size_t largest)
{
    uint32_t wrong = 0;
    uint32_t pieces = 0;
    uint32_t steps = 1;

    do {
        fired = 0;
        rig_arm(0, steps, wake_urgent);
        op();
        rig_disarm(0);
        wrong += !is_whole();
        if (steps % 7 == 0) {
            pieces += !is_one_piece(largest);
        }
        steps++;
    } while (fired != 0 && wrong + pieces == 0 && steps < 20000);
    CHECK(steps > 50 && wrong == 0 && pieces == 0,
            "%s: %u places, %u wrong, %u not in one piece", name,
            (unsigned)steps, (unsigned)wrong, (unsigned)pieces);
    bad = 0;
}

static void judge(void)
{
    struct al_heap_info heap;

    rig_start();
    region = al_heap_add(memory, sizeof memory, AL_HEAP_BY_NAME);
    al_heap_read(&heap);
    for (unsigned i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        sweep(ops[i].name, ops[i].op, heap.largest_bytes);
    }
    CHECK(woken > 1000, "%u times between two instructions", (unsigned)woken);
    test_done();
}

AL_TASK(judging, judge, 10, 2048);
