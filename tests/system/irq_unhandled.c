/* SPDX-License-Identifier: MIT */
/*
 * Claim: an interrupt without a handler, at any moment, is recorded and its line
 * disabled; nothing else happens.
 *   1. one comes at every instruction of a task that gives, waits and dies, so
 *      also while the kernel lock is held, while recovery writes a record of
 *      its own, and while the switch exception runs
 *   2. each time its record says cause, line, place, and who was interrupted;
 *      the death has its own; the kernel is whole
 *   3. in a handler, and at two levels at once: two records
 *   4. a line that is enabled again is recorded again
 * Fails if: it is disabled only, the place is that of the wrong stack, or the
 * record is written by whoever else writes one.
 * builds: gcc-Os-small gcc-O2 gcc-Os clang-O0 clang-O2
 * sources: ../interleave/rig.c
 * options: AL_CFG_CRASH_RECORDS=4
 * timeout: 120
 * recovers: interrupt | running handler nested lock recovery exception |
 *     its line is disabled; nothing else | -
 */
#include "../interleave/rig.h"

#include "test.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define ISPR(line)   REG(0xe000e200u + (line) / 32 * 4)
#define ISER(line)   REG(0xe000e100u + (line) / 32 * 4)
#define ICPR(line)   REG(0xe000e280u + (line) / 32 * 4)
#define BIT(line)    (1u << (line) % 32)

#define LINE  18u /* neither has a handler */
#define LINE2 19u

static volatile unsigned fired;
static volatile uint32_t place;
static struct al_sem go = AL_SEM_INIT(0, 1);
static struct al_sem gone = AL_SEM_INIT(0, 1);

static void victim_main(void)
{
    static volatile bool died;

    if (died) {
        died = false;
        al_sem_give(&gone);
    }
    al_sem_take(&go);
    died = true;
    al_panic("as it should");
}

static const struct al_restart_policy often = {.budget = 0xffff};

AL_TASK_POLICY(victim, victim_main, 12, 1024, &often);

/* The line is less urgent: it comes right behind this handler. */
static void act(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    fired++;
    place = hit->pc;
    ISPR(LINE) = BIT(LINE);
}

static bool is_record(uint32_t sequence, uint32_t cause)
{
    struct al_crash_record record;

    if (al_crash_read(sequence, &record) != AL_OK || record.cause != cause) {
        return false;
    }
    if (cause != AL_CAUSE_INTERRUPT) {
        return record.task[0] == 'v';
    }
    return record.detail[0] == LINE && record.pc == place &&
           record.pcs[0] == place && record.pc_count == 1 &&
           (record.task[0] == 'v' || record.task[0] == 'j') &&
           al_crash_text(&record) == NULL;
}

static const char *look(uint32_t before)
{
    uint32_t newest = al_crash_count();
    uint32_t death = is_record(newest, AL_CAUSE_PANIC) ? newest : newest - 1;
    uint32_t other = 2 * newest - 1 - death;

    if (newest != before + 2) {
        return "not two records";
    }
    if (!is_record(death, AL_CAUSE_PANIC)) {
        return "the death has no record";
    }
    if (!is_record(other, AL_CAUSE_INTERRUPT)) {
        return "the interrupt has no record";
    }
    if ((ISER(LINE) & BIT(LINE)) != 0) {
        return "the line is not disabled";
    }
    return rig_check();
}

static uint32_t one_round(void)
{
    uint32_t start = rig_time();

    al_sem_give(&go);
    al_sem_take(&gone);
    return rig_elapsed(start, rig_time());
}

static void sweep(void)
{
    const char *wrong = NULL;
    unsigned places = 0;
    uint32_t pc = 0;
    uint32_t insns;

    one_round(); /* a first death opens the window of restarts: longer */
    insns = one_round();
    for (uint32_t delay = 0; wrong == NULL; delay++) {
        uint32_t before = al_crash_count();

        fired = 0;
        al_irq_enable(LINE, AL_PRIO_IRQ(0));
        rig_arm(0, delay, act);
        one_round();
        rig_disarm(0);
        if (fired == 0) {
            break;
        }
        wrong = look(before);
        places += place != pc;
        pc = place;
    }
    CHECK(wrong == NULL, "at any instruction: %s",
            wrong != NULL ? wrong : "right");
    CHECK(places >= insns, "%u places of %u instructions", places,
            (unsigned)insns);
    al_irq_disable(LINE);
}

static void act_nested(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    ISPR(LINE) = BIT(LINE);
    ISPR(LINE2) = BIT(LINE2);
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    fired = (ISER(LINE) & BIT(LINE)) == 0;
}

static void others(void)
{
    struct al_crash_record record = {.cause = 0};
    uint32_t before = al_crash_count();

    fired = 0;
    al_irq_enable(LINE, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1));
    al_irq_enable(LINE2, AL_PRIO_IRQ(AL_IRQ_LEVELS - 2));
    rig_pend(0, act_nested);
    CHECK(al_crash_count() == before + 2 && fired == 1,
            "two in a handler, at once");
    CHECK(al_crash_read(before + 1, &record) == AL_OK &&
                    record.detail[0] == LINE && (record.psr & 0x1ff) > 16,
            "the more urgent one first, in an exception");
    CHECK(al_crash_read(before + 2, &record) == AL_OK &&
                    record.detail[0] == LINE2,
            "then the other");
    ISPR(LINE) = BIT(LINE);
    CHECK(al_crash_count() == before + 2, "a disabled line does not come");
    al_irq_enable(LINE, AL_PRIO_IRQ(0));
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    CHECK(al_crash_count() == before + 3, "it comes when it is enabled again");
    CHECK(al_cause_name(AL_CAUSE_INTERRUPT)[0] == 'i', "the cause has a name");
}

static void judge_main(void)
{
    rig_start();
    sweep();
    others();
    test_done();
}

AL_TASK(judge, judge_main, 10, 2048);
