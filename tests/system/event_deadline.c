/* SPDX-License-Identifier: MIT */
/*
 * Claim: where bits and a deadline come at one time, bits that were set before
 * the deadline was dealt with are delivered, to the most urgent waiter; and a
 * wait that ends late has consumed nothing.
 *   1. deadlines that lie in the past, at the tick, one after it
 *   2. a set and the tick, by handlers in one lock hold, both orders: satisfied
 *   3. the same, and a more urgent task waits for the bits, for some of them,
 *      or for more: it is first, the late one gets what is left, or nothing
 *   4. two that are late at once, and one bit
 *   5. a late one is told after destroy, and once
 *   6. a look that posts interrupt goes on: five waiters, bits that come while
 *      it is under way, and deadlines; nothing is overlooked
 * Fails if: a late waiter takes bits out of turn, is forgotten by the look, or a
 * look that goes on does not see bits that came since.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/workers.c
 */
#include "../interleave/rig.h"
#include "../support/workers.h"

#include "test.h"

static struct al_event event = AL_EVENT_INIT;

static void wait_job(struct worker *worker)
{
    worker->got = 0xdead;
    worker->status = al_event_wait(
            &event, worker->mask, worker->mode, worker->deadline, &worker->got);
}

static void begin(char letter, uint32_t mask, uint32_t mode, al_time deadline)
{
    struct worker *worker = worker_of(letter);

    worker->mask = mask;
    worker->mode = mode;
    worker->deadline = deadline;
    worker_begin(letter, wait_job);
    workers_give_way();
}

static bool ended(char letter, al_status status, uint32_t got)
{
    const struct worker *worker = worker_of(letter);

    return !worker->busy && worker->status == status && worker->got == got;
}

static uint32_t to_set;

static void set(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_event_set(&event, to_set);
}

/* In one hold of the lock: a set and a tick. */
static void together(uint32_t bits, bool tick_first)
{
    to_set = bits;
    *(volatile uint32_t *)&al_core.locked = 1;
    if (tick_first) {
        rig_pend_tick();
    }
    rig_pend(0, set);
    if (!tick_first) {
        rig_pend_tick();
    }
    *(volatile uint32_t *)&al_core.locked = 0;
    rig_pend_switch();
}

static void alone(void)
{
    begin('a', 1, AL_EVENT_ANY, al_now());
    CHECK(ended('a', AL_E_TIMEOUT, 0), "now is the past");
    begin('a', 1, AL_EVENT_ANY, al_in(2));
    rig_pend_tick();
    CHECK(workers_busy() == 1, "one tick before");
    rig_pend_tick();
    CHECK(ended('a', AL_E_TIMEOUT, 0), "the tick");
    begin('a', 3, AL_EVENT_ALL, al_in(1));
    al_event_set(&event, 1);
    rig_pend_tick();
    CHECK(ended('a', AL_E_TIMEOUT, 0) && al_event_clear(&event, 1) == 1,
            "a part is not consumed");
    begin('a', 1, AL_EVENT_ANY, al_in(1));
    al_event_set(&event, 1);
    rig_pend_tick();
    CHECK(ended('a', AL_OK, 1), "the set, then the tick");
    begin('a', 1, AL_EVENT_ANY, al_in(1));
    rig_pend_tick();
    al_event_set(&event, 1);
    CHECK(ended('a', AL_E_TIMEOUT, 0) && al_event_clear(&event, 1) == 1,
            "the tick, then the set");
}

static void races(bool tick_first)
{
    begin('a', 3, AL_EVENT_ANY, al_in(1));
    together(2, tick_first);
    CHECK(ended('a', AL_OK, 2) && al_event_get(&event) == 0,
            "tick first %d: satisfied", tick_first);
    begin('a', 3, AL_EVENT_ANY, al_in(1));
    begin('d', 3, AL_EVENT_ANY, AL_FOREVER);
    together(3, tick_first);
    CHECK(ended('a', AL_E_TIMEOUT, 0) && ended('d', AL_OK, 3) &&
                    al_event_get(&event) == 0,
            "tick first %d: all for the more urgent one", tick_first);
    begin('a', 3, AL_EVENT_ANY, al_in(1));
    begin('d', 1, AL_EVENT_ANY, AL_FOREVER);
    together(3, tick_first);
    CHECK(ended('a', AL_OK, 2) && ended('d', AL_OK, 1),
            "tick first %d: the rest", tick_first);
    begin('a', 3, AL_EVENT_ALL, al_in(1));
    begin('d', 7, AL_EVENT_ALL, AL_FOREVER);
    together(3, tick_first);
    CHECK(ended('a', AL_OK, 3) && worker_of('d')->busy,
            "tick first %d: more is not there", tick_first);
    al_event_set(&event, 7);
    begin('a', 3, AL_EVENT_ALL, al_in(1));
    together(1, tick_first);
    CHECK(ended('d', AL_OK, 7) && ended('a', AL_E_TIMEOUT, 0) &&
                    al_event_clear(&event, ~0u) == 1,
            "tick first %d: a part, and late", tick_first);
    begin('a', 1, AL_EVENT_ANY, al_in(1));
    begin('c', 1, AL_EVENT_ANY, al_in(1));
    together(1, tick_first);
    CHECK(ended('a', AL_OK, 1) && ended('c', AL_E_TIMEOUT, 0),
            "tick first %d: two are late, one bit", tick_first);
    begin('a', 1, AL_EVENT_ANY | AL_EVENT_KEEP, al_in(1));
    begin('c', 1, AL_EVENT_ANY, al_in(1));
    together(1, tick_first);
    CHECK(ended('a', AL_OK, 1) && ended('c', AL_OK, 1) && workers_busy() == 0,
            "tick first %d: two are late, the first keeps", tick_first);
}

/* ---- a look that is interrupted ---- */

static struct {
    uint32_t bits[8]; /* what the n-th handler sets; 0: a tick */
    unsigned at;
} later;

static void set_later(unsigned n, const struct rig_hit *hit)
{
    uint32_t bits = later.bits[later.at];

    (void)n;
    (void)hit;
    later.at++;
    if (bits == 0) {
        rig_pend_tick();
    } else {
        (void)al_irq_event_set(&event, bits);
    }
}

/* b and f look for a bit each, a, c, and e for one that comes while the look
 * is at its `delay`th step; d, the first, for the one that comes last. */
static bool interrupted(uint32_t delay, bool tick)
{
    bool right;

    begin('d', 0x80, AL_EVENT_ANY, AL_FOREVER);
    begin('b', 0x40, AL_EVENT_ANY, AL_FOREVER);
    begin('f', 0x06, AL_EVENT_ALL, AL_FOREVER);
    begin('a', 0x20, AL_EVENT_ANY, tick ? al_in(1) : AL_FOREVER);
    begin('c', 0x10, AL_EVENT_ANY, AL_FOREVER);
    begin('e', 0x01, AL_EVENT_ANY, AL_FOREVER);
    later.at = 0;
    later.bits[0] = tick ? 0 : 0xa0;
    rig_arm(0, delay, set_later);
    al_event_set(&event, 0x11);
    rig_disarm(0);
    if (later.at == 0) {
        rig_pend(0, set_later);
    }
    right = ended('c', AL_OK, 0x10) && ended('e', AL_OK, 1) &&
            (tick ? ended('a', AL_E_TIMEOUT, 0) && workers_busy() == 3
                  : ended('a', AL_OK, 0x20) && ended('d', AL_OK, 0x80) &&
                                    workers_busy() == 2) &&
            rig_check() == NULL && event.next == NULL &&
            al_event_get(&event) == 0;
    al_event_set(&event, 0xc6);
    right = right && workers_busy() == 0;
    (void)al_event_clear(&event, ~0u);
    return right;
}

static void looks(bool tick)
{
    uint32_t wrong = 0;

    for (uint32_t delay = 0; delay < 600; delay++) {
        if (!interrupted(delay, tick)) {
            test_note("delay %u", (unsigned)delay);
            wrong++;
            break;
        }
    }
    CHECK(wrong == 0, "a look, interrupted by %s: nothing is overlooked",
            tick ? "a tick" : "a set");
}

static void judge_main(void)
{
    const char *wrong;

    rig_start();
    alone();
    races(false);
    races(true);
    looks(false);
    looks(true);
    begin('a', 1, AL_EVENT_ANY, al_in(1));
    al_event_destroy(&event);
    rig_pend_tick();
    CHECK(ended('a', AL_E_DESTROYED, 0), "destroyed, then the tick");
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, WORKERS_JUDGE_PRIO, 2560);
