/* SPDX-License-Identifier: MIT */
/*
 * Claim: whichever way two tasks change places, each finds its registers as it
 * left them, with floating point and without.
 *   1. called to called: two tasks hand each other a semaphore
 *   2. called to preempted, and back by an interrupt: a task that spins with
 *      known values in every register is left and resumed
 *   3. preempted to preempted: a handler turns the ready ring, as time slicing
 *      would, between two tasks that spin
 *   4. three tasks, one that calls and two that spin, mixed at random
 * In 1 to 4 each task with and without floating-point state, in all mixtures.
 * Fails if: switch.S saves or restores one register less, FPSCR among them, or
 * leaves FPCA set at a switch by call.
 * sources: ../interleave/rig.c
 * builds: gcc-Os-small gcc-O2 clang-O2
 */
#include "../interleave/rig.h"

#include "test.h"

#define ROUNDS 200

static struct al_sem go_a = AL_SEM_INIT(0, 1);
static struct al_sem go_b = AL_SEM_INIT(0, 1);
static struct al_sem go_c = AL_SEM_INIT(0, 1);
static struct al_sem judge_go = AL_SEM_INIT(0, 10);
static struct al_sem ping = AL_SEM_INIT(0, 1);
static struct al_sem pong = AL_SEM_INIT(0, 1);

static struct {
    volatile uint32_t fpu_a, fpu_b;
    volatile uint32_t phase;
    volatile uint32_t stop;  /* ends the spinning */
    volatile uint32_t wrong; /* registers that changed, summed */
    volatile uint32_t turns; /* of the ring, by the handler */
    volatile uint32_t wakes;
    uint32_t random;
} run;

static uint32_t random_next(void)
{
    run.random = run.random * 1664525u + 1013904223u;
    return run.random >> 16;
}

static void give_ping_take_pong(void)
{
    al_sem_give(&ping);
    al_sem_take(&pong);
}

static void take_ping_give_pong(void)
{
    al_sem_take(&ping);
    al_sem_give(&pong);
}

/* A task of the middle priority; both run the same phases. */
static void worker(struct al_sem *go, bool is_a)
{
    for (uint32_t seed = is_a ? 100 : 57;; seed += 3) {
        uint32_t fpu;

        al_sem_take(go);
        fpu = is_a ? run.fpu_a : run.fpu_b;
        if (run.phase == 1) {
            for (unsigned i = 0; i < ROUNDS; i++) {
                run.wrong += rig_guard(
                        is_a ? give_ping_take_pong : take_ping_give_pong,
                        seed + i, fpu);
            }
        } else {
            run.wrong += rig_spin(&run.stop, seed, fpu);
        }
        al_sem_give(&judge_go);
    }
}

static void a_main(void)
{
    worker(&go_a, true);
}

AL_TASK(a, a_main, 5, 1024);

static void b_main(void)
{
    worker(&go_b, false);
}

AL_TASK(b, b_main, 5, 1024);

static struct al_sem wake = AL_SEM_INIT(0, 100);

static void take_wake(void)
{
    al_sem_take(&wake);
}

/* The more urgent one that calls; comes by interrupt. */
static void c_main(void)
{
    al_sem_take(&go_c);
    for (uint32_t seed = 31;; seed++) {
        run.wrong += rig_guard(take_wake, seed, seed & 1);
        run.wakes++;
    }
}

AL_TASK(c, c_main, 9, 1024);

/* A handler's own floating point: the thread's state must be saved for it. */
static void disturb_fpu(void)
{
    __asm__ volatile("vmov.f32 s0, #1.0\n\tvmov.f32 s15, #2.0" ::
                             : "s0", "s15", "memory");
}

static void turn_ring(unsigned n, const struct rig_hit *hit)
{
    struct al_task *self = al_core.current;

    (void)n;
    run.turns++;
    if (run.phase >= 3 && !hit->locked && self->prio == 5) {
        /* The kernel has no time slicing: this stands in for it. */
        al_core.ready[AL_PRIO_LEVELS - 1 - 5] = self->next;
        rig_pend_switch();
    }
    if (run.phase == 2 || (run.phase == 4 && run.turns % 3 == 0)) {
        if (run.turns % 2 == 0) {
            disturb_fpu();
        }
        (void)al_irq_sem_give(&wake);
    }
    if (run.turns < ROUNDS) {
        rig_arm(0, 150 + random_next() % 400, turn_ring);
        return;
    }
    run.stop = 1;
}

static const char *phases[] = {"called to called", "called to preempted",
        "preempted to preempted", "three mixed"};

static void one_run(unsigned phase, unsigned mixture)
{
    const char *wrong;
    uint32_t wakes = run.wakes;

    run.phase = phase;
    run.fpu_a = mixture & 1;
    run.fpu_b = mixture >> 1;
    run.stop = 0;
    run.wrong = 0;
    run.turns = 0;
    al_sem_give(&go_a);
    al_sem_give(&go_b);
    if (phase > 1) {
        rig_arm(0, 2000, turn_ring);
    }
    al_sem_take(&judge_go);
    al_sem_take(&judge_go);
    CHECK(run.wrong == 0, "%s, mixture %u: every register", phases[phase - 1],
            mixture);
    wrong = rig_check();
    CHECK(wrong == NULL, "%s, mixture %u: kernel: %s", phases[phase - 1],
            mixture, wrong != NULL ? wrong : "right");
    if (phase == 2) {
        CHECK(run.wakes - wakes == ROUNDS, "mixture %u: every wake-up arrived",
                mixture);
    }
    if (phase > 1) {
        CHECK(run.turns == ROUNDS, "%s, mixture %u: all interrupts came",
                phases[phase - 1], mixture);
    }
}

static void judge_main(void)
{
    rig_start();
    run.random = 1;
    al_sem_give(&go_c);
    for (unsigned phase = 1; phase <= 4; phase++) {
        for (unsigned mixture = 0; mixture < 4; mixture++) {
            one_run(phase, mixture);
        }
    }
    test_done();
}

AL_TASK(judge, judge_main, 7, 2048);
