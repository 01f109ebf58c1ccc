/* SPDX-License-Identifier: MIT */
/*
 * Claim: a fault inside an IT block, or inside a load of several registers,
 * leaves nothing of its block in what runs next: recovery's first
 * instructions are not skipped.
 *
 *  1. the victim faults at the first, second and third instruction of an IT
 *     block whose remaining instructions would be skipped
 *  2. it faults in the middle of an LDM that runs off the end of memory
 *  3. each time: one death of the right cause, its scopes undone; the record
 *     shows that the processor did stack the IT bits
 *
 * Fails if: the frame that leads into recovery keeps the IT or ICI bits.
 * boards: stm32f405 mps2-an386 mps2-an385; builds: gcc-Os-small gcc-O2
 * sources: ../support/recover.c
 */
#include "recover.h"

#define IT_BITS 0x0600fc00u

extern char __al_ram_high[];

/* Faults at the load; what is left of the block waits for the other condition,
 * up to three instructions. */
static void first_of_four(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("cmp %0, %0\n\titeee eq\n\tldreq r1, [%0]\n\t"
                     "movne r1, #1\n\tmovne r2, #1\n\tmovne r3, #1"
                     :
                     : "r"(RIG_NOWHERE)
                     : "r1", "r2", "r3", "cc", "memory");
}

static void second_of_four(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("cmp %0, %0\n\tittee eq\n\tmoveq r1, #1\n\t"
                     "ldreq r1, [%0]\n\tmovne r2, #1\n\tmovne r3, #1"
                     :
                     : "r"(RIG_NOWHERE)
                     : "r1", "r2", "r3", "cc", "memory");
}

static void third_of_four(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("cmp %0, %0\n\tittte eq\n\tmoveq r1, #1\n\t"
                     "moveq r2, #1\n\tstreq r1, [%0]\n\tmovne r3, #1"
                     :
                     : "r"(RIG_NOWHERE)
                     : "r1", "r2", "r3", "cc", "memory");
}

/* A division, an undefined instruction, a trap of a stack check: the other
 * handlers. */
static void undefined_in_block(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("cmp r0, r0\n\titee eq\n\t.inst.n 0xde00\n\t"
                     "movne r2, #1\n\tmovne r3, #1" ::
                             : "r2", "r3", "cc", "memory");
}

static void many_registers(void)
{
    uint32_t *end = (uint32_t *)(uintptr_t)0x30000000u;

    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("ldmdb %0, {r1, r2, r3, r4}" ::"r"(end)
                     : "r1", "r2", "r3", "r4", "memory");
}

static void many_registers_in_block(void)
{
    AL_DEFER(rig_mark, RIG_MARK('a'));
    __asm__ volatile("cmp %0, %0\n\titee eq\n\tldmeq %0, {r1, r2, r3}\n\t"
                     "movne r2, #1\n\tmovne r3, #1" ::"r"(RIG_NOWHERE)
                     : "r1", "r2", "r3", "cc", "memory");
}

static void one(
        const char *name, void (*body)(void), uint32_t cause, bool in_block)
{
    CHECK(rig_run(body) == 1 && rig_record.cause == cause, "%s: cause %d", name,
            (int)rig_record.cause);
    CHECK(rig_log_is("a") && rig_record.nested == 0, "%s: ran \"%s\"", name,
            rig_log());
    CHECK(((rig_record.psr & IT_BITS) != 0) == in_block, "%s: psr %x", name,
            (unsigned)rig_record.psr);
    CHECK(rig_within(rig_record.pc, (const void *)body), "%s: pc", name);
}

static void judge_main(void)
{
    for (int i = 0; i < 2; i++) {
        one("first of four", first_of_four, AL_CAUSE_BUS, true);
        one("second of four", second_of_four, AL_CAUSE_BUS, true);
        one("third of four", third_of_four, AL_CAUSE_BUS, true);
        one("undefined", undefined_in_block, AL_CAUSE_UNDEF, true);
        one("many registers", many_registers, AL_CAUSE_BUS, false);
        one("many registers in a block", many_registers_in_block, AL_CAUSE_BUS,
                true);
    }
    test_done();
}

AL_TASK(judge, judge_main, 4, 2048);
