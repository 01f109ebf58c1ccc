/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that calls a public function with little stack left dies of an
 * overflow at that call, before anything has changed, or gets what it asked
 * for; the same for functions of precompiled libraries.
 *
 *  1. each row of overflow_at_entries.def, with the stack pointer at each word
 *     from the floor, 64 bytes below the limit, to 192 above the limit
 *  2. each library function of lib_rows[] at each doubleword from the floor up
 *     to where it comes back: formatted output with doubles, soft division,
 *     strings by pointer, sorting through a callback
 *  3. it dies of an overflow at that call, or comes back; once it came back it
 *     does so at all larger distances from 16 above the limit on
 *  4. a death leaves objects, heap and locks as they were; the kernel's lists
 *     are in order after each call; the words at the low end are untouched
 * Fails if: a kernel function or a stated bound is entered with less stack than
 * it takes; if a function changes an object before its check.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os
 * flags: -Wno-unused-result -DRIG_STACK=4096; timeout: 120
 * sources: ../support/recover.c ../interleave/rig.c
 * recovers: overflow | running library |
 *     at the entry of each function of the kernel and of a library: before
 *     anything has changed | overflow_to_restart unwind_frame unwind_scope
 */
#include "recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../interleave/rig.h"

#define FLOOR (-64) /* from the limit */
/* Below, one that comes back may die at the next distance: an interrupt has it
 * go its longer way, whose frame is deeper. */
#define NEAR         64
#define FAR          192
#define CANARY_WORDS 8u
#define CANARY       0xca9a91u
#define NOINLINE     __attribute__((noinline))

AL_CHAN_TYPE(words, uint32_t, 2);

/* What calls write to, or make and end. */
static struct {
    struct al_sem sem;
    struct al_mutex mutex;
    struct al_cond cond;
    struct al_event event;
    struct al_mailbox mailbox;
    struct words chan;
    struct al_timer timer;
    void *item;
    uint32_t word;
    struct al_timer_info timer_info;
    struct al_heap_info heap_info;
    struct al_task_info task_info;
    struct al_period period;
    struct al_concurrent concurrent;
    struct al_crash_record record;
} fresh;

/* What a death must not change. */
static struct al_sem sem = AL_SEM_INIT(0, 5);
static struct al_cond cond = AL_COND_INIT;
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
static struct words chan = AL_CHAN_INIT(uint32_t, 2);
static const struct {
    const void *at;
    uint32_t words;
} objects[] = {
#define OBJECT(object)                         \
  {                                            \
    &object, sizeof(object) / sizeof(uint32_t) \
  }
        OBJECT(sem), OBJECT(cond), OBJECT(event), OBJECT(mailbox),
        OBJECT(chan)};

static struct al_mutex held = AL_MUTEX_INIT;
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_timer_service service = AL_TIMER_SERVICE_INIT(service);
static struct al_timer_service none;
struct trip {
    uint32_t miles;
};
AL_TASK_STATE(trip, struct trip);
static struct al_guard *guard; /* in the body's frame, as it must be */
static struct al_spawn spawn;
static void *block;
static struct al_task_id others_id;
static struct al_task_id spawned;

static void nothing(void *unused)
{
    (void)unused;
}

static char stack[1024] __attribute__((aligned(8)));
static struct al_lease lease;
static struct al_lease_hold hold = {&lease};
static struct al_sem_hold sem_hold = {&sem, 0};
static struct al_irq_hold irq_hold = {3, 0};
static const struct al_task_params params = {.entry = nothing,
        .stack = stack,
        .stack_bytes = sizeof(stack),
        .prio = RIG_PRIO + 1};
static const struct al_task_params spawn_params = {
        .entry = nothing, .stack_bytes = sizeof(stack), .prio = RIG_PRIO + 1};

static void other_main(void)
{
    for (;;) {
        (void)al_task_park(AL_FOREVER);
    }
}
AL_TASK(other, other_main, 2, 1024);

static void fill(void)
{
    (void)al_chan_send(&chan, 1);
    (void)al_chan_send(&chan, 2);
}

static void drain(void)
{
    while (al_chan_try_recv(&chan, &fresh.word) == AL_OK) {
    }
}

static void free_block(void)
{
    al_heap_free(block);
    block = NULL;
}

/* Nothing is left to do for the judge once the block is free. */
static void free_once(void)
{
    al_heap_free(block);
    block = NULL;
}

#define RUN(part, ...)                                    \
  static NOINLINE void AL_CONCAT(part##_, __LINE__)(void) \
  {                                                       \
    __VA_ARGS__;                                          \
  }
#define CALLS(function, first, statement, last) \
  RUN(before, first)                            \
  RUN(call, statement)                          \
  RUN(after, last)
#define ENDS(function, cause, statement) \
  RUN(before, )                          \
  RUN(call, statement)                   \
  RUN(after, )
#include "overflow_at_entries.def"
#undef CALLS
#undef ENDS

struct row {
    const char *name;
    void (*before)(void);
    void (*call)(void);
    void (*after)(void);
    uint32_t cause; /* of its death when it has room; 0: it comes back */
    bool library;   /* it calls back what is checked, and may die there */
};

#define ROW(function, cause)                                            \
  {#function, AL_CONCAT(before_, __LINE__), AL_CONCAT(call_, __LINE__), \
          AL_CONCAT(after_, __LINE__), cause, false},
static const struct row rows[] = {
#define CALLS(function, first, statement, last) ROW(function, 0)
#define ENDS(function, cause, statement)        ROW(function, cause)
#include "overflow_at_entries.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* The libraries'. */
static volatile double third = 1.0 / 3;
static volatile uint64_t large = 1000000000000u;
static volatile uint64_t small = 7;
static volatile int64_t negative = -1000000000000;
static char text[64];
static uint32_t numbers[16];
static char *(*volatile find)(const char *, const char *) = strstr;

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static NOINLINE void lib_printf(void)
{
    (void)snprintf(text, sizeof(text), "%f %e %g", third, third, third);
}

static NOINLINE void lib_divide(void)
{
    large = large / small + large % small;
}

static NOINLINE void lib_divide_signed(void)
{
    negative = negative / (int64_t)small;
}

static NOINLINE void lib_double(void)
{
    third = third * 3.5 / 2.25 + (double)large;
}

static NOINLINE void lib_find(void)
{
    fresh.item = strstr("a needle in", "needle");
}

static NOINLINE void lib_find_by_pointer(void)
{
    fresh.item = find("a needle in", "needle");
}

static NOINLINE void lib_sort(void)
{
    for (uint32_t i = 0; i < 16; i++) {
        numbers[i] = i * 7 & 15;
    }
    qsort(numbers, 16, sizeof(numbers[0]), AL_CALLBACK(by_number));
}

static NOINLINE void lib_number(void)
{
    third = strtod("0.125", NULL);
}

static void no_more(void)
{
}

#define LIB(name)                          \
  {                                        \
#    name, no_more, name, no_more, 0, true \
  }
static const struct row lib_rows[] = {LIB(lib_printf), LIB(lib_divide),
        LIB(lib_divide_signed), LIB(lib_double), LIB(lib_find),
        LIB(lib_find_by_pointer), LIB(lib_sort), LIB(lib_number)};

/*
 * Calls fn() with the stack pointer at `sp`, whatever lies there. What it keeps
 * would need a stated bound on the stack.
 */
void call_with_sp(uintptr_t sp, void (*fn)(void));
uint32_t call_kept[2];
__asm__(".pushsection .text.call_with_sp,\"ax\",%progbits\n"
        ".global call_with_sp\n"
        ".type call_with_sp, %function\n"
        ".thumb_func\n"
        "call_with_sp:\n"
        ".fnstart\n"
        ".cantunwind\n"
        "@alula: unchecked 0\n"
        "ldr ip, =call_kept\n"
        "mov r2, sp\n"
        "str lr, [ip]\n"
        "str r2, [ip, #4]\n"
        "mov sp, r0\n"
        "blx r1\n"
        "ldr r3, =call_kept\n"
        "ldr r2, [r3, #4]\n"
        "mov sp, r2\n"
        "ldr pc, [r3]\n"
        ".ltorg\n"
        ".fnend\n"
        ".size call_with_sp, . - call_with_sp\n"
        ".popsection\n");

static const struct row *row;
static int32_t distance;
static uint32_t sum_before;

static uint32_t sum(void)
{
    uint32_t total = 0;

    for (uint32_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const uint32_t *words = (const uint32_t *)objects[i].at;

        for (uint32_t w = 0; w < objects[i].words; w++) {
            total = (total >> 7 | total << 25) + words[w];
        }
    }
    return total;
}

static NOINLINE void body(void)
{
    AL_GUARD_(room);

    guard = &room;
    row->before();
    sum_before = sum();
    call_with_sp((uintptr_t)(rig_victim.limit + distance), row->call);
    row->after();
}

/* Is call_with_sp() on top of the trace, but for the call, what it calls, and
 * one more? */
static bool died_at_the_call(void)
{
    for (uint32_t i = 1; i < 4 && i < rig_record.pc_count; i++) {
        uint32_t off =
                rig_record.pcs[i] - ((uint32_t)(uintptr_t)call_with_sp & ~1u);

        if (off < 32) {
            return true;
        }
    }
    return false;
}

/* What is left of a call that did not come back. */
static void tidy(void)
{
    if (block != NULL) {
        free_block();
    }
    al_timer_stop(&timer);
    drain();
    while (al_sem_try_take(&sem) == AL_OK) {
    }
    al_event_clear(&event, ~0u);
    (void)al_mailbox_receive_until(&mailbox, &fresh.item, AL_POLL);
    (void)al_task_resume(others_id);
    if (al_mutex_lock(&held) == AL_E_POISONED) {
        al_mutex_heal(&held);
    }
    al_mutex_unlock(&held);
}

enum outcome {
    CAME_BACK,
    OVERFLOWED,
    WRONG
};

/* A sentence when something is wrong, else NULL. */
static const char *after_run(uint32_t deaths, bool overflow, size_t heap)
{
    const volatile uint32_t *low = (uint32_t *)rig_victim.stack_low;
    const char *wrong;

    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        if (low[i] != CANARY) {
            return "the low end of the stack is touched";
        }
    }
    if (deaths != 0 && rig_record.cause == AL_CAUSE_NONE) {
        return "its record is not right";
    }
    if (overflow && !row->library && !died_at_the_call()) {
        return "it died elsewhere";
    }
    if (overflow && sum() != sum_before) {
        return "an object has changed";
    }
    if (deaths != 0 && rig_record.nested != 0) {
        return "a death in a cleanup";
    }
    if (al_mutex_is_held(&held) || rig_victim.scopes != NULL) {
        return "something is held";
    }
    tidy();
    wrong = rig_check();
    if (wrong != NULL) {
        return wrong;
    }
    return rig_heap_used() == heap ? NULL : "the heap is not what it was";
}

static const char *why;

static enum outcome try_at(int32_t at)
{
    volatile uint32_t *low = (uint32_t *)rig_victim.stack_low;
    size_t heap = rig_heap_used();
    uint32_t deaths;
    bool overflow;

    for (uint32_t i = 0; i < CANARY_WORDS; i++) {
        low[i] = CANARY;
    }
    block = NULL;
    distance = at;
    deaths = rig_run(body);
    overflow = deaths != 0 && rig_record.cause == AL_CAUSE_OVERFLOW;
    why = after_run(deaths, overflow, heap);
    if (why == NULL && deaths != 0 && !overflow &&
            rig_record.cause != row->cause) {
        why = al_cause_name(rig_record.cause);
    }
    if (why == NULL && row->cause != 0 && deaths == 0) {
        why = "it came back";
    }
    if (why != NULL) {
        return WRONG;
    }
    return overflow ? OVERFLOWED : CAME_BACK;
}

/* From the floor up to `most` above the limit. */
static void sweep(const struct row *which, int32_t step, int32_t most)
{
    int32_t first = most + 1;
    int32_t wrong_at = 0;
    const char *wrong = NULL;

    row = which;
    for (int32_t at = FLOOR; at <= most && wrong == NULL; at += step) {
        enum outcome outcome = try_at(at);

        if (outcome == WRONG) {
            wrong = why;
            wrong_at = at;
        } else if (outcome == CAME_BACK) {
            first = at < first ? at : first;
        } else if (at > first && at >= NEAR) {
            wrong = "it dies with more room than it had";
            wrong_at = at;
        }
    }
    CHECK(wrong == NULL && first <= most, "%s, row %d: %s at %d, back from %d",
            which->name, (int)(which - rows), wrong == NULL ? "well" : wrong,
            (int)wrong_at, (int)first);
}

#define LIB_FAR 1200

static void judge_main(void)
{
    others_id = al_task_id_of(&other);
    spawned = others_id;
    al_task_create(&spawn, &params, &spawned);
    /* The kernel keeps a spawned task's block for the next one. */
    CHECK(al_task_spawn(&spawn_params, NULL) == AL_OK, "spawned once");
    for (uint32_t i = 0; i < ROWS; i++) {
        sweep(&rows[i], 4, FAR);
    }
    for (uint32_t i = 0; i < sizeof(lib_rows) / sizeof(lib_rows[0]); i++) {
        sweep(&lib_rows[i], 8, LIB_FAR);
    }
    test_done();
}
AL_TASK(judge, judge_main, 4, 2048);
