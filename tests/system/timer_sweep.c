/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handler that starts or stops a software timer, at any instruction of
 * whatever a task or the tick does with the same timer, learns what is true,
 * and the last one decides.
 *   1. operations: started at rest and while it runs; stopped; expired, once and
 *      in a period, with a semaphore and with a callback; read; destroyed
 *   2. a timer interrupts after 0, 1, 2, ... instructions; its handler stops,
 *      starts, or starts and stops the same software timer
 *   3. after each: of two stops one is told AL_OK; a one-shot timer was stopped
 *      or acted, never both, never neither; a start by the handler is never
 *      lost to an expiry; what is_running and read tell is what the next ticks
 *      show; the kernel is whole
 *   4. the same with a second handler that interrupts the first one
 * Fails if: what was asked for is not written again after an interrupt, an
 * expiry does not look whether something was asked for, or a timer is posted
 * before its control says so.
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c
 * timeout: 300
 */
#include "../interleave/rig.h"

#include "test.h"

#define AHEAD 6 /* ticks after which nothing is due any more */

AL_TIMER_SERVICE(service, 12, 1024);

static struct al_sem sem = AL_SEM_INIT(0, 1000);
static volatile unsigned calls;

static void call(void *unused)
{
    (void)unused;
    calls++;
}

static struct al_timer timer;

enum before {
    REST,
    RUNS,   /* due in 3 ticks */
    DUE,    /* at the next tick */
    PERIOD, /* at the next tick, and each third from then */
};

enum what {
    START,
    STOP,
    TICK,
    READ,
    DESTROY,
};

static const struct op {
    const char *name;
    enum before before;
    enum what what;
    bool callback;
} ops[] = {
        {"start at rest", REST, START, false},
        {"start a running one", RUNS, START, false},
        {"stop", RUNS, STOP, false},
        {"stop at rest", REST, STOP, false},
        {"once", DUE, TICK, false},
        {"a period", PERIOD, TICK, false},
        {"a callback once", DUE, TICK, true},
        {"callbacks in a period", PERIOD, TICK, true},
        {"read", RUNS, READ, false},
        {"destroy", RUNS, DESTROY, false},
};

#define OPS (sizeof(ops) / sizeof(ops[0]))

enum act {
    ACT_STOP,
    ACT_START,
    ACT_BOTH,
    ACTS
};

static const char *const act_names[] = {"stop", "start", "start and stop"};

static struct {
    volatile unsigned fired;
    volatile uint32_t pc;
    volatile al_status stopped; /* what the handler was told */
    volatile al_status started;
    volatile al_time at;
    al_status op_told;
} seen;

static enum act acts[2];
static uint32_t delays[2];
static bool pairs;

static void act(enum act what)
{
    if (what != ACT_STOP) {
        seen.started = al_irq_timer_start(&timer, 4, 0);
        seen.at = al_now() + 4;
    }
    if (what != ACT_START) {
        seen.stopped = al_irq_timer_stop(&timer);
    }
}

static void second(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    act(acts[1]);
}

static void handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    seen.pc = hit->pc;
    if (pairs) {
        rig_arm(1, delays[1], second);
    }
    act(acts[0]);
    seen.fired++;
}

static void prepare(const struct op *op)
{
    if (op->callback) {
        al_timer_init_call(&timer, &service, call, NULL);
    } else {
        al_timer_init_sem(&timer, &sem);
    }
    if (op->before == RUNS) {
        al_timer_start(&timer, 3, 0);
    } else if (op->before == DUE) {
        al_timer_start(&timer, 1, 0);
    } else if (op->before == PERIOD) {
        al_timer_start(&timer, 1, 3);
    }
    seen.fired = 0;
    calls = 0;
}

static void run(enum what what)
{
    struct al_timer_info info;

    switch (what) {
    case START:
        seen.op_told = al_timer_start(&timer, 2, 0);
        break;
    case STOP:
        seen.op_told = al_timer_stop(&timer);
        break;
    case TICK:
        rig_pend_tick();
        break;
    case READ:
        al_timer_read(&timer, &info);
        break;
    case DESTROY:
        al_timer_destroy(&timer);
        break;
    }
}

/* Units given and callbacks called since the last look. */
static unsigned acted(void)
{
    unsigned n = calls;

    calls = 0;
    while (al_sem_try_take(&sem) == AL_OK) {
        n++;
    }
    return n;
}

/* What the coming ticks show is what the timer tells. */
static const char *check_future(void)
{
    bool running = al_timer_is_running(&timer);
    struct al_timer_info info;

    if (running != ((timer.places & 1) != 0) || (timer.places & 2) != 0 ||
            (timer.control & ~1u) != 0 || timer.post.pending != 0) {
        return "its state does not agree with its places";
    }
    al_timer_read(&timer, &info);
    for (unsigned i = 0; i < AHEAD; i++) {
        bool due;

        rig_pend_tick();
        due = running &&
              (al_now() == info.next ||
                      (info.period != 0 && al_now() > info.next &&
                              (uint32_t)(al_now() - info.next) % info.period ==
                                      0));
        if (acted() != due) {
            return "it is not due when it says";
        }
    }
    return NULL;
}

/* One handler: who came last, and was everybody told the truth? */
static const char *check_order(const struct op *op, unsigned done)
{
    bool running = al_timer_is_running(&timer);
    bool stopped = acts[0] != ACT_START && seen.stopped == AL_OK;

    if (acts[0] != ACT_STOP && seen.started != AL_OK) {
        return "a start was refused";
    }
    if (acts[0] == ACT_BOTH && !stopped) {
        return "what the handler itself had started did not run";
    }
    if (op->what == START) {
        if (seen.op_told != AL_OK) {
            return "the task's start was refused";
        }
        if (acts[0] == ACT_STOP && op->before == REST && stopped == running) {
            return "a stop told the contrary";
        }
        return acts[0] == ACT_START && !running ? "a start was lost" : NULL;
    }
    if (op->what == STOP && acts[0] == ACT_STOP) {
        bool one = op->before == RUNS;

        return running || (seen.op_told == AL_OK) + stopped != one
                       ? "of two stops not one was told"
                       : NULL;
    }
    if (op->what == TICK && op->before == DUE && acts[0] == ACT_STOP) {
        return running || stopped + done != 1 ? "stopped and acted, or neither"
                                              : NULL;
    }
    if (op->what == TICK || op->what == READ) {
        return running != (acts[0] == ACT_START) ? "the handler came last"
                                                 : NULL;
    }
    return NULL;
}

static const char *destroyed(void)
{
    if (al_timer_is_running(&timer) || timer.places != 0 ||
            timer.post.pending != 0) {
        return "something is left of it";
    }
    for (unsigned i = 0; i < AHEAD; i++) {
        rig_pend_tick();
    }
    return acted() == 0 ? NULL : "it acted after its end";
}

static const char *one_round(const struct op *op)
{
    const char *wrong;
    unsigned done;

    prepare(op);
    rig_arm(0, delays[0], handler);
    run(op->what);
    rig_disarm(0);
    rig_disarm(1);
    done = acted();
    wrong = rig_check();
    if (wrong == NULL && op->what == DESTROY) {
        return destroyed();
    }
    if (wrong == NULL && seen.fired > 0 && !pairs) {
        wrong = check_order(op, done);
    }
    if (wrong == NULL) {
        wrong = check_future();
    }
    al_timer_destroy(&timer);
    return wrong;
}

static const char *note(const struct op *op, const char *wrong)
{
    test_note("%s, delays %u %u, acts %u %u, pc %x: %s", op->name,
            (unsigned)delays[0], (unsigned)delays[1], (unsigned)acts[0],
            (unsigned)acts[1], (unsigned)seen.pc, wrong);
    return wrong;
}

static const char *sweep(const struct op *op, uint32_t *places)
{
    uint32_t pc = 0;

    *places = 0;
    for (delays[0] = 0;; delays[0]++) {
        const char *wrong = one_round(op);

        if (wrong != NULL) {
            return note(op, wrong);
        }
        if (seen.fired == 0) {
            return NULL;
        }
        *places += seen.pc != pc;
        pc = seen.pc;
    }
}

/* The second handler at each place of the first one. */
static const char *sweep_pairs(const struct op *op)
{
    for (delays[0] = 0;; delays[0] += 11) {
        for (delays[1] = 0; delays[1] < 160; delays[1] += 7) {
            const char *wrong = one_round(op);

            if (wrong != NULL) {
                return note(op, wrong);
            }
            if (seen.fired == 0) {
                return NULL;
            }
        }
    }
}

static void judge_main(void)
{
    rig_start();
    for (unsigned i = 0; i < OPS; i++) {
        for (acts[0] = ACT_STOP; acts[0] < ACTS; acts[0]++) {
            uint32_t places;
            const char *wrong;

            pairs = false;
            wrong = sweep(&ops[i], &places);
            CHECK(wrong == NULL && places > 10, "%s, handler: %s", ops[i].name,
                    act_names[acts[0]]);
            pairs = true;
            wrong = NULL;
            for (acts[1] = ACT_STOP; acts[1] < ACTS && wrong == NULL;
                    acts[1]++) {
                wrong = sweep_pairs(&ops[i]);
            }
            CHECK(wrong == NULL, "%s, handlers: %s, and any", ops[i].name,
                    act_names[acts[0]]);
        }
    }
    test_done();
}

AL_TASK(judge, judge_main, 5, 2048);
