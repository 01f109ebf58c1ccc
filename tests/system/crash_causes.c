/* SPDX-License-Identifier: MIT */
/*
 * Claim: a crash record says what happened: cause, place, fault status and
 * address, how the task got there, and what it left behind.
 *
 * For each cause, three calls deep with a scope in each frame:
 *  1. cause and status bits are right, and of this fault only: nothing sticks
 *     from the one before; the processor's own status registers are clear
 *  2. pc is in the function that did it; the backtrace names the callers in
 *     their order, down to where the task began
 *  3. three scopes undone; heap_left is what a plain allocation left
 *  4. name, generation, tick, sequence and build id are right; of an address,
 *     a frame, an index the details tell
 *
 * Fails if: CFSR is not cleared, the walk starts at the wrong place, or a step
 * of it is wrong.
 * builds: gcc-Os-small gcc-Og gcc-O2 gcc-Os clang-O2
 * boards: stm32f405 mps2-an386 mps2-an385
 * sources: ../support/recover.c ../support/causes.c
 * flags: -fsanitize=bounds -fno-sanitize-recover=all
 * recovers: overflow vla null access bus undef div0 align oob assert panic caller
 *     fault | running |
 *     one record: cause, place, fault status and address, backtrace |
 *     panic_to_restart unwind_frame unwind_scope
 */
#include "causes.h"

#define NOINLINE __attribute__((noinline))

#define CFSR (*(volatile uint32_t *)0xe000ed28u)
#define HFSR (*(volatile uint32_t *)0xe000ed2cu)

static void (*volatile die)(void);
static void *left;

static NOINLINE void inner(void)
{
    AL_DEFER(rig_mark, RIG_MARK('c'));
    die();
}

static NOINLINE void middle(void)
{
    AL_DEFER(rig_mark, RIG_MARK('b'));
    inner();
}

static NOINLINE void outer(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    left = al_heap_alloc(104);
    middle();
}

static bool is_in(uint32_t pc, const void *fn)
{
    const void *const others[] = {(const void *)inner, (const void *)middle,
            (const void *)outer, (const void *)die};

    for (uint32_t i = 0; i < 4; i++) {
        if ((uintptr_t)others[i] > (uintptr_t)fn && rig_within(pc, others[i])) {
            return false; /* a function that begins later, and nearer */
        }
    }
    return rig_within(pc, fn);
}

/* Does `fn` stand at this place of the backtrace? */
static bool is_at(uint32_t place, const void *fn)
{
    /* Return addresses may lie behind a function's end. */
    return is_in((rig_record.pcs[place] & ~1u) - (place > 0 ? 2 : 0), fn);
}

/* Where in the backtrace `fn` stands; -1: nowhere. */
static int at(const void *fn)
{
    for (uint32_t i = 0; i < rig_record.pc_count && i < AL_CRASH_NEWEST; i++) {
        if (is_at(i, fn)) {
            return (int)i;
        }
    }
    return -1;
}

static bool same_text(const char *a, const char *b, uint32_t n)
{
    for (uint32_t i = 0; i < n && (*a != '\0' || *b != '\0'); i++) {
        if (*a++ != *b++) {
            return false;
        }
    }
    return true;
}

static const struct cause *called(const char *name)
{
    for (uint32_t i = 0; i < causes_count; i++) {
        if (same_text(causes[i].name, name, 12)) {
            return &causes[i];
        }
    }
    return &causes[0];
}

extern char __al_build_id[];

static void one(const struct cause *cause)
{
    const uint32_t *build_id = (const uint32_t *)(void *)__al_build_id + 4;

    al_sleep(1); /* a tick that met a smashed sp would be the fault itself */

    uint32_t starts = rig_starts;
    uint32_t count = al_crash_count();
    al_time before = al_now();
    bool walked = cause->cause != AL_CAUSE_STACK;
    int places[3];

    die = cause->die;
    CHECK(rig_run(outer) == 1, "%s: died", cause->name);
    CHECK(rig_record.cause == cause->cause, "%s: cause %d", cause->name,
            (int)rig_record.cause);
    CHECK(rig_record.fault_status == cause->fault_status, "%s: status %x",
            cause->name, (unsigned)rig_record.fault_status);
    CHECK(CFSR == 0 && HFSR == 0, "%s: status registers %x %x", cause->name,
            (unsigned)CFSR, (unsigned)HFSR);
    if (cause->frameless) {
        CHECK(is_in(rig_record.pc - (rig_record.pc & 1) * 3,
                      (const void *)cause->die),
                "%s: pc %x, function %x", cause->name, (unsigned)rig_record.pc,
                (unsigned)(uintptr_t)cause->die);
    }
    CHECK(rig_record.pcs[0] == rig_record.pc || rig_record.pc == 0,
            "%s: the backtrace begins at pc", cause->name);
    places[0] = at((const void *)inner);
    places[1] = at((const void *)middle);
    places[2] = at((const void *)outer);
    if (walked && rig_record.cause != AL_CAUSE_OVERFLOW &&
            die != called("jump")->die) {
        CHECK(places[0] > 0 && places[1] == places[0] + 1 &&
                        places[2] == places[1] + 1,
                "%s: callers at %d %d %d", cause->name, places[0], places[1],
                places[2]);
        CHECK(rig_record.pc_count >= (uint32_t)places[2] + 2 &&
                        rig_record.pc_count <= (uint32_t)places[2] + 5,
                "%s: %d places", cause->name, (int)rig_record.pc_count);
    }
    CHECK(rig_log_is("cba") && rig_record.scopes_undone == 3,
            "%s: ran \"%s\", undone %d", cause->name, rig_log(),
            (int)rig_record.scopes_undone);
    CHECK(rig_record.heap_left == 104, "%s: heap left %d", cause->name,
            (int)rig_record.heap_left);
    al_heap_free(left);
    CHECK(same_text(rig_record.task, "rig_victim", 12), "%s: task",
            cause->name);
    CHECK(rig_record.generation == starts && rig_record.tick[1] == 0 &&
                    rig_record.tick[0] >= before &&
                    rig_record.tick[0] <= al_now(),
            "%s: generation %d, tick %d", cause->name,
            (int)rig_record.generation, (int)rig_record.tick[0]);
    CHECK(rig_record.magic == AL_CRASH_MAGIC &&
                    rig_record.version == AL_CRASH_VERSION &&
                    rig_record.sequence == count + 1 &&
                    __builtin_memcmp(rig_record.build_id, build_id, 8) == 0,
            "%s: sequence %d", cause->name, (int)rig_record.sequence);
    CHECK(walked == (rig_record.sp > rig_victim.stack_low &&
                            rig_record.sp <= rig_victim.stack_high),
            "%s: sp %x", cause->name, (unsigned)rig_record.sp);
}

static void details(void)
{
    one(called("bus"));
    CHECK(rig_record.detail[0] == 0x30000000 &&
                    rig_record.fault_address == 0x30000000,
            "bus: address %x", (unsigned)rig_record.detail[0]);
    one(called("null"));
    CHECK(rig_record.detail[0] == 0 && rig_record.fault_address == 0,
            "null: address %x", (unsigned)rig_record.detail[0]);
    one(called("oob"));
    CHECK(rig_record.detail[1] == 11 && al_crash_text(&rig_record) != NULL &&
                    is_at(1, (const void *)called("oob")->die),
            "oob: line %d, index %d, called by %x", (int)rig_record.detail[0],
            (int)rig_record.detail[1], (unsigned)rig_record.pcs[1]);
    one(called("wrong call"));
    CHECK(rig_record.detail[0] == 3 && rig_record.detail[1] == 3 &&
                    is_at(1, (const void *)called("wrong call")->die),
            "wrong call: MUTEX.3 is %d.%d", (int)rig_record.detail[0],
            (int)rig_record.detail[1]);
    one(called("panic"));
    CHECK(same_text(al_crash_text(&rig_record), "test", 5), "panic: text");
    one(called("assert"));
    CHECK(al_crash_text(&rig_record) != NULL, "assert: text");
    one(called("overflow"));
    CHECK(rig_record.detail[0] >= 48 && rig_record.detail[0] <= 120,
            "overflow: frame %d", (int)rig_record.detail[0]);
    one(called("smashed sp"));
    CHECK(rig_record.detail[0] == rig_record.sp && rig_record.sp > 0x2ffffe00 &&
                    rig_record.sp <= 0x30000000,
            "smashed sp: %x", (unsigned)rig_record.detail[0]);
}

static void judge_main(void)
{
    for (int turn = 0; turn < 2; turn++) {
        for (uint32_t i = 0; i < causes_count; i++) {
            one(&causes[turn == 0 ? i : causes_count - 1 - i]);
        }
    }
    details();
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
