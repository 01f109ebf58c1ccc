/* SPDX-License-Identifier: MIT */
/*
 * Claim: a stack pointer that points anywhere ends its task and nothing else:
 * recovery does not run where it points, beyond what the processor itself has
 * pushed there, and undoes what was registered.
 *
 * For each place (nowhere, the null guard, flash, a buffer of somebody else's
 * below and above the task's stack, the task's own stack below its floor) and
 * each way to die (a fault, a stack check, a panic before and after one, an
 * undefined instruction):
 *  1. the victim opens two defers and a lock, moves sp there, and dies
 *  2. it died once; both defers ran; the lock is free; it runs again
 *  3. in the buffer nothing below the processor's own frame was written, and
 *     FPU state that was pending was not saved into it afterwards
 * And: a misaligned sp inside the stack is walked as usual.
 *
 * Fails if: a check that trapped at a wild sp runs recovery there; if LSPACT
 * is left pending when a frame is dropped.
 * boards: stm32f405 mps2-an386 mps2-an385; builds: gcc-Os-small gcc-O2 clang-O2
 * sources: ../support/recover.c
 * recovers: stack | running |
 *     nothing runs where its stack pointer led; registered scopes are undone,
 *     the task starts again | fault_to_restart unwind_scope
 */
#include "recover.h"

#define NOINLINE     __attribute__((noinline))
#define BUFFER_WORDS 256u
#define MIDDLE       (BUFFER_WORDS / 2)
#define CANARY       0xca9a91u
#define FRAME_BYTES  108u /* the processor's, with FPU part and padding */
#define PUSHED_BYTES 80u  /* by the function that dies there */

static struct al_mutex mutex = AL_MUTEX_INIT;
static volatile uint32_t zero;

/* .data lies below the stacks, the heap above. */
static uint32_t below[BUFFER_WORDS] __attribute__((aligned(8))) = {1};
static uint32_t *above;

static NOINLINE uint32_t deep(uint32_t depth)
{
    volatile uint32_t local[8];

    local[depth & 7] = depth;
    return depth == 0 ? 0 : deep(depth - 1) + local[depth & 7];
}

static void by_check(void)
{
    (void)deep(100000 + zero);
}

static void by_fault(void)
{
    __asm__ volatile("ldr r0, [%0]" ::"r"(RIG_NOWHERE) : "r0");
}

static void by_panic(void)
{
    al_panic("test");
}

static void by_undefined(void)
{
    __asm__ volatile("udf #0");
}

/* No check comes before it. */
#define panic_itself ((void (*)(void))al_panic)

static const struct {
    const char *name;
    void (*die)(void);
} ways[] = {
        {"check", by_check},
        {"fault", by_fault},
        {"panic", by_panic},
        {"undefined", by_undefined},
        {"panic itself", panic_itself},
};

static volatile uintptr_t place;
static void (*volatile die)(void);
static volatile bool with_fpu;

static NOINLINE void wander(void)
{
    al_status status;
    AL_DEFER(rig_mark, RIG_MARK('a'));
    AL_LOCK_SCOPED(&mutex, status);
    RIG_SCOPE(inner, rig_mark, RIG_MARK('b'));
    (void)status;
#ifdef __ARM_FP
    if (with_fpu) {
        __asm__ volatile("vmov s0, %0\n\tvmov s15, %0" ::"r"(0xbadf00d)
                         : "s0", "s15");
    }
#endif
    rig_call_at(place, die);
}

static void fill(uint32_t *buffer)
{
    for (uint32_t i = 0; i < BUFFER_WORDS; i++) {
        buffer[i] = CANARY;
    }
}

/* The lowest word that was written, as bytes below the middle; 0: none. */
static uint32_t written(const uint32_t *buffer)
{
    for (uint32_t i = 0; i < MIDDLE; i++) {
        if (buffer[i] != CANARY) {
            return (MIDDLE - i) * 4;
        }
    }
    return 0;
}

static void use_fpu(void)
{
#ifdef __ARM_FP
    __asm__ volatile("vmov s0, %0\n\tvmov s1, %0\n\tvadd.f32 s2, s0, s1" ::"r"(
            0x3f800000)
                     : "s0", "s1", "s2");
#endif
}

static void healthy(void)
{
    use_fpu();
    AL_DEFER(rig_mark, RIG_MARK('h'));
}

static void one(const char *name, uintptr_t at, uint32_t way)
{
    uint32_t starts = rig_starts;
    bool own = at >= rig_victim.stack_low && at < rig_victim.stack_high;

    place = at;
    die = ways[way].die;
    CHECK(rig_run(wander) == 1 && rig_starts == starts + 1, "%s, %s%s: died",
            name, ways[way].name, with_fpu ? ", fpu" : "");
    /* In its own stack it may look like a frame, and a pad be run there. */
    CHECK(rig_log_is("ba") && (rig_record.nested == 0 || own) &&
                    rig_record.scopes_undone == 3 && !al_mutex_is_held(&mutex),
            "%s, %s%s: ran \"%s\", undone %d", name, ways[way].name,
            with_fpu ? ", fpu" : "", rig_log(), (int)rig_record.scopes_undone);
    use_fpu();
    CHECK(rig_run(healthy) == 0 && rig_log_is("h"), "%s, %s%s: runs again",
            name, ways[way].name, with_fpu ? ", fpu" : "");
}

static void in_buffer(const char *name, uint32_t *buffer, uint32_t way)
{
    /* A panic is no exception: it pushes nothing. */
    uint32_t most =
            ways[way].die == panic_itself ? 0 : FRAME_BYTES + PUSHED_BYTES;

    fill(buffer);
    al_sleep(1); /* the next tick's frame would be pushed there as well */
    one(name, (uintptr_t)(buffer + MIDDLE), way);
    CHECK(written(buffer) <= most, "%s, %s: written %d bytes deep", name,
            ways[way].name, (int)written(buffer));
#ifdef __ARM_FP
    if (with_fpu && ways[way].die == by_fault) {
        /* The frame's FPU part: s0 at 32, s15 at 92, above its 8 words. */
        uint32_t *frame = buffer + MIDDLE - 104 / 4;

        CHECK(frame[8] == CANARY && frame[23] == CANARY,
                "%s, %s: no late save of s0, s15", name, ways[way].name);
    }
#endif
}

static void all(uint32_t way)
{
    static const struct {
        const char *name;
        uintptr_t at;
    } nowhere[] = {
            {"nowhere", 0x30000000},
            {"null guard", 0x100},
            {"zero", 0},
            {"flash", 0x08000800},
            {"end", 0xfffffff8},
    };
    uintptr_t low = rig_victim.stack_low;

    in_buffer("buffer below", below, way);
    if (ways[way].die != by_check) {
        in_buffer("buffer above", above, way); /* no check traps up there */
    }
    for (uint32_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        one(nowhere[i].name, nowhere[i].at, way);
    }
    one("below the floor", rig_victim.limit - 64 - 32, way);
    one("in the reserve", low + 200, way);
}

static NOINLINE void misaligned_inner(void)
{
    AL_DEFER(rig_mark, RIG_MARK('b'));
    __asm__ volatile("@alula: depth 4\n\tsub sp, sp, #4\n\tldr r0, [%0]\n\t"
                     "add sp, sp, #4" ::"r"(RIG_NOWHERE)
                     : "r0");
}

static void misaligned(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    misaligned_inner();
}

static void judge_main(void)
{
    above = al_heap_alloc(BUFFER_WORDS * 4);
    for (uint32_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
        with_fpu = false;
        all(way);
        with_fpu = true;
        all(way);
    }
    CHECK(rig_run(misaligned) == 1 && rig_log_is("ba") &&
                    rig_record.cause == AL_CAUSE_BUS,
            "misaligned: ran \"%s\"", rig_log());
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
