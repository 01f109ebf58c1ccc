/* SPDX-License-Identifier: MIT */
/*
 * An interrupt at every instruction of every operation: how long until its
 * handler runs, and until the most urgent task does that the handler wakes.
 * tools/alula-bench reads what this prints:
 *
 *     sweep INSNS PLACES MASKED TO_TASK PC NAME      one per operation
 *     # swept N                                      N lines of that kind
 *
 * INSNS instructions were interrupted, at PLACES different consecutive program
 * counters; the handler was at most MASKED instructions late; the task's first
 * instruction behind its wait came at most TO_TASK instructions after the
 * interrupt was pended, when that was before the instruction at PC.
 *
 * The clock: under `-icount shift=7` an instruction lasts 3.2 periods of this
 * board's timers, so that each is hit by three or four delays in a row. A timer
 * counts on after it has interrupted, and so tells how long ago that was. How
 * much of an instruction was left then depends on the delay modulo 16 periods
 * (5 instructions) alone: each delay is compared with one of the same residue
 * that hit plain code.
 *
 * SysTick is stopped: ticks come where operations pend them.
 */
#include "sweep.h"

#include <board.h>

#include "say.h"

/* kernel/time.h */
void al_time_test_by_hand(void);

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define ICPR0    (*(volatile uint32_t *)0xe000e280u)

/* CMSDK APB timers 0 and 1 (Arm DDI 0479, 4.2). */
struct timer {
    volatile uint32_t ctrl;
    volatile uint32_t value;
    volatile uint32_t reload;
    volatile uint32_t intstatus;
};

#define TIMER0        ((struct timer *)0x40000000u)
#define TIMER1        ((struct timer *)0x40001000u)
#define TIMER0_LINE   8u
#define TIMER1_LINE   9u
#define TIMER_ENABLE  1u
#define TIMER_IRQ     8u
#define TIMER_NEVER   0xffffffffu
#define LEAST_DELAY   2u
#define RESIDUES      16u
#define SILENCE_INSNS 4u

/* What the last injected interrupt found. */
static volatile uint32_t fired;
static volatile uint32_t hit_value; /* of the timer, when it was noticed */
static volatile uint32_t hit_pc;

static struct al_sem injected = AL_SEM_INIT(0, 1);

/* The timer of a register: first of what is measured to. */
#define READ_VALUE(timer_high, value) \
  "movw r2, #" timer_high "\n\t"      \
  "movt r2, #0x4000\n\t"              \
  "ldr " value ", [r2, #4]\n\t"

void TIMER0_Handler(void);

/* How late is a handler? Notes that, and where it came. */
__attribute__((naked)) void TIMER0_Handler(void)
{
    __asm__ volatile("@alula: unchecked 0\n\t" READ_VALUE(
            "0", "r3") "ldr r1, =hit_value\n\t"
                       "str r3, [r1]\n\t"
                       "tst lr, #4\n\t"
                       "ite eq\n\t"
                       "mrseq r0, msp\n\t"
                       "mrsne r0, psp\n\t"
                       "ldr r0, [r0, #24]\n\t"
                       "ldr r1, =hit_pc\n\t"
                       "str r0, [r1]\n\t"
                       "ldr r1, =fired\n\t"
                       "movs r3, #1\n\t"
                       "str r3, [r1]\n\t"
                       "str r3, [r2, #12]\n\t"
                       "bx lr");
}

/* How late is a task? The timer is silenced: SILENCE_INSNS. */
AL_IRQ(TIMER1_Handler)
{
    __asm__ volatile("movw r2, #0x1000\n\t"
                     "movt r2, #0x4000\n\t"
                     "movs r3, #1\n\t"
                     "str r3, [r2, #12]" ::
                             : "r2", "r3", "memory");
    (void)al_irq_sem_give(&injected);
}

static void top_main(void)
{
    for (;;) {
        uint32_t value;

        al_sem_take(&injected);
        __asm__ volatile(READ_VALUE("0x1000", "%0") : "=r"(value) : : "r2");
        hit_value = value;
        fired = 1;
    }
}

AL_TASK(top, top_main, 31, 1024);

/* ---- one injection ---- */

static struct timer *timer; /* the one that injects */

static void timer_start(struct timer *which, uint32_t line, al_prio prio)
{
    timer = which;
    timer->ctrl = 0;
    timer->reload = TIMER_NEVER;
    timer->value = TIMER_NEVER;
    timer->intstatus = 1;
    al_irq_enable(line, prio);
    timer->ctrl = TIMER_ENABLE | TIMER_IRQ;
}

static void timer_stop(void)
{
    timer->ctrl = 0;
    timer->intstatus = 1;
    __asm__ volatile("dsb" ::: "memory");
    ICPR0 = 1u << TIMER0_LINE | 1u << TIMER1_LINE;
}

/* False: the operation was over before the timer was. */
static bool inject(const struct sweep_op *op, uint32_t delay)
{
    bool hit;

    if (op->before != NULL) {
        op->before();
    }
    fired = 0;
    timer->value = delay;
    op->op();
    hit = fired != 0;
    timer->value = TIMER_NEVER;
    timer->intstatus = 1;
    if (op->after != NULL) {
        op->after();
    }
    return hit;
}

/* Periods since the interrupt was pended. */
static uint32_t hit_late(void)
{
    return 0u - hit_value;
}

/* ---- sweeps ---- */

static uint32_t undisturbed[RESIDUES]; /* by delay modulo RESIDUES */

/* By how many instructions later than in plain code. */
static uint32_t late_insns(uint32_t delay)
{
    uint32_t least = undisturbed[delay % RESIDUES];

    if (hit_late() < least) {
        return 0;
    }
    return ((hit_late() - least) * 5 + 8) / 16;
}

static void fail(const char *what)
{
    say("sweep: %s\n", what);
    board_exit(1);
}

static void nops(void)
{
    __asm__ volatile(".rept 64\n\tnop\n\t.endr");
}

static const struct sweep_op plain = {"plain", NULL, nops, NULL, 0};

static void calibrate(void)
{
    uint32_t least = ~0u;
    uint32_t most = 0;

    timer_start(TIMER0, TIMER0_LINE, AL_PRIO_IRQ(0));
    for (uint32_t delay = 64; delay < 64 + RESIDUES; delay++) {
        if (!inject(&plain, delay)) {
            fail("no interrupt in plain code");
        }
        undisturbed[delay % RESIDUES] = hit_late();
        least = hit_late() < least ? hit_late() : least;
        most = hit_late() > most ? hit_late() : most;
    }
    timer_stop();
    /* They differ by what is left of one instruction. */
    if (most - least > 4) {
        fail("plain code is interrupted late");
    }
}

struct swept {
    uint32_t insns;
    uint32_t places;
    uint32_t masked;
    uint32_t to_task;
    uint32_t pc; /* of the worst to_task */
};

static void sweep_entry(
        const struct sweep_op *op, al_prio prio, struct swept *swept)
{
    uint32_t pc = 0;
    uint32_t places = 0;
    uint32_t delay = LEAST_DELAY;

    timer_start(TIMER0, TIMER0_LINE, prio);
    for (; inject(op, delay); delay++) {
        uint32_t late = late_insns(delay);

        if (late > swept->masked) {
            swept->masked = late;
            say("# %s: %u late at %x\n", op->name, (unsigned)late,
                    (unsigned)hit_pc);
        }
        if (hit_pc != pc) {
            places++;
            pc = hit_pc;
        }
    }
    timer_stop();
    swept->insns = (delay - LEAST_DELAY) * 5 / 16;
    if (swept->places == 0 || places < swept->places) {
        swept->places = places;
    }
}

static void sweep_task(
        const struct sweep_op *op, al_prio prio, struct swept *swept)
{
    timer_start(TIMER1, TIMER1_LINE, prio);
    for (uint32_t delay = LEAST_DELAY; inject(op, delay); delay++) {
        uint32_t late = late_insns(delay) - SILENCE_INSNS;

        if (late > swept->to_task) {
            swept->to_task = late;
            swept->pc = delay;
        }
    }
    timer_stop();
    /* The same delay again, to learn where it comes. */
    timer_start(TIMER0, TIMER0_LINE, prio);
    (void)inject(op, swept->pc);
    swept->pc = hit_pc;
    timer_stop();
}

static void sweep(const struct sweep_op *op)
{
    struct swept swept = {0};

    sweep_entry(op, op->least, &swept);
    sweep_entry(op, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1), &swept);
    sweep_task(op, op->least, &swept);
    sweep_task(op, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1), &swept);
    say("sweep %u %u %u %u %x %s\n", (unsigned)swept.insns,
            (unsigned)swept.places, (unsigned)swept.masked,
            (unsigned)swept.to_task, (unsigned)swept.pc, op->name);
}

static void operator_main(void)
{
    static bool started;

    if (started) {
        fail("the operator died");
    }
    started = true;
    SYST_CSR = 0;
    al_time_test_by_hand();
    sweep_ops_start();
    sweep_objects_start();
    calibrate();
    for (unsigned i = 0; i < sweep_op_count; i++) {
        sweep(&sweep_ops[i]);
    }
    for (unsigned i = 0; i < sweep_object_count; i++) {
        sweep(&sweep_objects[i]);
    }
    say("# swept %u\n", sweep_op_count + sweep_object_count);
    board_exit(0);
}

AL_TASK(operator, operator_main, 10, 2048);
