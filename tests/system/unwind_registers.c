/* SPDX-License-Identifier: MIT */
/*
 * Claim: a landing pad runs with its frame's registers: integer and floating
 * ones that callees saved, restored from wherever each callee put them.
 *
 *  1. a function keeps values in r4 to r11 and s16 to s31 over a call, and its
 *     cleanup, inlined into the landing pad, computes with them
 *  2. below it, functions that save few, many and all of these registers, with
 *     big and variable frames, and overwrite them; the last one dies
 *  3. the cleanup saw the values of its own frame
 *  4. the same with a cleanup in between that runs first and uses registers
 *
 * Fails if: a step restores a register wrongly, or a pad is entered without.
 * builds: gcc-Os-small gcc-O1 gcc-O2 gcc-O3 gcc-Os clang-O2 clang-Os
 * boards: stm32f405 mps2-an385
 * sources: ../support/recover.c
 */
#include "recover.h"

#define NOINLINE __attribute__((noinline))

static void panics(void)
{
    al_panic("test");
}

static void (*volatile die)(void) = panics;
static volatile uint32_t seed;

struct values {
    uint32_t a, b, c, d;
    float x, y, z;
};

/* Inlined, so that the structure may live in registers. */
static inline __attribute__((always_inline)) void verify(const struct values *v)
{
    bool ok = v->b == v->a * 3 + 1 && v->c == v->a * 5 + 2 &&
              v->d == v->a * 7 + 3 && v->y == v->x * 2.0f + 1.0f &&
              v->z == v->x * 4.0f + 2.0f;

    rig_note(ok ? 'v' : '!');
}

/* Compilers cannot tell how these hang together. */
static volatile uint32_t integers[4];
static volatile float floats[3];

#define VERIFIED                                                       \
  uint32_t n = seed;                                                   \
  __attribute__((cleanup(verify))) struct values v = {integers[0],     \
          integers[1], integers[2], integers[3], floats[0], floats[1], \
          floats[2]}

static void prepare(uint32_t n)
{
    seed = n;
    integers[0] = n;
    integers[1] = n * 3 + 1;
    integers[2] = n * 5 + 2;
    integers[3] = n * 7 + 3;
    floats[0] = (float)n + 0.5f;
    floats[1] = floats[0] * 2.0f + 1.0f; /* not so if all are 0 */
    floats[2] = floats[0] * 4.0f + 2.0f;
}

/* Overwrites every register that a callee must save. */
static NOINLINE void clobber_all(void)
{
#ifdef __ARM_FP
    __asm__ volatile("mov r4, #0\n\tvmov s16, r4\n\tvmov s17, r4\n\t"
                     "vmov s18, r4\n\tvmov s19, r4\n\tvmov s20, r4\n\t"
                     "vmov s31, r4" ::
                             : "r4", "r5", "r6", "r8", "r10", "r11", "s16",
                     "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24",
                     "s25", "s26", "s27", "s28", "s29", "s30", "s31");
#else
    __asm__ volatile("mov r4, #0\n\tmov r5, #0\n\tmov r6, #0\n\tmov r8, #0" ::
                             : "r4", "r5", "r6", "r8", "r10", "r11");
#endif
    die();
    __asm__ volatile("" ::: "memory");
}

static NOINLINE void clobber_few(void)
{
    volatile char big[300];

    big[0] = 1;
#ifdef __ARM_FP
    __asm__ volatile("mov r5, #0\n\tvmov s20, r5\n\tvmov s21, r5" ::
                             : "r5", "s20", "s21");
#else
    __asm__ volatile("mov r5, #0" ::: "r5");
#endif
    clobber_all();
    big[1] = 2;
}

static NOINLINE void clobber_with_alloca(uint32_t n)
{
    volatile char *block = __builtin_alloca(n + 24);

    block[0] = 1;
    __asm__ volatile("mov r6, #0\n\tmov r8, #0" ::: "r6", "r8");
    clobber_few();
    block[1] = 2;
}

static NOINLINE void inner(void)
{
    VERIFIED;

    clobber_with_alloca(n);
    v.a += 0;
}

static NOINLINE void outer(void)
{
    VERIFIED;

    (void)n;
    inner();
    v.a += 0;
}

static void body(void)
{
    AL_DEFER(rig_mark, RIG_MARK('e'));
    outer();
}

static void judge_main(void)
{
    for (uint32_t n = 1; n < 2000; n = n * 3 + 5) {
        prepare(n);
        CHECK(rig_run(body) == 1 && rig_log_is("vve"), "%d: \"%s\"", (int)seed,
                rig_log());
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
