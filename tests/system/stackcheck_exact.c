/* SPDX-License-Identifier: MIT */
/*
 * Claim: a function traps at its entry exactly when its frame would reach below
 * the floor of its stack, and nothing is ever stored below the floor.
 *   1. functions with fixed frames of 1 to 65536 bytes, every form of check:
 *      small, large, with and without an encodable frame, ip taken (nested
 *      function), floating-point registers saved, and not a leaf
 *   2. each is called at every word around the entry stack pointer at which it
 *      first traps. Small: that is the first below the limit. Large: the first
 *      from which the frame, as the crash record has it, reaches below the floor
 *   3. variable frames of 0, 1, 60, 64, 68, 4096 bytes, as an array and by
 *      alloca: the lowest that is let through ends within a word of the floor,
 *      or of what the function needs besides; 2^31 and 2^32 - 1 always trap
 *   4. alloca in a loop, and an array in a loop of calls
 *   5. what lies below the floor is painted before each call, and looked at
 *      after each that came back
 * Fails if: a check is a word too low or too high, or the sum of a variable
 * frame wraps.
 * builds: gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 * timeout: 300
 */
#include "../interleave/rig.h"

#include "test.h"

#define SLACK 64u
#define PAINT 0x5aa5c33cu
#define STACK 72u * 1024u

static volatile uint32_t size;    /* what a variable frame asks for */
static volatile uintptr_t lowest; /* lowest address that it got */
static volatile uint32_t sink;

/* No calls: at -O0 as well, what traps is the function itself. The compiler
 * must believe that all of the frame is used. */
#define TOUCH(at, bytes)                             \
  do {                                               \
    volatile char *touch_at = (at);                  \
    uint32_t touch_bytes = (bytes);                  \
                                                     \
    __asm__ volatile("" : "+r"(touch_at)::"memory"); \
    touch_at[0] = 1;                                 \
    touch_at[touch_bytes / 2] = 2;                   \
    touch_at[touch_bytes - 1] = 3;                   \
    sink += (uint32_t)touch_at[0];                   \
  } while (0)
#define NOTE_LOWEST(at)                   \
  do {                                    \
    uintptr_t note_at = (uintptr_t)(at);  \
                                          \
    __asm__ volatile("" : "+r"(note_at)); \
    lowest = note_at;                     \
  } while (0)

/* The formatter never settles on this list. */
/* clang-format off */
#define FIXED(X) \
    X(1) X(4) X(8) X(12) X(20) X(32) X(40) X(48) X(52) X(56) X(60) X(64) \
    X(68) X(72) X(80) X(100) X(128) X(200) X(252) X(256) X(260) X(500) \
    X(512) X(1000) X(1020) X(1024) X(1028) X(1084) X(1088) X(1092) X(2000) \
    X(2048) X(4000) X(4088) X(4092) X(4096) X(4100) X(4152) X(4156) X(4160) \
    X(4164) X(5000) X(8192) X(10000) X(16384) X(20004) X(32768) X(40000) \
    X(50000) X(65000) X(65472) X(65528) X(65536)
/* clang-format on */

#define DEFINE_FIXED(n)                                 \
  __attribute__((noinline)) static void fixed_##n(void) \
  {                                                     \
    volatile char frame[n];                             \
                                                        \
    TOUCH(frame, n);                                    \
  }
FIXED(DEFINE_FIXED)

/* Takes no stack at any level. */
void leaf(void);

__asm__(".pushsection .text.leaf,\"ax\",%progbits\n"
        ".global leaf\n"
        ".type leaf, %function\n"
        ".thumb_func\n"
        "leaf:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "bx lr\n"
        ".fnend\n"
        ".size leaf, . - leaf\n"
        ".popsection\n");

/* Not leaves: the link register is in the frame. */
__attribute__((noinline)) static void calls_small(void)
{
    volatile char frame[16];

    TOUCH(frame, sizeof(frame));
    leaf();
    sink += (uint32_t)frame[3];
}

__attribute__((noinline)) static void calls_large(void)
{
    volatile char frame[700];

    TOUCH(frame, sizeof(frame));
    leaf();
    sink += (uint32_t)frame[3];
}

/* Saves s16-s31. */
__attribute__((noinline)) static void saves_fpu(void)
{
    __asm__ volatile("" ::: "s16", "s17", "s20", "s23", "s31");
    sink++;
}

__attribute__((noinline)) static void saves_fpu_and_frame(void)
{
    volatile char frame[300];

    TOUCH(frame, sizeof(frame));
    __asm__ volatile("" ::: "s16", "s17", "s20", "s23", "s31", "r4", "r11");
    sink += (uint32_t)frame[7];
}

/* ip is the chain to the enclosing frame: GCC has nested functions. */
#ifndef __clang__

__attribute__((noinline)) static void with_nested(uint32_t large)
{
    volatile uint32_t chain = 5;

    __attribute__((noinline)) void small_one(void)
    {
        volatile char frame[24];

        TOUCH(frame, sizeof(frame));
        sink += chain;
    }
    __attribute__((noinline)) void large_one(void)
    {
        volatile char frame[3000];

        TOUCH(frame, sizeof(frame));
        sink += chain;
    }
    if (large) {
        large_one();
    } else {
        small_one();
    }
}

static void nested_small(void)
{
    with_nested(0);
}

static void nested_large(void)
{
    with_nested(1);
}
#endif

__attribute__((noinline)) static void variable_array(void)
{
    volatile char frame[size];

    NOTE_LOWEST(frame);
    if (size != 0) {
        TOUCH(frame, size);
    }
}

__attribute__((noinline)) static void variable_alloca(void)
{
    volatile char *frame = __builtin_alloca(size);

    NOTE_LOWEST(frame);
    if (size != 0) {
        TOUCH(frame, size);
    }
}

__attribute__((noinline)) static void variable_and_fixed(void)
{
    volatile char fixed[500];
    volatile char frame[size];

    TOUCH(fixed, sizeof(fixed));
    NOTE_LOWEST(frame);
    if (size != 0) {
        TOUCH(frame, size);
    }
    sink += (uint32_t)fixed[9];
}

__attribute__((noinline)) static void alloca_loop(void)
{
    volatile char *last = NULL;

    for (uint32_t i = 5; i > 0; i--) {
        volatile char *more = __builtin_alloca(size + 1);

        NOTE_LOWEST(more);
        more[0] = 1;
        last = more;
    }
    sink += last != NULL;
}

__attribute__((noinline)) static void array_loop(void)
{
    for (uint32_t i = 1; i < 5; i++) {
        volatile char frame[size / i + 1];

        NOTE_LOWEST(frame);
        TOUCH(frame, size / i + 1);
    }
}

/* Calls fn at stack pointer `sp`. Takes no stack, and none of ours. */
void call_at(void (*fn)(void), uintptr_t sp, uintptr_t *save);

__asm__(".pushsection .text.call_at,\"ax\",%progbits\n"
        ".global call_at\n"
        ".type call_at, %function\n"
        ".thumb_func\n"
        "call_at:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "str r4, [r2]\n"
        "str lr, [r2, #4]\n"
        "mov r3, sp\n"
        "str r3, [r2, #8]\n"
        "mov r4, r2\n"
        "mov sp, r1\n"
        "blx r0\n"
        "ldr r3, [r4, #8]\n"
        "mov sp, r3\n"
        "ldr lr, [r4, #4]\n"
        "ldr r4, [r4]\n"
        "bx lr\n"
        ".fnend\n"
        ".size call_at, . - call_at\n"
        ".popsection\n");

static struct {
    void (*fn)(void);
    uintptr_t sp;
    volatile bool returned;
    uint32_t deaths;
    struct al_crash_record record;
    unsigned calls, traps;
} attempt;

static struct al_sem go = AL_SEM_INIT(0, 1);
static uintptr_t limit, floor_at;

static void victim_main(void)
{
    uintptr_t save[3];

    for (;;) {
        al_sem_take(&go);
        call_at(attempt.fn, attempt.sp, save);
        attempt.returned = true;
    }
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};
AL_TASK_POLICY(victim, victim_main, 10, STACK, &at_once);

static const char *failure;

/* True when it trapped. */
static bool traps(void (*fn)(void), uintptr_t sp)
{
    volatile uint32_t *low = (volatile uint32_t *)victim.stack_low;

    for (volatile uint32_t *at = low; at < (volatile uint32_t *)floor_at;
            at++) {
        *at = PAINT;
    }
    attempt.fn = fn;
    attempt.sp = sp;
    attempt.returned = false;
    attempt.calls++;
    attempt.deaths = al_crash_count();
    al_sem_give(&go); /* the victim runs at once, and recovers at once */
    if (attempt.returned) {
        if (al_crash_count() != attempt.deaths) {
            failure = "it came back, and something died";
        }
        for (volatile uint32_t *at = low; at < (volatile uint32_t *)floor_at;
                at++) {
            if (*at != PAINT) {
                failure = "something below the floor was overwritten";
            }
        }
        return false;
    }
    attempt.traps++;
    if (al_crash_count() != attempt.deaths + 1 ||
            al_crash_read(attempt.deaths + 1, &attempt.record) != AL_OK) {
        failure = "no record of its death";
    } else if (attempt.record.cause != AL_CAUSE_OVERFLOW &&
               attempt.record.cause != AL_CAUSE_VLA) {
        failure = "it died of something else";
    }
    return true;
}

/* The highest stack pointer at which fn traps. */
static uintptr_t first_trap(void (*fn)(void))
{
    uintptr_t low = floor_at - 8;             /* traps */
    uintptr_t high = victim.stack_high - 512; /* does not */

    failure = NULL;
    if (traps(fn, high)) {
        failure = "it traps with all of the stack";
        return 0;
    }
    while (high - low > 4) {
        uintptr_t middle = low + ((high - low) / 2 & ~(uintptr_t)3);

        if (traps(fn, middle)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (int words = -12; words <= 12; words++) {
        uintptr_t sp = low + (uintptr_t)(words * 4);

        if (sp >= victim.stack_low + 200 && sp < victim.stack_high - 512 &&
                traps(fn, sp) != (sp <= low) && failure == NULL) {
            failure = "it does not trap at every word below the first";
        }
    }
    (void)traps(fn, low);
    return low;
}

/* `at_least`: of its frame. */
static void fixed(const char *name, unsigned n, void (*fn)(void),
        uint32_t at_least, bool is_nested)
{
    uintptr_t first = first_trap(fn);
    uint32_t frame = attempt.record.detail[0];
    bool exact;

    exact = first + 4 - frame == floor_at;
    if (is_nested) {
        /* The frame of the outer function lies in between. */
        exact = first + 4 - frame >= floor_at &&
                first + 4 - frame < floor_at + 64;
    }
    CHECK(failure == NULL && exact && frame >= at_least && frame >= SLACK &&
                    frame <= at_least + 112,
            "%s %u: first traps at floor + %u, frame %u: %s", name, n,
            (unsigned)(first - floor_at), (unsigned)frame,
            failure != NULL ? failure : "right");
}

/* `besides`: bytes that the function may need below the variable part. */
static void variable(
        const char *name, void (*fn)(void), uint32_t bytes, uint32_t besides)
{
    uintptr_t first;
    uintptr_t room;

    size = bytes;
    first = first_trap(fn);
    (void)traps(fn, first + 4);
    room = lowest - floor_at;
    /* The entry check of a small frame wants the limit. */
    CHECK(failure == NULL && lowest >= floor_at &&
                    (room <= besides + 8 || first == limit - 4),
            "%s of %u (%u): first traps at floor + %u, %u left: %s", name,
            (unsigned)bytes, attempt.calls, (unsigned)(first - floor_at),
            (unsigned)room, failure != NULL ? failure : "right");
}

static void too_large(const char *name, void (*fn)(void))
{
    static const uint32_t sizes[] = {0x7fffffffu, 0x80000000u, 0x80000001u,
            0xffff0000u, 0xfffffff0u, 0xfffffff7u, 0xfffffff8u, 0xfffffff9u,
            0xfffffffcu, 0xffffffffu, STACK, 0x20000000u};
    bool all = true;

    failure = NULL;
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (uintptr_t sp = victim.stack_high - 512; sp > floor_at;
                sp -= 9996) {
            size = sizes[i];
            all = all && traps(fn, sp);
        }
        for (uintptr_t sp = limit - 32; sp < limit + 100; sp += 4) {
            all = all && traps(fn, sp);
        }
    }
    CHECK(all && failure == NULL, "%s: sizes that never fit: %s", name,
            failure != NULL ? failure : "right");
}

#define RUN_FIXED(n) fixed("fixed", n, fixed_##n, n <= 64 ? 1 : n, false);

static void judge_main(void)
{
    static const uint32_t sizes[] = {
            0, 1, 4, 7, 8, 9, 60, 63, 64, 65, 68, 100, 500, 4096, 4100, 30000};

    rig_start();
    limit = victim.limit;
    floor_at = limit - SLACK;
    FIXED(RUN_FIXED)
    fixed("calls", 16, calls_small, 1, false);
    fixed("calls", 700, calls_large, 700, false);
    fixed("fpu", 0, saves_fpu, 1, false);
    fixed("fpu", 300, saves_fpu_and_frame, 300, false);
#ifndef __clang__
    fixed("nested", 24, nested_small, 1, true);
    fixed("nested", 3000, nested_large, 3000, true);
#endif
    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        variable("array", variable_array, sizes[i], 16);
        variable("alloca", variable_alloca, sizes[i], 16);
        variable("array beside 500", variable_and_fixed, sizes[i], 16);
        variable("alloca in a loop", alloca_loop, sizes[i] / 5, 16);
        variable("array in a loop", array_loop, sizes[i], sizes[i]);
    }
    too_large("array", variable_array);
    too_large("alloca", variable_alloca);
    too_large("array beside 500", variable_and_fixed);
    CHECK(attempt.traps > 1000 && attempt.calls - attempt.traps > 1000,
            "%u calls, %u traps", attempt.calls, attempt.traps);
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
