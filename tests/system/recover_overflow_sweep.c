/* SPDX-License-Identifier: MIT */
/*
 * Claim: wherever in the last bytes of its stack a task runs out of it, it
 * recovers, gives back what it holds, and stores nothing below its floor but
 * what the kernel's reserve is for.
 *
 *  1. the victim goes down to each distance from its limit, in steps of 8
 *     bytes, from 192 above it to 64 below (the floor), with two defers, a
 *     lock and a heap block open, then calls functions with a small, a large
 *     and a variable frame, and kernel calls
 *  2. it dies of an overflow, or comes back; what it holds is given back; the
 *     kernel has not stopped
 *  3. the words at the low end of the stack are untouched
 *  4. a defer in the innermost frame, whose function needs 60 bytes, runs when
 *     the task dies at each of these distances
 *
 * Fails if: recovery, or a kernel call, needs more than the reserve; if the
 * kernel calls itself through a function that is checked.
 * builds: gcc-Os-small gcc-O0 gcc-O2 clang-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex other = AL_MUTEX_INIT;
static struct al_sem sem = AL_SEM_INIT(0, 1000);
static volatile uint32_t sink;

static NOINLINE uint32_t small_frame(uint32_t n)
{
    volatile uint32_t local[10] = {n};

    return local[n & 7] + local[0];
}

static NOINLINE uint32_t large_frame(uint32_t n)
{
    volatile uint32_t local[40] = {n};

    return local[n & 7] + local[0];
}

static NOINLINE uint32_t variable_frame(uint32_t n)
{
    volatile uint32_t *local = __builtin_alloca(n);

    local[0] = n;
    return local[0];
}

static void call_small(void)
{
    sink = small_frame(3);
}

static void call_large(void)
{
    sink = large_frame(3);
}

static void call_variable(void)
{
    sink = variable_frame(100);
}

static void call_mutex(void)
{
    rig_lock(&other);
    al_mutex_unlock(&other);
}

static void call_heap(void)
{
    void *block = al_heap_alloc(24);

    al_heap_free(block);
}

static void call_sem(void)
{
    (void)!al_sem_take_until(&sem, AL_POLL);
}

static void call_sleep(void)
{
    al_sleep(1);
}

static void call_wrong(void)
{
    al_mutex_unlock(&other);
}

static void call_panic(void)
{
    al_panic("test");
}

static void call_fault(void)
{
    *RIG_NOWHERE = 1;
}

static const struct {
    const char *name;
    void (*call)(void);
    bool always_dies;
} calls[] = {
        {"small", call_small, false},
        {"large", call_large, false},
        {"variable", call_variable, false},
        {"mutex", call_mutex, false},
        {"heap", call_heap, false},
        {"sem", call_sem, false},
        {"sleep", call_sleep, false},
        {"wrong", call_wrong, true},
        {"panic", call_panic, true},
        {"fault", call_fault, true},
};

static void (*volatile at_bottom)(void);
static volatile uint32_t room_bytes;
static volatile uintptr_t reached;

static NOINLINE void go_down(void)
{
    volatile char *room = __builtin_alloca(room_bytes);
    uintptr_t sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp)::"memory");
    reached = sp;
    room[0] = 1;
    at_bottom();
    room[1] = 1;
}

static NOINLINE void body(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&mutex, status);
    AL_HEAP_SCOPED(block, 40);
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    (void)status;
    if (block != NULL) {
        go_down();
    }
}

static void nothing(void)
{
}

/* So that sp, at the call at the bottom, is `distance` above the limit. */
static void set_distance(int32_t distance)
{
    at_bottom = nothing;
    room_bytes = 8;
    (void)rig_run(body);
    room_bytes =
            8 + (uint32_t)(reached - rig_victim.limit) - (uint32_t)distance;
}

static void needs_room(void *arg)
{
    volatile uint32_t local[12];

    local[0] = (uint32_t)(uintptr_t)arg;
    local[11] = local[0];
    rig_mark((void *)(uintptr_t)local[11]);
}

static NOINLINE void go_down_with_scope(void)
{
    volatile char *room = __builtin_alloca(room_bytes);
    AL_DEFER(needs_room, RIG_MARK('r'));
    uintptr_t sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp)::"memory");
    reached = sp;
    room[0] = 1;
    al_panic("test");
}

static void check_room(void)
{
    uint32_t wrong = 0;
    int32_t lowest = 1000;

    for (int32_t distance = -40; distance <= 192; distance += 8) {
        room_bytes = 8;
        (void)rig_run(go_down_with_scope);
        room_bytes =
                8 + (uint32_t)(reached - rig_victim.limit) - (uint32_t)distance;
        if (rig_run(go_down_with_scope) != 1 || !rig_log_is("r") ||
                rig_record.nested != 0) {
            wrong++;
        }
        distance = (int32_t)(reached - rig_victim.limit);
        lowest = distance < lowest ? distance : lowest;
    }
    CHECK(wrong == 0 && lowest <= -32,
            "room for a cleanup: %d wrong, lowest %d", (int)wrong, (int)lowest);
}

#define LOW_WORDS 8u

static void judge_main(void)
{
    volatile uint32_t *low = (uint32_t *)rig_victim.stack_low;
    uint32_t died[16] = {0};
    uint32_t came_back[16] = {0};

    for (uint32_t c = 0; c < sizeof(calls) / sizeof(calls[0]); c++) {
        uint32_t wrong = 0;
        int32_t first_wrong = 0;
        size_t heap = rig_heap_used();

        for (int32_t distance = -64; distance <= 192; distance += 8) {
            uint32_t deaths;
            bool well;

            for (uint32_t i = 0; i < LOW_WORDS; i++) {
                low[i] = 0xca9a91;
            }
            set_distance(distance);
            at_bottom = calls[c].call;
            deaths = rig_run(body);
            well = rig_log_is("ba") && !al_mutex_is_held(&mutex) &&
                   !al_mutex_is_held(&other) && rig_heap_used() == heap &&
                   rig_record.nested == 0 && rig_victim.scopes == NULL;
            for (uint32_t i = 0; i < LOW_WORDS; i++) {
                well = well && low[i] == 0xca9a91;
            }
            well = well &&
                   (rig_record.cause == AL_CAUSE_VLA ||
                           reached == rig_victim.limit + (uint32_t)distance);
            if (!well) {
                first_wrong = wrong == 0 ? distance : first_wrong;
                wrong++;
            }
            died[c] += deaths;
            came_back[c] += 1 - deaths;
        }
        CHECK(wrong == 0, "%s: wrong at %d distances, first at %d",
                calls[c].name, (int)wrong, (int)first_wrong);
        CHECK(died[c] > 0 && (came_back[c] > 0) == !calls[c].always_dies,
                "%s: died %d times, came back %d times", calls[c].name,
                (int)died[c], (int)came_back[c]);
    }
    check_room();
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
