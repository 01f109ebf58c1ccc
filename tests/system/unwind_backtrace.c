/* SPDX-License-Identifier: MIT */
/*
 * Claim: of a deep backtrace the newest 24 and the oldest 8 places are kept, in
 * their order, and the number of all of them; a damaged stack ends the walk, and
 * nothing that was registered is lost.
 *
 *  1. recursion of every depth from 0 to 60 frames, alternating between two
 *     functions, dies at the bottom: pc_count counts each; the kept ones name
 *     the two functions in turn, and the task's entry last
 *  2. the same with return addresses of the victim's stack overwritten, by
 *     zero, by an address of no code, by one of other code, and with its saved
 *     frame pointer overwritten: it died once, its defers ran
 *
 * Fails if: the ring of the oldest is laid out otherwise, or the walk believes
 * what it reads.
 * builds: gcc-Os-small-soft gcc-Os-small gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

#define NOINLINE __attribute__((noinline))

static volatile uint32_t depth;
static volatile uint32_t sink;

static void panics(void)
{
    al_panic("test");
}

static void (*volatile at_bottom)(void);

static NOINLINE uint32_t even(uint32_t n);

static NOINLINE uint32_t odd(uint32_t n)
{
    if (n == 0) {
        at_bottom();
        return 1;
    }
    return even(n - 1) * 3 + n;
}

static NOINLINE uint32_t even(uint32_t n)
{
    if (n == 0) {
        at_bottom();
        return 2;
    }
    return odd(n - 1) * 5 + n;
}

static NOINLINE void below(void)
{
    AL_DEFER(rig_mark, RIG_MARK('b'));
    sink = even(depth);
}

static void body(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    below();
}

/* Place number i of all, or 0 when it was not kept. */
static uint32_t place(uint32_t i)
{
    uint32_t count = rig_record.pc_count;

    if (i < AL_CRASH_NEWEST) {
        return rig_record.pcs[i];
    }
    if (i + AL_CRASH_OLDEST < count) {
        return 0;
    }
    return rig_record
            .pcs[AL_CRASH_NEWEST + (i - AL_CRASH_NEWEST) % AL_CRASH_OLDEST];
}

/* Both are small; the nearer one that begins before it is meant. */
static bool is_of(
        uint32_t pc, uint32_t (*fn)(uint32_t), uint32_t (*other)(uint32_t))
{
    uint32_t at = (pc & ~1u) - 2;
    uint32_t low = (uint32_t)(uintptr_t)fn & ~1u;
    uint32_t other_low = (uint32_t)(uintptr_t)other & ~1u;

    return at >= low && at - low < 120 && !(other_low > low && at >= other_low);
}

static void count_frames(uint32_t n)
{
    uint32_t wrong = 0;

    depth = n;
    at_bottom = panics;
    CHECK(rig_run(body) == 1 && rig_log_is("ba"), "%d: died", (int)n);
    /* panics, n + 1 of even and odd, below, body, the rig's two or three, and
     * the end of the trampoline. */
    CHECK(rig_record.pc_count >= n + 6 && rig_record.pc_count <= n + 8,
            "%d: %d places", (int)n, (int)rig_record.pc_count);
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t pc = place(1 + i);
        bool is_even = (n - i) % 2 == 0;

        if (pc != 0) {
            wrong += is_even ? !is_of(pc, even, odd) : !is_of(pc, odd, even);
        }
    }
    CHECK(wrong == 0, "%d: %d places are wrong", (int)n, (int)wrong);
    CHECK(rig_within(place(n + 2), (const void *)below), "%d: below is next",
            (int)n);
}

static volatile uint32_t damage;

/* Overwrites what looks like a return address into even or odd. */
static NOINLINE void overwrites(void)
{
    uint32_t *sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp));
    for (uint32_t i = 0; i < 100 && (uintptr_t)(sp + i) < rig_victim.stack_high;
            i++) {
        uint32_t word = *(volatile uint32_t *)(sp + i);

        if (is_of(word, even, odd) || is_of(word, odd, even)) {
            *(volatile uint32_t *)(sp + i) = damage;
        }
    }
    al_panic("test");
}

/* All of the innermost words, this function's own among them. */
static NOINLINE void overwrites_all(void)
{
    __asm__ volatile(
            "mov r0, sp\n\tadd r1, r0, #120\n"
            "1:\n\tstr %0, [r0], #4\n\tcmp r0, r1\n\tbne 1b" ::"r"(damage)
            : "r0", "r1", "memory", "cc");
    al_panic("test");
}

/* Dies with something else in the frame pointer. */
static NOINLINE void spoils_r7(void)
{
    __asm__ volatile("mov r7, %0\n\tmovs r0, #0\n\tbl al_panic" ::"r"(damage)
                     : "r0", "lr");
    __builtin_unreachable();
}

static NOINLINE void cause_at_bottom(void)
{
    al_panic("test");
}

/* A frame that is found by its frame pointer, and holds floating registers. */
static NOINLINE uint32_t by_frame_pointer(uint32_t n)
{
    volatile char *block = __builtin_alloca(n);

    block[0] = 1;
#ifdef __ARM_FP
    __asm__ volatile("vmov s16, %0\n\tvmov s18, %0" ::"r"(n) : "s16", "s18");
#endif
    at_bottom();
    return block[0];
}

static void body_by_frame_pointer(void)
{
    AL_DEFER(rig_mark, RIG_MARK('c'));
    sink = by_frame_pointer(200);
}

static void judge_main(void)
{
    static const uint32_t damages[] = {
            0, 1, 0x30000001, 0x20000401, 0xffffffff, 0xfffffffd, 0x08000009};

    for (uint32_t n = 0; n <= 60; n++) {
        count_frames(n);
    }
    depth = 20;
    for (uint32_t i = 0; i < sizeof(damages) / sizeof(damages[0]) + 2; i++) {
        damage = i == 7   ? (uint32_t)(uintptr_t)body | 1
                 : i == 8 ? (uint32_t)(uintptr_t)rig_run | 1
                          : damages[i];
        at_bottom = overwrites;
        CHECK(rig_run(body) == 1 && rig_log_is("ba"),
                "return addresses %x: ran \"%s\"", (unsigned)damage, rig_log());
        at_bottom = overwrites_all;
        CHECK(rig_run(body) == 1 && rig_log_is("ba"), "everything %x",
                (unsigned)damage);
    }
    /* Frame pointers into the stack, misaligned or not, upwards and back. */
    at_bottom = spoils_r7;
    for (uint32_t i = 0; i < 400; i += 3) {
        uint32_t deaths;

        damage = rig_victim.stack_high - i;
        deaths = rig_run(body_by_frame_pointer);
        if (deaths != 1 || !rig_log_is("c")) {
            CHECK(false, "frame pointer %x: %d deaths, ran \"%s\"",
                    (unsigned)damage, (int)deaths, rig_log());
        }
    }
    CHECK(rig_run(body) == 1 && rig_log_is("ba"), "frame pointers");
    at_bottom = cause_at_bottom;
    CHECK(rig_run(body_by_frame_pointer) == 1 && rig_log_is("c") &&
                    rig_record.pc_count >= 5,
            "a right one: %u frames", (unsigned)rig_record.pc_count);
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
