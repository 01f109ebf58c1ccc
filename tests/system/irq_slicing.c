/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that is interrupted again and again at one instruction of its
 * resumption, and so makes no progress, uses no more stack for it.
 *   1. two tasks of one priority, which spin with known registers or yield to
 *      each other; a handler turns their ring, as time slicing would, and arms
 *      its timer again to come after 0, 1, 2, ... instructions
 *   2. at each distance FEW times, then MANY; then the timer is left alone
 *   3. the same with a handler that wakes a more urgent task each time
 *   4. with MANY no stack pointer goes a context lower than with FEW; then every
 *      register is right, and the kernel whole
 * Fails if: PendSV saves a context that is being resumed, or its test of the
 * restart window is an instruction too narrow.
 * sources: ../interleave/rig.c
 * timeout: 300
 */
#include "../interleave/rig.h"

#include "test.h"

#define FEW    100u
#define MANY   400u
#define DELAYS 260u /* steps: past the switch and the window after it */

static struct al_sem go = AL_SEM_INIT(0, 2);
static struct al_sem done = AL_SEM_INIT(0, 2);
static struct al_sem wake = AL_SEM_INIT(0, 1000000);

static struct {
    uint32_t delay;
    uint32_t mode; /* bit 0: the handler wakes, else it turns; 1: yield */
    uint32_t fpu;
    volatile uint32_t stop;
    volatile uint32_t wrong;
    volatile uint32_t left;
    volatile uint32_t wakes, given;
    uint32_t base[2]; /* where each worker's stack pointer stands */
    uint32_t deepest[2];
} run;

static void yield_until_stop(void)
{
    while (!run.stop) {
        al_yield();
    }
}

static void worker(unsigned n)
{
    for (uint32_t seed = 40 + n;; seed++) {
        al_sem_take(&go);
        run.base[n] = (uint32_t)__builtin_frame_address(0);
        if ((run.mode & 2) != 0) {
            run.wrong |= rig_guard(yield_until_stop, seed, run.fpu);
        } else {
            run.wrong |= rig_spin(&run.stop, seed, run.fpu);
        }
        al_sem_give(&done);
    }
}

static void a_main(void)
{
    worker(0);
}

AL_TASK(a, a_main, 5, 1024);

static void b_main(void)
{
    worker(1);
}

AL_TASK(b, b_main, 5, 1024);

static void take_wake(void)
{
    al_sem_take(&wake);
}

static void hi_main(void)
{
    for (uint32_t seed = 90;; seed++) {
        run.wrong |= rig_guard(take_wake, seed, run.fpu);
        run.wakes++;
    }
}

AL_TASK(hi, hi_main, 9, 1024);

/* In the middle of a switch the stack is not yet the current task's. */
static void note_depth(const struct al_task *task, unsigned n, uint32_t psp)
{
    if (psp >= task->stack_low && psp < task->stack_high &&
            run.base[n] - psp > run.deepest[n]) {
        run.deepest[n] = run.base[n] - psp;
    }
}

static void slice(unsigned n, const struct rig_hit *hit)
{
    struct al_task *self = al_core.current;

    (void)n;
    note_depth(&a, 0, hit->psp);
    note_depth(&b, 1, hit->psp);
    if (run.left == 0) {
        run.stop = 1;
        return;
    }
    run.left--;
    if ((run.mode & 1) != 0) {
        run.given++;
        (void)al_irq_sem_give(&wake);
    } else if (!hit->locked && self->prio == 5) {
        al_core.ready[AL_PRIO_LEVELS - 1 - 5] = self->next;
        rig_pend_switch();
    }
    rig_arm(0, run.delay, slice);
}

static void one_delay(uint32_t repeats)
{
    run.stop = 0;
    run.left = repeats;
    al_sem_give(&go);
    al_sem_give(&go);
    rig_arm(0, 2000 + 11 * run.delay, slice); /* in either task */
    al_sem_take(&done);
    al_sem_take(&done);
}

static const char *all_delays(uint32_t repeats)
{
    const char *wrong = NULL;

    run.deepest[0] = 0;
    run.deepest[1] = 0;
    for (run.delay = 0; run.delay < DELAYS && wrong == NULL; run.delay++) {
        one_delay(repeats);
        wrong = rig_check();
    }
    return wrong;
}

/* A few slices need not meet the deepest place, so one context more is no
 * growth; what grows does so at each slice, by 40 bytes at least. */
#define ONE_CONTEXT 216u

static void one_mode(void)
{
    const char *wrong = all_delays(FEW);
    uint32_t few[2] = {run.deepest[0], run.deepest[1]};
    unsigned fpu = run.fpu;
    unsigned mode = run.mode;

    if (wrong == NULL) {
        wrong = all_delays(MANY);
    }
    CHECK(wrong == NULL, "mode %u, fpu %u: kernel: %s", mode, fpu,
            wrong != NULL ? wrong : "right");
    CHECK(run.wrong == 0, "mode %u, fpu %u: every register", mode, fpu);
    CHECK(run.wakes == run.given, "mode %u, fpu %u: every wake-up", mode, fpu);
    for (unsigned n = 0; n < 2; n++) {
        CHECK(few[n] > 100 && run.deepest[n] <= few[n] + ONE_CONTEXT,
                "mode %u, fpu %u, task %u: %u bytes deep, after fewer times %u",
                mode, fpu, n, (unsigned)run.deepest[n], (unsigned)few[n]);
    }
}

static void judge_main(void)
{
    rig_start();
    for (run.fpu = 0; run.fpu < 2; run.fpu++) {
        for (run.mode = 0; run.mode < 4; run.mode++) {
            one_mode();
        }
    }
    test_done();
}

AL_TASK(judge, judge_main, 7, 2048);

RIG_WATCH();
