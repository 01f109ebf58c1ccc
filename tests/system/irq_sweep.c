/* SPDX-License-Identifier: MIT */
/*
 * Claim: an interrupt at any instruction of any kernel operation, whatever its
 * handler does, leaves the kernel whole, and what it woke has run before the
 * interrupted task's next own instruction.
 *   1. each operation (tests/interleave/scenarios.c) once without interrupt:
 *      its instructions are counted
 *   2. a timer interrupts after 0, 1, 2, ... instructions, until the operation
 *      has ended before; the handler does nothing, gives to one semaphore or to
 *      two, gives as raw handlers do, asks for a switch, ticks, uses the operation's own object, or all
 *      of it
 *   3. after each: every ring, queue, tree, stack pointer and register, every
 *      wake-up there, in the order in which it was given
 *   4. the distinct places that were hit are as many as instructions counted
 *   5. without floating-point state in any task, and with it in all
 * Fails if: the inbox is not looked at after the lock is let go, a post's flag
 * is cleared after it is delivered, a context is saved with one register less.
 * sources: ../interleave/rig.c ../interleave/scenarios.c
 * timeout: 300
 */
#include "../interleave/scenarios.h"

#include "test.h"

/*
 * Instructions from the give in a handler to the task's next own one; without
 * floating-point state, and with it, which every switch and handler on the way
 * saves and restores. The longest is one that comes at the first instruction of
 * the tick's handler: what is due at that tick and may wake as urgent a task
 * (a software timer, any) is dealt with before the switch.
 */
#ifndef LONGEST
#  define LONGEST     900
#  define LONGEST_FPU 1100
#endif

static const struct {
    const char *name;
    rig_action action;
} acts[] = {
        {"nothing", act_none},
        {"give", act_give},
        {"give two", act_give_two},
        {"raw give", act_raw_give},
        {"switch", act_switch},
        {"tick", act_tick},
        {"object", act_object},
        {"all", act_all},
};

static rig_action action;
static uint32_t delay;

static void arm(void)
{
    rig_arm(0, delay, action);
}

static void arm_nothing(void)
{
    rig_arm(0, 1000000, act_none);
}

/* Counts that arming and reading the time take up. */
static uint32_t overhead;

static const char *sweep(const struct scenario *s, unsigned a, uint32_t *places)
{
    uint32_t pc = 0;

    action = acts[a].action;
    inj.timed = action == act_give;
    *places = 0;
    for (delay = 0;; delay++) {
        const char *wrong = scenario_round(s, delay, arm);

        if (wrong != NULL) {
            test_note("%s, %s, delay %u, pc %x: %s", s->name, acts[a].name,
                    (unsigned)delay, (unsigned)inj.pc, wrong);
            return wrong;
        }
        if (inj.fired == 0) {
            return NULL;
        }
        if (action == act_give_two && inj.order != 0x21) {
            test_note("delay %u, pc %x, order %x", (unsigned)delay,
                    (unsigned)inj.pc, (unsigned)inj.order);
            return "two wake-ups, not in their order";
        }
        if (inj.pc != pc) {
            (*places)++;
            pc = inj.pc;
        }
    }
}

static void sweep_all(const struct scenario *s)
{
    const char *wrong = scenario_round(s, 1, arm_nothing);
    uint32_t insns;
    uint32_t fewest = ~0u;
    unsigned fpu = inj.fpu;

    /* Again: a task's first death opens its window of restarts, and is longer. */
    if (wrong == NULL) {
        wrong = scenario_round(s, 1, arm_nothing);
    }
    insns = scenario_insns;

    CHECK(wrong == NULL, "%s, fpu %u, not interrupted: %s", s->name, fpu,
            wrong != NULL ? wrong : "right");
    for (unsigned a = 0; wrong == NULL && a < sizeof(acts) / sizeof(acts[0]);
            a++) {
        uint32_t places = 0;

        wrong = sweep(s, a, &places);
        CHECK(wrong == NULL, "%s, fpu %u, %s: %s", s->name, fpu, acts[a].name,
                wrong != NULL ? wrong : "right");
        if (places < fewest) {
            fewest = places;
        }
    }
    if (wrong != NULL) {
        test_done(); /* the helpers are not where the next one needs them */
    }
    if (s == scenarios) {
        overhead = insns - fewest;
    }
    /* Two: what the division of the clock's counts loses. */
    CHECK(fewest + 2 >= insns - overhead,
            "%s, fpu %u: %u places of %u instructions", s->name, fpu,
            (unsigned)fewest, (unsigned)(insns - overhead));
}

static void op_main(void)
{
    scenarios_start();
    for (inj.fpu = 0; inj.fpu < 2; inj.fpu++) {
        for (unsigned i = 0; i < scenario_count; i++) {
            sweep_all(&scenarios[i]);
        }
        CHECK(inj.longest < (inj.fpu != 0 ? LONGEST_FPU : LONGEST),
                "from handler to task, fpu %u: %u instructions (%s, pc %x)",
                (unsigned)inj.fpu, (unsigned)inj.longest, inj.longest_in->name,
                (unsigned)inj.longest_pc);
        inj.longest = 0;
    }
    CHECK(inj.slept > 1000, "ticks woke the sleeper %u times",
            (unsigned)inj.slept);
    test_done();
}

AL_TASK(op, op_main, 10, 2048);

RIG_WATCH();
