/* SPDX-License-Identifier: MIT */
/*
 * What a task's death and restart cost. The victim dies in chosen ways; its
 * entry stamps the time at which it is alive again. See bench.h.
 */
#include "bench.h"

#include <alula/kill.h>

#define NVIC_ISPR0     (*(volatile uint32_t *)0xe000e200u)
#define ICSR           (*(volatile uint32_t *)0xe000ed04u)
#define ICSR_PENDSTSET (1u << 26)

/* A line without a device on this board. */
#define LINE_KILLS 12u /* UARTOVF */

enum death {
    DEATH_PLAIN,
    DEATH_LOAD,
    DEATH_STORE,
    DEATH_UNDEFINED,
    DEATH_OVERFLOW,
    DEATH_VARIABLE,
    DEATH_SHALLOW,
    DEATH_DEEP,
    DEATH_FEW_SCOPES,
    DEATH_MANY_SCOPES,
    DEATH_WAITING,
    DEATH_BUSY,
};

#define STACK_BYTES 1536
#define SHALLOW     4
#define DEEP        12
#define MANY_SCOPES 5 /* against one */

static struct al_sem die = AL_SEM_INIT(0, 1);
static struct al_sem never = AL_SEM_INIT(0, 1);
static struct al_sem killer_go = AL_SEM_INIT(0, 1);
static volatile enum death death;
static char scoped; /* what the scopes are about */

__attribute__((noinline)) static void die_now(void)
{
    COUNT_OPEN();
    al_panic("bench");
}

#define STRAY (*(volatile uint32_t *)0x30000000u) /* the bus refuses it */

__attribute__((noinline)) static void fault_now(void)
{
    volatile uint32_t *stray = &STRAY;

    __asm__("" : "+r"(stray));
    if (death == DEATH_UNDEFINED) {
        COUNT_OPEN();
        __asm__ volatile("udf #0");
    }
    if (death == DEATH_STORE) {
        COUNT_OPEN();
        *stray = 0;
    }
    COUNT_OPEN();
    (void)*stray;
}

/* More than the victim's stack. */
__attribute__((noinline)) static void overflow_now(void)
{
    volatile char big[STACK_BYTES];

    big[0] = 0;
}

__attribute__((noinline)) static void overflow_by(uint32_t bytes)
{
    volatile char big[bytes];

    big[0] = 0;
}

__attribute__((noinline)) static void one_scope(void)
{
    AL_DEFER(bench_nothing, &scoped);
    die_now();
}

__attribute__((noinline)) static void one_scope_faults(void)
{
    AL_DEFER(bench_nothing, &scoped);
    fault_now();
}

/* The functions that overflow have done nothing yet: as deep as the others. */
__attribute__((noinline)) static void one_scope_overflows(void)
{
    AL_DEFER(bench_nothing, &scoped);
    if (death == DEATH_OVERFLOW) {
        COUNT_OPEN();
        overflow_now();
    } else {
        COUNT_OPEN();
        overflow_by(STACK_BYTES);
    }
}

__attribute__((noinline)) static void wait_for_it(void)
{
    al_sem_take(&never);
    __asm__ volatile(""); /* no jump, please */
}

__attribute__((noinline)) static void one_scope_waits(void)
{
    AL_DEFER(bench_nothing, &scoped);
    wait_for_it();
}

#ifdef BENCH_KILLS
AL_IRQ(UARTOVF_Handler)
{
    (void)al_irq_sem_give(&killer_go);
}
#endif

/* Preempted here; then enters a function. */
__attribute__((noinline)) static void be_preempted(void)
{
    NVIC_ISPR0 = 1u << LINE_KILLS;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
    wait_for_it();
}

__attribute__((noinline)) static void one_scope_busy(void)
{
    AL_DEFER(bench_nothing, &scoped);
    be_preempted();
}

__attribute__((noinline)) static void many_scopes(void)
{
    AL_DEFER(bench_nothing, &scoped);
    AL_DEFER(bench_nothing, &scoped);
    AL_DEFER(bench_nothing, &scoped);
    AL_DEFER(bench_nothing, &scoped);
    AL_DEFER(bench_nothing, &scoped);
    die_now();
}

__attribute__((noinline)) static int dive(int depth)
{
    if (depth == 0) {
        die_now();
    }
    depth = dive(depth - 1);
    __asm__ volatile("" : "+r"(depth)); /* no loop, please */
    return depth;
}

/* Where a restarted victim goes on. */
__attribute__((used)) static void victim_body(void)
{
    al_sem_take(&die);
    switch (death) {
    case DEATH_SHALLOW:
        (void)dive(SHALLOW);
        break;
    case DEATH_DEEP:
        (void)dive(DEEP);
        break;
    case DEATH_MANY_SCOPES:
        many_scopes();
        break;
    case DEATH_WAITING:
        one_scope_waits();
        break;
    case DEATH_BUSY:
        one_scope_busy();
        break;
    case DEATH_LOAD:
    case DEATH_STORE:
    case DEATH_UNDEFINED:
        one_scope_faults();
        break;
    case DEATH_OVERFLOW:
    case DEATH_VARIABLE:
        one_scope_overflows();
        break;
    case DEATH_PLAIN:
    case DEATH_FEW_SCOPES:
        one_scope();
        break;
    }
}

extern struct al_task victim;

__attribute__((naked)) static void victim_main(void)
{
    __asm__ volatile("@alula: unchecked 0\n\t" COUNT_STAMP_ASM "b victim_body");
}

/* Instructions from the panic to the entry. */
static uint32_t die_once(enum death how)
{
    death = how;
    (void)al_sem_give(&die);
    return count_insns(count_to);
}

#ifdef BENCH_KILLS
/* Instructions from al_task_kill() to the entry. */
static uint32_t kill_waiting(void)
{
    struct al_task_id id = al_task_id_of(&victim);

    death = DEATH_WAITING;
    (void)al_sem_give(&die);
    COUNT_OPEN();
    (void)al_task_kill(id, AL_KILL_RESTART);
    return count_insns(count_to);
}

static void killer_main(void)
{
    struct al_task_id id = al_task_id_of(&victim);

    for (;;) {
        al_sem_take(&killer_go);
        COUNT_OPEN();
        (void)al_task_kill(id, AL_KILL_RESTART);
    }
}

AL_TASK(killer, killer_main, 6, 1024);

/* Who was killed is not looked after any more: a tick is idle again. */
static void forget_killed(void)
{
    for (unsigned i = 0; i < 3; i++) {
        ICSR = ICSR_PENDSTSET;
        __asm__ volatile("dsb\n\tisb" ::: "memory");
    }
}

static void bench_kills(void)
{
    al_irq_enable(LINE_KILLS, AL_PRIO_IRQ(1));
    series_add(KILL_TO_RESTART, kill_waiting());
    series_add(KILL_BUSY_TO_RESTART, die_once(DEATH_BUSY));
    forget_killed();
}
#endif

void bench_deaths(int i)
{
    static const enum death faults[] = {
            DEATH_LOAD, DEATH_STORE, DEATH_UNDEFINED};
    uint32_t one = die_once(DEATH_PLAIN);
    uint32_t few = die_once(DEATH_FEW_SCOPES);
    uint32_t many = die_once(DEATH_MANY_SCOPES);
    uint32_t shallow = die_once(DEATH_SHALLOW);
    uint32_t deep = die_once(DEATH_DEEP);

#ifdef BENCH_KILLS
    bench_kills();
#endif
    series_add(FAULT_TO_RESTART, die_once(faults[i % 3]));
    series_add(OVERFLOW_TO_RESTART,
            die_once(i % 2 == 0 ? DEATH_OVERFLOW : DEATH_VARIABLE));
    series_add(PANIC_TO_RESTART, one);
    series_add(UNWIND_SCOPE, (many - few) / (MANY_SCOPES - 1));
    series_add(UNWIND_FRAME, (deep - shallow) / (DEEP - SHALLOW));
}

static const struct al_restart_policy often = {
        .budget = 60000,
        .back_off = 1,
        .window = 60000,
        .exhausted = AL_EXHAUSTED_STOP,
};

AL_TASK_POLICY(victim, victim_main, 4, STACK_BYTES, &often);
