/* SPDX-License-Identifier: MIT */
/*
 * Claim: a cleanup that dies in turn is abandoned, alone: the next one goes on,
 * what the dead cleanup had opened itself is undone too, and the record counts
 * it. On the normal path a cleanup that dies has run once, and the rest follows.
 *
 * For each way to die, in a place whose landing pad the compiler kept (a call
 * through a pointer) and in one without (a fault inside memcpy):
 *  1. the victim opens defer a, the bad cleanup, defer b, and dies
 *  2. b and a ran once each; nested is 1; the victim waits again
 * Then: a cleanup that opens a defer, a lock and a heap block and dies; one that
 * locks and unlocks a mutex as anybody may; one that registers itself again
 * and dies, for ever; one that leaves interrupts masked; one that dies on the
 * normal path.
 *
 * Fails if: recovery forgets the rest of the chain when a cleanup dies; if it
 * runs the bad one again; if a cleanup's honest unlock poisons a mutex.
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os gcc-O2-lto clang-O0 clang-O2
 * sources: ../support/recover.c
 * recovers: panic null undef overflow caller stack | cleanup |
 *     it has run, once; its task dies, the other cleanups follow |
 *     panic_to_restart unwind_frame unwind_scope
 * recovers: panic null undef overflow caller stack | undoing |
 *     it alone is abandoned, and what it had opened itself is undone; the next
 *     one goes on | panic_to_restart unwind_frame unwind_scope
 */
#include <string.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile uint32_t zero;
static void (*volatile opaque)(void);

static NOINLINE void just_panic(void)
{
    al_panic("test");
}

/* Dies where the compiler keeps a landing pad, and where it does not. */
static void die_with_pad(void)
{
    opaque = just_panic;
    opaque();
}

static void die_without_pad(void)
{
    static char buffer[64];

    memcpy(buffer, (const void *)(uintptr_t)RIG_NOWHERE, zero + 40);
    __asm__ volatile("" ::"r"(buffer) : "memory");
}

static NOINLINE uint32_t deep(uint32_t depth)
{
    volatile uint32_t local[8];

    local[depth & 7] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + local[depth & 7];
}

static void bad_panic(void *arg)
{
    (void)arg;
    rig_note('x');
    al_panic("cleanup");
}

static void bad_null(void *arg)
{
    (void)arg;
    rig_note('x');
    *RIG_NULL = 1;
}

static void bad_undefined(void *arg)
{
    (void)arg;
    rig_note('x');
    __asm__ volatile("udf #0");
}

static void bad_overflow(void *arg)
{
    (void)arg;
    rig_note('x');
    (void)deep(100000 + zero);
}

static void bad_call(void *arg)
{
    (void)arg;
    rig_note('x');
    al_heap_free((void *)&zero);
}

static void bad_stack_pointer(void *arg)
{
    (void)arg;
    rig_note('x');
    rig_call_at((uintptr_t)RIG_NOWHERE, die_without_pad);
}

static void bad_masked(void *arg)
{
    (void)arg;
    rig_note('x');
    __asm__ volatile("cpsid i" ::: "memory");
    al_panic("cleanup");
}

struct way {
    const char *name;
    void (*cleanup)(void *);
};

static const struct way ways[] = {
        {"panic", bad_panic},
        {"null", bad_null},
        {"undefined", bad_undefined},
        {"overflow", bad_overflow},
        {"wrong call", bad_call},
        {"stack pointer", bad_stack_pointer},
        {"masked", bad_masked},
};

static void (*volatile bad)(void *);
static void (*volatile die)(void);

static NOINLINE void one_bad_inner(void)
{
    AL_DEFER(bad, NULL);
    AL_DEFER(rig_mark, RIG_MARK('b'));
    if (die == die_with_pad) {
        die_with_pad();
    } else {
        die_without_pad();
    }
}

static NOINLINE void one_bad(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    one_bad_inner();
}

/* In one function: what compilers put in one landing pad. */
static NOINLINE void one_bad_in_a_frame(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_DEFER(bad, NULL);
    AL_DEFER(rig_mark, RIG_MARK('b'));
    if (die == die_with_pad) {
        die_with_pad();
    } else {
        die_without_pad();
    }
}

/* On the normal path: the block ends, and its cleanup dies. */
static NOINLINE void normal_path(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    {
        AL_DEFER(bad, NULL);
        AL_DEFER(rig_mark, RIG_MARK('b'));
    }
}

static void opens_and_dies(void *arg)
{
    al_status status;

    (void)arg;
    AL_DEFER(rig_mark, RIG_MARK('c'));
    AL_LOCK_SCOPED(&mutex, status);
    AL_HEAP_SCOPED(block, 56);
    (void)status;
    if (block == NULL) {
        return;
    }
    rig_note('x');
    opaque = just_panic;
    opaque();
}

static void locks_and_unlocks(void *arg)
{
    (void)arg;
    rig_note(al_mutex_lock(&mutex) == AL_OK ? 'x' : '!');
    al_mutex_unlock(&mutex);
}

/* Each life of it leaves one more. */
static void again_and_again(void *arg)
{
    AL_DEFER(again_and_again, arg);
    al_panic("again");
}

static void leaves_masked(void *arg)
{
    (void)arg;
    rig_note('x');
    __asm__ volatile("cpsid i\n\tmsr basepri, %0" ::"r"(0x80) : "memory");
}

static uint32_t masks(void)
{
    uint32_t primask;
    uint32_t basepri;

    __asm__ volatile("mrs %0, primask\n\tmrs %1, basepri"
                     : "=r"(primask), "=r"(basepri));
    return primask | basepri;
}

static void with(const char *name, const char *place, void (*body)(void),
        const char *log, uint32_t nested)
{
    size_t heap = rig_heap_used();
    uint32_t deaths = rig_run(body);
    al_time then = al_now();

    CHECK(deaths == 1, "%s, %s: died %d times", name, place, (int)deaths);
    CHECK(rig_log_is(log), "%s, %s: ran \"%s\"", name, place, rig_log());
    CHECK(rig_record.nested == nested, "%s, %s: nested %d", name, place,
            (int)rig_record.nested);
    CHECK(rig_heap_used() == heap && rig_record.heap_left == 0, "%s, %s: heap",
            name, place);
    CHECK(!al_mutex_is_held(&mutex), "%s, %s: mutex", name, place);
    CHECK(masks() == 0, "%s, %s: masks", name, place);
    al_sleep(1);
    CHECK(al_now() != then, "%s, %s: the tick goes on", name, place);
}

static void with_both(const char *name, void (*cleanup)(void *),
        const char *log, const char *normal_log, uint32_t nested)
{
    bad = cleanup;
    die = die_with_pad;
    with(name, "pad", one_bad, log, nested);
    with(name, "pad, one frame", one_bad_in_a_frame, log, nested);
    die = die_without_pad;
    with(name, "no pad", one_bad, log, nested);
    with(name, "no pad, one frame", one_bad_in_a_frame, log, nested);
    if (normal_log != NULL) {
        /* An overflow is let go on, and dies in recovery. */
        with(name, "normal path", normal_path, normal_log,
                cleanup == bad_overflow ? nested : nested - 1);
    }
}

static void judge_main(void)
{
    al_status status;

    for (uint32_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        with_both(ways[i].name, ways[i].cleanup, "bxa", "bxa", 1);
    }
    with_both("locks and unlocks", locks_and_unlocks, "bxa", NULL, 0);
    CHECK(al_mutex_lock(&mutex) == AL_OK, "an honest unlock does not poison");
    al_mutex_unlock(&mutex);
    with_both("opens and dies", opens_and_dies, "bxca", "bxca", 1);
    status = al_mutex_lock(&mutex);
    CHECK(status == AL_E_POISONED, "a lock in a dead cleanup is poisoned");
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
    with_both("leaves masked", leaves_masked, "bxa", NULL, 0);
    bad = again_and_again;
    die = die_with_pad;
    CHECK(rig_run(one_bad) == 1 && rig_log_is("ba") && rig_record.nested > 1,
            "again and again: ran \"%s\", nested %d", rig_log(),
            (int)rig_record.nested);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
