/* SPDX-License-Identifier: MIT */
/*
 * Claim: scopes, locks and plain cleanups are undone newest first across
 * frames of every shape, each once, also where a landing pad and a record both
 * know of a scope; a lock that was given back in another order is not undone.
 *
 *  1. mixed: plain cleanup p, defer a, plain cleanup q, a scoped lock, defer
 *     b, plain cleanup r; death in a call that keeps its landing pad: rb(lock)qap
 *  2. the same without a pad: only what is registered, newest first
 *  3. three frames, one with alloca, one with a big frame, one with a frame
 *     pointer and arguments on the stack, each with a plain cleanup that reads
 *     its own variables: registers and frames are those of the frame
 *  4. locks taken a, b and given back a: only b is undone
 *  5. a lock taken by a helper between two defers: newest first
 *  6. a scope whose block has ended, and a loop that opens one each turn
 *
 * Fails if: a pad runs twice or with wrong registers, or a scope that its pad
 * has closed is undone again.
 * builds: gcc-Os-small-soft gcc-Os-small gcc-O0 gcc-Og gcc-O1 gcc-O2 gcc-O3 gcc-Os gcc-O2-lto clang-O0 clang-O2 clang-Os
 * sources: ../support/recover.c
 */
#include <string.h>

#include "recover.h"

#define NOINLINE __attribute__((noinline))

static struct al_mutex first = AL_MUTEX_INIT;
static struct al_mutex second = AL_MUTEX_INIT;
static volatile uint32_t zero;
static char target[64];

static NOINLINE void panics(void)
{
    al_panic("test");
}

/* No compiler can tell what this calls. */
static void (*volatile die)(void) = panics;

static void note_and_lock(char what)
{
    rig_note(what);
    if (al_mutex_is_held(&first)) {
        rig_note('*');
    }
}

static void mark(void *what)
{
    note_and_lock((char)(uintptr_t)what);
}

static void plain(const char *what)
{
    note_and_lock(*what);
}

#define PLAIN __attribute__((cleanup(plain)))

static NOINLINE void mixed(void)
{
    PLAIN char p = 'p';
    AL_DEFER(mark, RIG_MARK('a'));
    PLAIN char q = 'q';
    al_status status;
    AL_LOCK_SCOPED(&first, status);
    AL_DEFER(mark, RIG_MARK('b'));
    PLAIN char r = 'r';

    (void)status;
    __asm__ volatile("" ::"r"(&p), "r"(&q), "r"(&r) : "memory");
    die();
}

static NOINLINE void mixed_without_pad(void)
{
    AL_DEFER(mark, RIG_MARK('a'));
    al_status status;
    AL_LOCK_SCOPED(&first, status);
    AL_DEFER(mark, RIG_MARK('b'));

    (void)status;
    memcpy(target, (const void *)(uintptr_t)RIG_NOWHERE, zero + 40);
    __asm__ volatile("" ::"r"(target) : "memory");
}

struct witness {
    uint32_t a;
    uint32_t b;
    char what;
};

static void witness(const struct witness *w)
{
    rig_note(w->b == w->a * 3 + 1 ? w->what : '!');
}

#define WITNESS __attribute__((cleanup(witness)))

static NOINLINE void use(void *memory)
{
    __asm__ volatile("" ::"r"(memory) : "memory");
}

static NOINLINE void frame_plain(uint32_t n)
{
    WITNESS struct witness w = {n, n * 3 + 1, 'c'};
    AL_DEFER(rig_mark, RIG_MARK('C'));

    use(&w);
    die();
    use(&w);
}

static NOINLINE void frame_big(uint32_t n)
{
    char big[200];
    WITNESS struct witness w = {n, n * 3 + 1, 'b'};
    AL_DEFER(rig_mark, RIG_MARK('B'));

    use(big);
    use(&w);
    frame_plain(n + 1);
    use(big);
}

static NOINLINE uint32_t frame_variable(
        uint32_t n, uint32_t b, uint32_t c, uint32_t d, uint32_t e, uint32_t f)
{
    volatile char *variable = __builtin_alloca(n + 8);
    WITNESS struct witness w = {n + e, (n + f) * 3 + 1, 'a'};
    AL_DEFER(rig_mark, RIG_MARK('A'));

    use((void *)(uintptr_t)variable);
    use(&w);
    frame_big(n + b + c + d);
    use((void *)(uintptr_t)variable);
    return w.a;
}

/* Callee-saved registers, integer and floating, live over the call. */
static NOINLINE void frame_registers(
        uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    uint32_t e = a * 5;
    uint32_t f = b * 7;
    float x = (float)a * 1.5f;
    float y = (float)b * 2.5f;
    WITNESS struct witness w = {0, 1, 'r'};
    AL_DEFER(rig_mark, RIG_MARK('R'));

    use(&w);
    (void)frame_variable(a, b, c, d, a, a);
    w.a = a + b + c + d + e + f + (uint32_t)(x + y);
    use(&w);
}

static void frames(void)
{
    frame_registers(9, 2, 3, 4);
}

static void other_order(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    rig_lock(&first);
    rig_lock(&second);
    al_mutex_unlock(&first);
    rig_note(al_mutex_is_held(&second) ? 's' : '!');
    die();
}

static NOINLINE void helper(void)
{
    rig_lock(&first);
}

static void lock_by_helper(void)
{
    AL_DEFER(mark, RIG_MARK('a'));
    helper();
    (void)frame_variable; /* nothing between */
    RIG_SCOPE(inner, mark, RIG_MARK('b'));
    memcpy(target, (const void *)(uintptr_t)RIG_NOWHERE, zero + 40);
    __asm__ volatile("" ::"r"(target) : "memory");
}

static void blocks(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    {
        AL_DEFER(rig_mark, RIG_MARK('b'));
    }
    for (uint32_t i = 0; i < 3; i++) {
        AL_DEFER(rig_mark, RIG_MARK('0' + i));
        if (i == 2) {
            die();
        }
    }
}

static void run(const char *name, void (*body)(void), const char *expected,
        uint32_t undone)
{
    uint32_t deaths = rig_run(body);

    CHECK(deaths == 1, "%s: died %d times", name, (int)deaths);
    CHECK(rig_log_is(expected), "%s: \"%s\", not \"%s\"", name, rig_log(),
            expected);
    CHECK(rig_record.scopes_undone == undone, "%s: undone %d", name,
            (int)rig_record.scopes_undone);
    CHECK(rig_record.nested == 0, "%s: nested %d", name,
            (int)rig_record.nested);
    CHECK(!al_mutex_is_held(&first) && !al_mutex_is_held(&second), "%s: locks",
            name);
}

static void judge_main(void)
{
    run("mixed", mixed, "r*b*qap", 3);
    run("mixed without pad", mixed_without_pad, "b*a", 3);
    run("frames", frames, "CcBbAaRr", 4);
    run("other order", other_order, "sa", 2);
    run("lock by helper", lock_by_helper, "b*a", 3);
    run("blocks", blocks, "b012a", 2);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
