/* SPDX-License-Identifier: MIT */
#include "periodic.h"

#include <alula/alula.h>

#include <board.h>
#include <timer/periodic.h>

#include "restarts.h"

#define HZ            1000u
#define PERIOD_COUNTS (BOARD_TIMER_HZ / HZ)
#define COUNT_PS      (1000000000000ull / BOARD_TIMER_HZ)

static struct al_sem released = AL_SEM_INIT(0, 1);

/* Written by the periodic task alone; words, so never read torn. */
static struct {
    uint32_t periods;
    uint32_t missed;
    uint32_t seen;     /* releases up to the last period */
    uint32_t earliest; /* start latency, in counts */
    uint32_t latest;
    bool started; /* the timer; once */
} run = {.earliest = UINT32_MAX};

static void note_latency(uint32_t latency)
{
    if (latency < run.earliest) {
        run.earliest = latency;
    }
    if (latency > run.latest) {
        run.latest = latency;
    }
}

static void periodic_run(void)
{
    if (!run.started) {
        /* After a death the timer still runs, and what it released stays. */
        run.started = true;
        al_periodic_start(&released, PERIOD_COUNTS);
    }
    for (;;) {
        uint32_t latency;
        uint32_t release;
        uint32_t skipped;

        al_sem_take(&released);
        latency = al_periodic_elapsed();
        release = al_periodic_releases();
        skipped = release - run.seen - 1u;
        run.seen = release;
        note_latency(latency);
        run.periods++;
        if (latency >= PERIOD_COUNTS || al_periodic_releases() != release) {
            run.missed++;
        }
        run.missed += skipped;
    }
}

AL_TASK_POLICY(periodic, periodic_run, AL_PRIO_LEVELS - 1, 1024,
        &as_often_as_it_takes);

void periodic_read(struct periodic_stats *stats)
{
    uint32_t spread = run.latest - run.earliest;

    stats->periods = run.periods;
    stats->missed = run.missed;
    stats->jitter_insns = 0;
    if (run.periods > 0) {
        stats->jitter_insns =
                (uint32_t)(spread * COUNT_PS / (BOARD_INSN_NS * 1000ull));
    }
}

void periodic_await(void)
{
    const volatile uint32_t *periods = &run.periods;
    uint32_t before = *periods;

    while (*periods == before) {
    }
}
