/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever a task dies of, and whatever the compiler believes about the
 * place where it dies, each scope that it had open is undone exactly once,
 * newest first.
 *
 * For each cause, in the function that opened the scopes and in a callee in the
 * same file that the compiler can see through (static; touching nothing but
 * registers, or nothing but its own stack; recursive):
 *  1. the victim opens a defer, a scoped lock, another defer, a scoped heap
 *     block, a plain lock and a third defer, and dies
 *  2. the three defers ran once each, newest first; both locks are free; the
 *     heap is as before; the record counts six scopes and names the cause
 *  3. the victim waits again
 *
 * Fails if: recovery drops a scope, runs one twice, or runs them in another
 * order.
 * boards: stm32f405 mps2-an385; builds: gcc-Os-small gcc-O0 gcc-Og gcc-O1 gcc-O2 gcc-O3 gcc-Os gcc-O2-lto gcc-Os-lto gcc-O0-lto clang-O0 clang-O2 clang-Os
 * sources: ../support/recover.c
 */
#include <string.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex scoped = AL_MUTEX_INIT;
static struct al_mutex plain = AL_MUTEX_INIT;

/* No claim of C's holds for these values: the compiler must do as told. */
static volatile uint32_t zero;
static volatile uint32_t one = 1;
static volatile uint64_t zero64;
static uint32_t *volatile nowhere;
static uint32_t *volatile null_pointer;
static volatile uint32_t sink;
static volatile uint64_t sink64;

struct big {
    uint32_t words[24];
};

static struct big big_one;

/* What a function does that opens the six scopes. */
#define OPEN_SIX                              \
  al_status got;                              \
  AL_DEFER(rig_mark, RIG_MARK('a'));          \
  AL_LOCK_SCOPED(&scoped, got);               \
  RIG_SCOPE(second, rig_mark, RIG_MARK('b')); \
  AL_HEAP_SCOPED(block, 40);                  \
  got = al_mutex_lock(&plain);                \
  RIG_SCOPE(third, rig_mark, RIG_MARK('c'));  \
  (void)got

/* A way to die, in the function itself and in a callee. */
#define WAY(name, ...)                     \
  static NOINLINE void name##_callee(void) \
  {                                        \
    __VA_ARGS__;                           \
  }                                        \
  static NOINLINE void name##_here(void)   \
  {                                        \
    OPEN_SIX;                              \
    __VA_ARGS__;                           \
  }                                        \
  static NOINLINE void name##_below(void)  \
  {                                        \
    OPEN_SIX;                              \
    name##_callee();                       \
  }

WAY(panic, al_panic("test"))
WAY(assertion, AL_ASSERT(zero == 1))
WAY(load, sink = *nowhere)
WAY(store, *nowhere = 1)
WAY(null_load, sink = *null_pointer)
WAY(copy_to, memcpy(nowhere, &big_one, 40))
WAY(copy_from, memcpy(&big_one, nowhere, zero + 40))
WAY(copy_null, memcpy(&big_one, null_pointer, zero + 40))
WAY(set, memset(nowhere, 0, zero + 40))
WAY(length, sink = strlen((const char *)nowhere))
WAY(structure, *(struct big *)nowhere = big_one)
WAY(structure_from, big_one = *(struct big *)nowhere)
WAY(trap, __builtin_trap())
WAY(divide, sink = one / zero)
WAY(divide64, sink64 = one / zero64)
WAY(modulo64, sink64 = (uint64_t)-7 % (uint64_t)zero64)
WAY(wrong_unlock, al_mutex_unlock(&plain); al_mutex_unlock(&plain))
WAY(wrong_lock, rig_lock(&scoped))
WAY(wrong_free, al_heap_free((void *)&big_one))

/* Touches nothing but registers: pure, as far as GCC sees. */
static NOINLINE uint32_t registers_only(uint32_t a, uint32_t b)
{
    return a / b + a;
}

/* Nothing but its own stack. */
static NOINLINE uint32_t stack_only(uint32_t a, uint32_t b)
{
    volatile uint32_t local[4] = {a, b, a, b};

    local[1] = local[0] / local[1];
    return local[1];
}

/* The same, until there is no more of it. */
static NOINLINE uint32_t recursive(uint32_t depth)
{
    volatile uint32_t local[8];

    local[depth & 7] = depth;
    return depth == 0 ? 0 : recursive(depth - 1) + local[depth & 7];
}

/* On a processor without FPU this is a chain of library calls. */
static NOINLINE double floating(double x, uint32_t depth)
{
    return depth == 0 ? x : floating(x / 3.0 + 1.0, depth - 1) * x;
}

static NOINLINE float floating_load(const float *from)
{
    return from[0] * 3.0f + from[1];
}

WAY(registers, sink = registers_only(3, zero))
WAY(stack, sink = stack_only(3, zero))
WAY(recursion, sink = recursive(100000 + zero))
WAY(soft_float, sink = (uint32_t)floating(zero + 1.5, 100000 + zero))
WAY(float_load, sink = (uint32_t)floating_load((const float *)nowhere))

struct way {
    const char *name;
    void (*here)(void);
    void (*below)(void);
    uint32_t cause;
    uint32_t locks; /* scopes that are open at the death: 6, or 5 */
};

#define IN(name, cause)                        \
  {                                            \
#    name, name##_here, name##_below, cause, 6 \
  }

static const struct way ways[] = {
        IN(panic, AL_CAUSE_PANIC),
        IN(assertion, AL_CAUSE_ASSERT),
        IN(load, AL_CAUSE_BUS),
        IN(store, AL_CAUSE_BUS),
        IN(null_load, AL_CAUSE_NULL),
        IN(copy_to, AL_CAUSE_BUS),
        IN(copy_from, AL_CAUSE_BUS),
        IN(copy_null, AL_CAUSE_NULL),
        IN(set, AL_CAUSE_BUS),
        IN(length, AL_CAUSE_BUS),
        IN(structure, AL_CAUSE_BUS),
        IN(structure_from, AL_CAUSE_BUS),
        IN(trap, AL_CAUSE_UNDEF),
        IN(divide, AL_CAUSE_DIV0),
        IN(divide64, AL_CAUSE_DIV0),
        IN(modulo64, AL_CAUSE_DIV0),
        {"wrong_unlock", wrong_unlock_here, wrong_unlock_below, AL_CAUSE_CALLER,
                5},
        IN(wrong_lock, AL_CAUSE_CALLER),
        IN(wrong_free, AL_CAUSE_CALLER),
        IN(registers, AL_CAUSE_DIV0),
        IN(stack, AL_CAUSE_DIV0),
        IN(recursion, AL_CAUSE_OVERFLOW),
        IN(soft_float, AL_CAUSE_OVERFLOW),
        IN(float_load, AL_CAUSE_BUS),
};

static void try(const struct way *way, const char *place, void (*body)(void))
{
    size_t heap = rig_heap_used();
    uint32_t starts = rig_starts;
    uint32_t deaths = rig_run(body);

    CHECK(deaths == 1 && rig_starts == starts + 1,
            "%s %s: died %d times, "
            "began %d times",
            way->name, place, (int)deaths, (int)(rig_starts - starts));
    CHECK(rig_log_is("cba"), "%s %s: ran \"%s\"", way->name, place, rig_log());
    CHECK(!al_mutex_is_held(&scoped) && !al_mutex_is_held(&plain),
            "%s %s: locks", way->name, place);
    CHECK(rig_heap_used() == heap, "%s %s: heap", way->name, place);
    CHECK(rig_record.cause == way->cause, "%s %s: cause %d", way->name, place,
            (int)rig_record.cause);
    CHECK(rig_record.scopes_undone == way->locks && rig_record.nested == 0 &&
                    rig_record.heap_left == 0,
            "%s %s: undone %d nested %d left %d", way->name, place,
            (int)rig_record.scopes_undone, (int)rig_record.nested,
            (int)rig_record.heap_left);
}

static void judge_main(void)
{
    nowhere = (uint32_t *)(uintptr_t)RIG_NOWHERE;
    for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        try(&ways[i], "here", ways[i].here);
        try(&ways[i], "below", ways[i].below);
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
