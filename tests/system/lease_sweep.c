/* SPDX-License-Identifier: MIT */
/*
 * Claim: a lease that a handler ends at any instruction ends once: the handler is
 * told that it is done, or stop() is called, and never both.
 *   1. a handler says so at each instruction of a block that lends, of its end,
 *      and of a death in it
 *   2. after each: one of the two, or the handler came when it was not lent;
 *      what the handler then wrote to was lent
 * Fails if: state and holder are changed in another order.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O2
 * sources: ../interleave/rig.c ../support/recover.c
 */
#include "../interleave/rig.h"

#include "../support/recover.h"

#include "test.h"

static struct al_lease lease;
static volatile uint32_t stops;
static volatile uint32_t dones;
static volatile bool fired;
static volatile bool mine;
static const char *volatile wrong;

static void stop(void *arg)
{
    (void)arg;
    stops++;
    mine = true;
}

static void finish(unsigned n, const struct rig_hit *hit)
{
    void *buffer = al_irq_raw_lease_buffer(&lease);

    (void)n;
    (void)hit;
    fired = true;
    if (buffer != NULL && mine) {
        wrong = "a buffer that is not lent";
    }
    if (al_irq_raw_lease_done(&lease) == AL_OK) {
        dones++;
        if (mine || buffer == NULL) {
            wrong = "done, but not lent";
        }
    }
}

static void lend(void)
{
    char line[8];
    al_status status;

    {
        AL_LEASE_SCOPED(&lease, status, line, sizeof(line), stop, NULL);
        if (status != AL_OK) {
            wrong = "it was lent";
        }
    }
    mine = true;
}

static void lend_and_die(void)
{
    char line[8];
    al_status status;

    AL_LEASE_SCOPED(&lease, status, line, sizeof(line), stop, NULL);
    (void)status;
    al_panic("lent");
}

static const char *round_of(void (*body)(void), uint32_t delay)
{
    stops = 0;
    dones = 0;
    mine = false;
    fired = false;
    wrong = NULL;
    rig_arm(0, delay, finish);
    (void)rig_run(body);
    rig_disarm(0);
    if (wrong != NULL) {
        return wrong;
    }
    if (stops + dones != 1) {
        return "neither, or both";
    }
    return lease.hold == NULL && lease.state == AL_LEASE_IDLE ? NULL
                                                              : "not idle";
}

static void sweep(const char *name, void (*body)(void))
{
    const char *bad = NULL;
    uint32_t delay = 0;
    uint32_t hits = 0;

    do {
        delay++;
        bad = round_of(body, delay);
        hits += dones;
    } while (bad == NULL && fired && delay < 20000);
    CHECK(bad == NULL, "%s, up to %d: %s", name, (int)delay,
            bad == NULL ? "right" : bad);
    CHECK(hits > 10 && delay > 100 && !fired, "%s: %d times done", name,
            (int)hits);
}

static void judge_main(void)
{
    rig_start();
    sweep("its end", lend);
    sweep("a death", lend_and_die);
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 1, 2048);
