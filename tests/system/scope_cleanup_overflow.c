/* SPDX-License-Identifier: MIT */
/*
 * Claim: a cleanup that overflows the stack at the normal end of its block is
 * let finish, on AL_CFG_CLEANUP_STACK bytes more, and its task dies after it;
 * one that needs more is abandoned, alone. Each cleanup runs exactly once, in
 * order, wherever the overflow is.
 *
 * For each cleanup, and for each way in which its block ends:
 *  1. the victim goes down, in steps of 8 bytes, from where all is well to
 *     where it cannot open the block any more
 *  2. at each depth: it came back, and every cleanup has run; or it died of an
 *     overflow, and every one that was opened has begun once, in order; it was
 *     not cut short unless it needed more than there is
 *  3. a cleanup that needs up to so much was let finish at each of the
 *     AL_CFG_CLEANUP_STACK / 8 depths at which it fits only so
 *  4. locks and heap blocks are back; a mutex that the cleanup itself unlocked
 *     is not poisoned, the one that the task held is; no word below the floor
 *     but the kernel's is touched; the victim has its own limit again
 *
 * Fails if: a cleanup is cut short although there is room; if it goes on with
 * no limit; if the task lives on; if recovery runs it again.
 * boards: stm32f405 mps2-an386; timeout: 300
 * builds: gcc-O0 gcc-O2 gcc-Os gcc-O2-lto clang-O0 clang-O2 clang-Os
 * sources: ../support/recover.c; flags: -DRIG_STACK=3072
 * recovers: overflow | cleanup |
 *     it is let finish on AL_CFG_CLEANUP_STACK bytes more, and its task dies
 *     after it; one that needs more is abandoned | overflow_to_restart
 *     unwind_frame unwind_scope
 */
#include <alula/config.h>

#include <stdlib.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))
#define STEP     8u

#define ALLOWANCE_STEPS (AL_CFG_CLEANUP_STACK / STEP)

#define LOW_WORDS 8u
#define LOW_WORD  0xca9a91u

static struct al_mutex outer_mutex = AL_MUTEX_INIT;
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex stays = AL_MUTEX_INIT;
static struct al_sem sem = AL_SEM_INIT(0, 1000);
static volatile uint32_t sink;
static volatile bool plain_ran;

/* --- cleanups; each notes 'x' when it begins, 'y' when it is done --- */

static NOINLINE void small(void)
{
    volatile uint32_t local[10];

    local[sink & 7] = 1;
    sink = local[sink & 7] - 1;
}

static NOINLINE void large(void)
{
    volatile uint32_t local[40];

    local[sink & 7] = 1;
    sink = local[sink & 7] - 1;
}

/* Where it does not fit any more it is the first one that traps. */
static NOINLINE void huge(void)
{
    volatile uint32_t local[80];

    local[sink & 7] = 1;
    sink = local[sink & 7] - 1;
}

static NOINLINE void variable(void)
{
    volatile uint32_t *local;

    small();
    local = __builtin_alloca(320 + sink);
    local[0] = 0;
    sink = local[0];
}

static NOINLINE void down_1(void (*fn)(void))
{
    volatile uint32_t local[2] = {0};

    fn();
    sink = local[1];
}

static NOINLINE void down_2(void (*fn)(void))
{
    volatile uint32_t local[2] = {0};

    down_1(fn);
    sink = local[1];
}

static NOINLINE void c_itself(void *arg)
{
    volatile uint32_t local[32];

    (void)arg;
    local[0] = 'x';
    rig_note((char)local[0]);
    local[31] = 'y';
    rig_note((char)local[31]);
}

static void c_nothing(void)
{
}

static void c_small(void *arg)
{
    (void)arg;
    rig_note('x');
    small();
    rig_note('y');
}

static void c_large(void *arg)
{
    (void)arg;
    rig_note('x');
    large();
    rig_note('y');
}

static void c_huge(void *arg)
{
    (void)arg;
    rig_note('x');
    huge();
    rig_note('y');
}

static void c_variable(void *arg)
{
    (void)arg;
    rig_note('x');
    variable();
    rig_note('y');
}

static void c_deep_small(void *arg)
{
    (void)arg;
    rig_note('x');
    down_2(small);
    rig_note('y');
}

static void c_deep_large(void *arg)
{
    (void)arg;
    rig_note('x');
    down_2(large);
    rig_note('y');
}

static int by_value(const void *a, const void *b)
{
    large();
    return *(const char *)a - *(const char *)b;
}

static void c_sorts(void *arg)
{
    static char letters[] = "cab";

    (void)arg;
    rig_note('x');
    letters[0] = 'z';
    qsort(letters, 3, 1, by_value);
    rig_note(letters[2] == 'z' ? 'y' : '!');
}

static void plainly(const uint32_t *what)
{
    (void)what;
    large();
    plain_ran = true;
}

static void c_plain(void *arg)
{
    (void)arg;
    rig_note('x');
    {
        __attribute__((cleanup(plainly))) uint32_t what = 0;

        sink = what;
    }
    rig_note('y');
}

static void c_kernel(void *arg)
{
    void *block;

    (void)arg;
    rig_note('x');
    (void)al_sem_give(&sem);
    (void)!al_sem_take_until(&sem, AL_POLL);
    rig_lock(&mutex);
    block = al_heap_alloc(40);
    al_sleep(1);
    al_heap_free(block);
    al_mutex_unlock(&mutex);
    rig_note('y');
}

static void c_scopes(void *arg)
{
    al_status status;

    (void)arg;
    rig_note('x');
    {
        RIG_SCOPE(noted, rig_mark, RIG_MARK('n'));
        AL_LOCK_SCOPED(&mutex, status);
        AL_HEAP_SCOPED(block, 40);

        if (status == AL_OK && block != NULL) {
            large();
        }
    }
    rig_note('y');
}

static void noted_large(void *arg)
{
    large();
    rig_mark(arg);
}

static void c_inner(void *arg)
{
    (void)arg;
    rig_note('x');
    {
        RIG_SCOPE(noted, noted_large, RIG_MARK('n'));

        sink = 0;
    }
    rig_note('y');
}

#ifndef __clang__
/* The function in the function has ip in use at its entry. */
static void c_nested_function(void *arg)
{
    uint32_t wanted = (uint32_t)(uintptr_t)arg + 1;

    __attribute__((noinline)) void inner(void)
    {
        volatile uint32_t local[80];

        local[sink & 7] = wanted;
        sink = local[sink & 7] - wanted;
    }

    rig_note('x');
    inner();
    rig_note(sink == 0 && wanted == 1 ? 'y' : '!');
}
#else
#  define c_nested_function c_large /* only GCC has them */
#endif

static NOINLINE uint32_t deep(uint32_t depth)
{
    volatile uint32_t local[8];

    local[depth & 7] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + local[depth & 7];
}

static void c_endless(void *arg)
{
    (void)arg;
    rig_note('x');
    sink = deep(100000 + sink) != 0;
}

static void c_panics(void *arg)
{
    (void)arg;
    rig_note('x');
    large();
    al_panic("cleanup");
}

static void c_asserts(void *arg)
{
    (void)arg;
    rig_note('x');
    large();
    AL_ASSERT(sink == 1);
}

static void c_faults(void *arg)
{
    (void)arg;
    rig_note('x');
    large();
    *RIG_NOWHERE = 1;
}

static void c_opens_and_faults(void *arg)
{
    RIG_SCOPE(noted, rig_mark, RIG_MARK('n'));

    (void)arg;
    rig_note('x');
    large();
    *RIG_NULL = 1;
}

/* What may become of a cleanup. */
enum {
    ENDS = 1,  /* it comes to its end, if there is room */
    OPENS = 2, /* it has a scope of its own, which notes 'n' */
};

static const struct {
    const char *name;
    void (*fn)(void *);
    uint32_t flags;
} cleanups[] = {
        {"itself", c_itself, ENDS},
        {"small", c_small, ENDS},
        {"large", c_large, ENDS},
        {"huge", c_huge, ENDS},
        {"variable", c_variable, ENDS},
        {"deep small", c_deep_small, ENDS},
        {"deep large", c_deep_large, ENDS},
        {"sorts", c_sorts, ENDS},
        {"plain", c_plain, ENDS},
        {"kernel", c_kernel, ENDS},
        {"scopes", c_scopes, ENDS | OPENS},
        {"inner", c_inner, ENDS | OPENS},
        {"nested function", c_nested_function, ENDS},
        {"endless", c_endless, 0},
        {"panics", c_panics, 0},
        {"asserts", c_asserts, 0},
        {"faults", c_faults, 0},
        {"opens and faults", c_opens_and_faults, OPENS},
};

/* --- blocks --- */

static void (*volatile cleanup)(void *);
static volatile uint32_t room_bytes;
static volatile bool opened;

static NOINLINE void block_of_its_own(void)
{
    RIG_SCOPE(before, rig_mark, RIG_MARK('b'));
    {
        RIG_SCOPE(it, cleanup, NULL);
        opened = true;
    }
    sink = 0;
}

static NOINLINE void several_in_a_frame(void)
{
    RIG_SCOPE(before, rig_mark, RIG_MARK('b'));
    RIG_SCOPE(it, cleanup, NULL);
    RIG_SCOPE(after, rig_mark, RIG_MARK('c'));
    opened = true;
}

/* Not its task's newest when it is closed: a lock is, and stays. */
static NOINLINE void below_a_lock(void)
{
    RIG_SCOPE(before, rig_mark, RIG_MARK('b'));
    {
        RIG_SCOPE(it, cleanup, NULL);
        opened = true;
        rig_lock(&stays);
    }
    al_mutex_unlock(&stays);
}

static NOINLINE void dies(void)
{
    RIG_SCOPE(before, rig_mark, RIG_MARK('b'));
    RIG_SCOPE(it, cleanup, NULL);
    RIG_SCOPE(after, rig_mark, RIG_MARK('c'));
    opened = true;
    al_panic("test");
}

static const struct way {
    const char *name;
    void (*block)(void);
    const char *whole; /* log of a cleanup that comes to its end, */
    const char *cut;   /* that does not, */
    const char *none;  /* or not even its note that it begins */
    bool recovers;
} ways[] = {
        {"block", block_of_its_own, "xyba", "xba", "ba", false},
        {"several", several_in_a_frame, "cxyba", "cxba", "cba", false},
        {"lock", below_a_lock, "xyba", "xba", "ba", false},
        {"recovery", dies, "cxyba", "cxba", "cba", true},
};

static void (*volatile block)(void);

static NOINLINE void go_down(void)
{
    volatile char *room = __builtin_alloca(room_bytes);

    room[0] = 1;
    block();
    room[1] = 1;
}

static NOINLINE void body(void)
{
    al_status status;
    RIG_SCOPE(first, rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&outer_mutex, status);
    AL_HEAP_SCOPED(memory, 40);
    (void)status;
    if (memory != NULL) {
        go_down();
    }
}

/* --- judgement --- */

static size_t heap;
static uintptr_t limit;

/* The log without what the cleanup's own scopes noted. */
static const char *seen_log(void)
{
    static char text[64];
    uint32_t n = 0;

    for (const char *at = rig_log(); *at != '\0'; at++) {
        if (*at != 'n') {
            text[n++] = *at;
        }
    }
    text[n] = '\0';
    return text;
}

static bool same(const char *a, const char *b)
{
    while (*a == *b && *a != '\0') {
        a++;
        b++;
    }
    return *a == *b;
}

static bool poisoned(struct al_mutex *which)
{
    bool was = al_mutex_lock(which) == AL_E_POISONED;

    if (was) {
        al_mutex_heal(which);
    }
    al_mutex_unlock(which);
    return was;
}

/* What one run came to. */
enum outcome {
    LIVED,
    LET,       /* it came to its end, and the task died */
    ABANDONED, /* it began, and did not come to its end */
    EARLY,     /* the task died before its block was open */
    WRONG,
};

/* Who holds what, and how low the stack was written. */
static bool all_is_given_back(bool died)
{
    const uint32_t *low = (const uint32_t *)rig_victim.stack_low;
    bool right = rig_heap_used() == heap && rig_victim.heap_bytes == 0 &&
                 rig_victim.scopes == NULL && rig_victim.limit == limit;

    for (uint32_t i = 0; i < LOW_WORDS; i++) {
        right = right && low[i] == LOW_WORD;
    }
    right = !al_mutex_is_held(&mutex) && !al_mutex_is_held(&stays) &&
            !al_mutex_is_held(&outer_mutex) && right;
    (void)poisoned(&stays);
    return poisoned(&outer_mutex) == died && right;
}

static enum outcome death_of(const struct way *way, uint32_t flags)
{
    bool overflow = rig_record.cause == AL_CAUSE_OVERFLOW ||
                    rig_record.cause == AL_CAUSE_VLA;
    bool damaged = poisoned(&mutex);
    bool cut = same(seen_log(), way->cut) || same(seen_log(), way->none);
    uint32_t own = (flags & OPENS) != 0 && same(seen_log(), rig_log());

    if (!opened) {
        return overflow && rig_record.nested == 0 ? EARLY : WRONG;
    }
    if (same(seen_log(), way->whole)) {
        return (overflow || way->recovers) && rig_record.nested == 0 && !damaged
                       ? LET
                       : WRONG;
    }
    return cut && rig_record.nested <= 1 + own ? ABANDONED : WRONG;
}

static enum outcome outcome_of(const struct way *way, uint32_t flags)
{
    volatile uint32_t *low = (uint32_t *)rig_victim.stack_low;
    uint32_t deaths;

    for (uint32_t i = 0; i < LOW_WORDS; i++) {
        low[i] = LOW_WORD;
    }
    opened = false;
    deaths = rig_run(body);
    if (deaths > 1 || !all_is_given_back(deaths == 1)) {
        return WRONG;
    }
    if (deaths == 1) {
        return death_of(way, flags);
    }
    return same(seen_log(), way->whole) && (flags & ENDS) != 0 &&
                           !way->recovers && !poisoned(&mutex)
                   ? LIVED
                   : WRONG;
}

static void judge_counts(const char *name, const struct way *way,
        uint32_t flags, const uint32_t count[WRONG + 1])
{
    bool ends = (flags & ENDS) != 0;

    CHECK(count[WRONG] == 0, "%s, %s: right everywhere", name, way->name);
    CHECK(count[EARLY] > 0, "%s, %s: down to the floor", name, way->name);
    if (!ends) {
        CHECK(count[LIVED] == 0 && count[LET] == 0 && count[ABANDONED] > 0,
                "%s, %s: never comes to its end", name, way->name);
    } else if (way->recovers) {
        CHECK(count[LIVED] == 0 && count[LET] > 0, "%s, %s: all die", name,
                way->name);
    } else {
        CHECK(count[LIVED] > 0 && count[LET] <= ALLOWANCE_STEPS &&
                        (count[LET] == ALLOWANCE_STEPS ||
                                count[ABANDONED] == 0),
                "%s, %s: let finish at %d depths, cut short at %d", name,
                way->name, (int)count[LET], (int)count[ABANDONED]);
    }
}

static void sweep(const struct way *way, uint32_t n)
{
    uint32_t flags = cleanups[n].flags;
    uint32_t count[WRONG + 1] = {0};
    uint32_t used = (uint32_t)(rig_victim.stack_high - limit);
    enum outcome last = LIVED;
    bool in_order = true;

    cleanup = cleanups[n].fn;
    block = way->block;
    for (uint32_t room = STEP; room < used; room += STEP) {
        enum outcome outcome;

        room_bytes = room;
        outcome = outcome_of(way, flags);
        if (outcome == WRONG && count[WRONG] == 0) {
            test_note("%s, %s, room %d: ran \"%s\", cause %d, nested %d",
                    cleanups[n].name, way->name, (int)room, rig_log(),
                    (int)rig_record.cause, (int)rig_record.nested);
        }
        count[outcome]++;
        in_order = in_order && outcome >= last;
        last = outcome;
    }
    judge_counts(cleanups[n].name, way, flags, count);
    CHECK(in_order, "%s, %s: the deeper, the worse", cleanups[n].name,
            way->name);
}

static void judge_main(void)
{
    limit = rig_victim.limit;
    (void)rig_run(c_nothing);
    heap = rig_heap_used();
    for (uint32_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
        for (uint32_t n = 0; n < sizeof(cleanups) / sizeof(cleanups[0]); n++) {
            sweep(&ways[w], n);
        }
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
