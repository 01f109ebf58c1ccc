/* SPDX-License-Identifier: MIT */
/*
 * Claim: checked code may be called with anything in r9. Through AL_CALLBACK it
 * is checked against the right limit, and its caller finds its own r9 again;
 * without, a check that trapped for the wrong r9 is repaired, and goes on with
 * every register as it was.
 *   1. functions with each form of check called with r9 = 0, ~0, 2^31, another
 *      stack's limit: arguments, floating-point ones too, return values and
 *      kept registers are right; after a false alarm r9 is the limit
 *   2. the same through AL_CALLBACK: inside r9 is the limit, after it the
 *      caller's value
 *   3. an overflow below a callback ends the task, also with r9 = 0 before;
 *      without AL_CALLBACK when r9 was high: the alarm is then a true one
 *   4. from an interrupt handler AL_CALLBACK gives the interrupt stack's limit
 * Fails if: the trap handler compares with r9, or forgets to repair it, or the
 * veneer does not put the caller's r9 back.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

extern char __al_irq_limit[];

static volatile uint32_t seen_r9;

static uint32_t r9_now(void)
{
    uint32_t r9;

    __asm__ volatile("mov %0, r9" : "=r"(r9));
    return r9;
}

/* Leaves it so, as no checked code could. */
void r9_set(uint32_t r9);

__asm__(".pushsection .text.r9_set,\"ax\",%progbits\n"
        ".global r9_set\n"
        ".type r9_set, %function\n"
        ".thumb_func\n"
        "r9_set:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "mov r9, r0\n"
        "bx lr\n"
        ".fnend\n"
        ".size r9_set, . - r9_set\n"
        ".popsection\n");

/* A call as precompiled code makes it; the assembly below knows the fields. */
struct call {
    uint32_t (*fn)(uint32_t, uint32_t, uint32_t, uint32_t);
    uint32_t r9;
    uint32_t args[4];
    uint32_t result;
    uint32_t r9_after;
    uint32_t saved[3];
};

void call_with_r9(struct call *call);

__asm__(".pushsection .text.call_with_r9,\"ax\",%progbits\n"
        ".global call_with_r9\n"
        ".type call_with_r9, %function\n"
        ".thumb_func\n"
        "call_with_r9:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "str r4, [r0, #32]\n"
        "str lr, [r0, #36]\n"
        "str r9, [r0, #40]\n"
        "mov r4, r0\n"
        "ldr r12, [r4]\n"
        "ldr r9, [r4, #4]\n"
        "ldr r0, [r4, #8]\n"
        "ldr r1, [r4, #12]\n"
        "ldr r2, [r4, #16]\n"
        "ldr r3, [r4, #20]\n"
        "blx r12\n"
        "str r0, [r4, #24]\n"
        "str r9, [r4, #28]\n"
        "ldr r9, [r4, #40]\n"
        "ldr lr, [r4, #36]\n"
        "ldr r4, [r4, #32]\n"
        "bx lr\n"
        ".fnend\n"
        ".size call_with_r9, . - call_with_r9\n"
        ".popsection\n");

#define MIX(a, b, c, d) ((a) + 3 * (b) + 5 * (c) + 7 * (d))

#define USE(frame)                                    \
  do {                                                \
    volatile char *use_at = (frame);                  \
                                                      \
    __asm__ volatile("" : "+r"(use_at) : : "memory"); \
    use_at[0] = 1;                                    \
  } while (0)

__attribute__((used, noinline)) uint32_t small(
        uint32_t a, uint32_t b, uint32_t c, uint32_t d);
__attribute__((used, noinline)) uint32_t large(
        uint32_t a, uint32_t b, uint32_t c, uint32_t d);
__attribute__((used, noinline)) uint32_t large_odd(
        uint32_t a, uint32_t b, uint32_t c, uint32_t d);
__attribute__((used, noinline)) uint32_t recurses(
        uint32_t a, uint32_t b, uint32_t c, uint32_t d);

uint32_t small(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    volatile char frame[24];

    USE(frame);
    seen_r9 = r9_now();
    return MIX(a, b, c, d);
}

uint32_t large(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    volatile char frame[192];

    USE(frame);
    seen_r9 = r9_now();
    return MIX(a, b, c, d);
}

/* A frame that no instruction encodes. */
uint32_t large_odd(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    volatile char frame[4500];

    USE(frame);
    seen_r9 = r9_now();
    return MIX(a, b, c, d);
}

/* Deeper than any stack, for b = 0. */
uint32_t recurses(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    volatile char frame[40];

    USE(frame);
    if (b != 0 && a >= b) {
        return MIX(a, b, c, d);
    }
    return recurses(a + 1, b, c, d) + (uint32_t)frame[0];
}

#ifndef __clang__
/* ip, the chain to the outer frame, must survive the false alarm. */
__attribute__((noinline)) static uint32_t with_nested(
        uint32_t r9, uint32_t chain)
{
    volatile uint32_t known = chain;
    uint32_t old = r9_now();
    uint32_t result;

    __attribute__((noinline)) uint32_t nested(uint32_t a)
    {
        volatile char frame[200];

        USE(frame);
        seen_r9 = r9_now();
        return a + known;
    }
    r9_set(r9);
    result = nested(11);
    r9_set(old);
    return result;
}
#endif

static const uint32_t garbage[] = {
        0xffffffffu, 0x80000000u, 0x2001fff8u, 0x30000000u, 0, 0x20000010u};
#define GARBAGES (sizeof(garbage) / sizeof(garbage[0]))

static struct call call;
static uint32_t limit;

/* Called below rig_guard(), which looks at the kept registers. */
static void make_call(void)
{
    call_with_r9(&call);
}

static bool one(uint32_t (*fn)(uint32_t, uint32_t, uint32_t, uint32_t),
        uint32_t r9, uint32_t fpu)
{
    uint32_t kept;

    call.fn = fn;
    call.r9 = r9;
    for (uint32_t i = 0; i < 4; i++) {
        call.args[i] = 1000u * i + r9;
    }
    seen_r9 = 1;
    kept = rig_guard(make_call, r9 & 0xffff, fpu);
    return kept == 0 && call.result == MIX(call.args[0], call.args[1],
                                               call.args[2], call.args[3]);
}

static void false_alarms(const char *name,
        uint32_t (*fn)(uint32_t, uint32_t, uint32_t, uint32_t))
{
    bool right = true;
    bool repaired = true;

    for (unsigned i = 0; i < GARBAGES; i++) {
        for (uint32_t fpu = 0; fpu < 2; fpu++) {
            bool high = garbage[i] > limit;
            /* The form without ip adds to r9: then this is low, too. */
            bool wraps;

            right = right && one(fn, garbage[i], fpu);
            wraps = garbage[i] == ~0u && seen_r9 == ~0u;
            repaired = repaired && call.r9_after == seen_r9 &&
                       (wraps || seen_r9 == (high ? limit : garbage[i]));
        }
    }
    CHECK(right, "%s: false alarms change nothing", name);
    CHECK(repaired, "%s: r9 is repaired", name);
}

static void by_veneer(const char *name,
        uint32_t (*fn)(uint32_t, uint32_t, uint32_t, uint32_t))
{
    bool right = true;
    bool limits = true;

    for (unsigned i = 0; i < GARBAGES; i++) {
        for (uint32_t fpu = 0; fpu < 2; fpu++) {
            right = right && one(fn, garbage[i], fpu);
            limits = limits && seen_r9 == limit && call.r9_after == garbage[i];
        }
    }
    CHECK(right, "%s by AL_CALLBACK: right", name);
    CHECK(limits, "%s by AL_CALLBACK: limit inside, garbage after", name);
}

__attribute__((noinline)) static float floats(float a, float b)
{
    volatile char frame[100];

    USE(frame);
    return a * 2 + b;
}

/* Floating-point arguments over a false alarm. */
static void float_arguments(void)
{
    uint32_t old = r9_now();
    float result;

    r9_set(0xfffffff0u);
    result = floats(1.5f, 0.25f);
    r9_set(old);
    CHECK(result == 3.25f, "floating-point arguments");
}

static struct al_sem go = AL_SEM_INIT(0, 1);
static volatile bool came_back;
static uint32_t (*volatile victims_fn)(uint32_t, uint32_t, uint32_t, uint32_t);
static volatile uint32_t victims_r9;

static void victim_main(void)
{
    struct call mine = {.args = {1, 0, 2, 3}};

    al_sem_take(&go);
    mine.fn = victims_fn;
    mine.r9 = victims_r9;
    call_with_r9(&mine);
    came_back = true;
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};
AL_TASK_POLICY(victim, victim_main, 10, 1536, &at_once);

static void overflows(const char *name,
        uint32_t (*fn)(uint32_t, uint32_t, uint32_t, uint32_t), uint32_t r9)
{
    struct al_crash_record record = {.cause = 0};
    uint32_t deaths = al_crash_count();

    victims_fn = fn;
    victims_r9 = r9;
    came_back = false;
    al_sem_give(&go);
    CHECK(!came_back && al_crash_count() == deaths + 1 &&
                    al_crash_read(deaths + 1, &record) == AL_OK &&
                    record.cause == AL_CAUSE_OVERFLOW,
            "%s: overflow with r9 %x before", name, (unsigned)r9);
}

static volatile uint32_t handler_r9, handler_after, handler_right;

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    static struct call its;

    (void)n;
    (void)hit;
    its.fn = AL_CALLBACK(small);
    its.r9 = 0x12345678u;
    its.args[0] = 9;
    call_with_r9(&its);
    handler_r9 = seen_r9;
    handler_after = its.r9_after;
    handler_right = its.result == 9;
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    limit = al_task_self()->limit;
    CHECK(r9_now() == limit, "r9 is the limit");
    false_alarms("small", small);
    false_alarms("large", large);
    false_alarms("odd", large_odd);
#ifndef __clang__
    CHECK(with_nested(0x80000000u, 77) == 88 && seen_r9 == limit,
            "ip survives a false alarm");
#endif
    float_arguments();
    by_veneer("small", AL_CALLBACK(small));
    by_veneer("large", AL_CALLBACK(large));
    by_veneer("odd", AL_CALLBACK(large_odd));
    overflows("veneer", AL_CALLBACK(recurses), 0);
    overflows("veneer", AL_CALLBACK(recurses), 0xffffffffu);
    overflows("plain", recurses, 0xffffffffu);
    rig_pend(0, in_handler);
    CHECK(handler_right && handler_r9 == (uint32_t)__al_irq_limit &&
                    handler_after == 0x12345678u,
            "in a handler: the interrupt stack's limit");
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 8192);
