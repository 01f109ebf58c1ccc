/* SPDX-License-Identifier: MIT */
/*
 * Times are from when the command had said what it will do to when its task was
 * at its entry again: what the command did before it died is in them, and the
 * interrupts and more urgent tasks that came meanwhile are, too. Instructions are the
 * emulator's time: on silicon they are those that would take as long.
 *
 * Written by the command task while it runs a command, read by the reader when
 * none runs.
 */
#include "outcome.h"

#include <alula/alula.h>

#include <board.h>
#include <chip.h>

#include "periodic.h"
#include "port.h"

#define COUNT_PS (1000000000000ull / BOARD_COUNTER_HZ)
#define SHORT_MS 10u /* above, instructions say less than milliseconds */

static struct {
    bool begun; /* any, since the last line */
    bool running;
    bool died;
    uint32_t crashes; /* records when it began */
    uint32_t missed;  /* deadlines then */
    uint32_t counter; /* at the begin, then the difference */
    al_time ms;       /* likewise */
} outcome;

uint32_t outcome_counter(void)
{
    return CHIP_COUNTER;
}

uint32_t outcome_insns(uint32_t counts)
{
    return (uint32_t)(counts * COUNT_PS / (BOARD_INSN_NS * 1000ull));
}

static uint32_t missed(void)
{
    struct periodic_stats stats;

    periodic_read(&stats);
    return stats.missed;
}

void outcome_begin(void)
{
    outcome.crashes = al_crash_count();
    outcome.missed = missed();
    outcome.died = false;
    outcome.running = true;
    outcome.begun = true;
    outcome_mark();
}

void outcome_mark(void)
{
    outcome.ms = al_now();
    outcome.counter = outcome_counter();
}

void outcome_end(void)
{
    outcome.running = false;
}

void outcome_start(void)
{
    outcome.counter = outcome_counter() - outcome.counter;
    outcome.ms = al_now() - outcome.ms;
    outcome.died = outcome.running;
    outcome.running = false;
}

void outcome_tell(void)
{
    uint32_t late = missed() - outcome.missed;

    if (!outcome.begun || al_crash_count() == outcome.crashes) {
        return;
    }
    outcome.begun = false;
    if (!outcome.died) {
        say("command was not touched");
    } else if (outcome.ms < SHORT_MS) {
        say("command started again %u instructions after it began that",
                (unsigned)outcome_insns(outcome.counter));
    } else {
        say("command started again %u ms after it began that",
                (unsigned)outcome.ms);
    }
    if (late == 0) {
        say("; no deadline missed\n");
    } else {
        say("; %u deadlines missed\n", (unsigned)late);
    }
}
