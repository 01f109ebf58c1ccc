/* SPDX-License-Identifier: MIT */
/*
 * The operations that are swept. See sweep.h.
 */
#include "sweep.h"

#define NVIC_ISPR0     (*(volatile uint32_t *)0xe000e200u)
#define ICSR           (*(volatile uint32_t *)0xe000ed04u)
#define ICSR_PENDSTSET (1u << 26)

#define LINE_GIVES 6u /* PORT0_ALL: no device on this board */

#define SLEEPERS 8
#define CROWD    8
#define LINKS    3

static struct al_sem free_sem = AL_SEM_INIT(0, 4);
static struct al_sem high_go = AL_SEM_INIT(0, 1);
static struct al_sem low_go = AL_SEM_INIT(0, 1);
static struct al_sem low_done = AL_SEM_INIT(0, 1);
static struct al_sem peer_go = AL_SEM_INIT(0, 1);
static struct al_sem unit = AL_SEM_INIT(0, 1);
static struct al_sem die = AL_SEM_INIT(0, 1);
static struct al_sem doze = AL_SEM_INIT(0, SLEEPERS);
static struct al_sem gate = AL_SEM_INIT(0, CROWD + 1);
static struct al_sem home = AL_SEM_INIT(0, CROWD);
static struct al_sem never = AL_SEM_INIT(0, 1);
static struct al_sem link_go[LINKS] = {
        AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1), AL_SEM_INIT(0, 1)};
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex chain[LINKS] = {
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT};
static void (*volatile low_job)(void);
static void (*volatile high_job)(void);
static volatile bool peer_on;

static void nothing(void)
{
}

static void pend_tick(void)
{
    ICSR = ICSR_PENDSTSET;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void lock(struct al_mutex *which)
{
    if (al_mutex_lock(which) < AL_OK && !al_mutex_is_mine(which)) {
        al_panic("not locked");
    }
}

/* ---- helpers ---- */

static void high_main(void)
{
    for (;;) {
        al_sem_take(&high_go);
        high_job();
    }
}

/* The operator waits for it with low_done. */
static void low_main(void)
{
    for (;;) {
        al_sem_take(&low_go);
        low_job();
        (void)al_sem_give(&low_done);
    }
}

static void low_wait(void)
{
    al_sem_take(&low_done);
}

static void peer_main(void)
{
    for (;;) {
        if (peer_on) {
            al_yield();
        } else {
            al_sem_take(&peer_go);
        }
    }
}

static void dozer_main(void)
{
    for (;;) {
        al_sem_take(&doze);
        al_sleep(1);
    }
}

static void crowd_main(void)
{
    for (;;) {
        al_sem_take(&gate);
        al_sem_take(&home);
    }
}

AL_TASK(crowd1, crowd_main, 11, 768);
AL_TASK(crowd2, crowd_main, 12, 768);
AL_TASK(crowd3, crowd_main, 13, 768);
AL_TASK(crowd4, crowd_main, 14, 768);
AL_TASK(crowd5, crowd_main, 15, 768);
AL_TASK(crowd6, crowd_main, 16, 768);
AL_TASK(crowd7, crowd_main, 17, 768);
AL_TASK(crowd8, crowd_main, 18, 768);

AL_IRQ(PORT0_ALL_Handler)
{
    (void)al_irq_sem_give(&high_go);
}

AL_TASK(high, high_main, 20, 1024);
AL_TASK(low, low_main, 5, 1024);
AL_TASK(peer, peer_main, 10, 1024);
AL_TASK(dozer1, dozer_main, 12, 768);
AL_TASK(dozer2, dozer_main, 12, 768);
AL_TASK(dozer3, dozer_main, 13, 768);
AL_TASK(dozer4, dozer_main, 13, 768);
AL_TASK(dozer5, dozer_main, 14, 768);
AL_TASK(dozer6, dozer_main, 15, 768);
AL_TASK(dozer7, dozer_main, 16, 768);
AL_TASK(dozer8, dozer_main, 17, 768);

/* ---- yield ---- */

static void before_yield(void)
{
    peer_on = true;
    (void)al_sem_give(&peer_go);
    al_yield(); /* the peer stands in its own yield now */
}

static void op_yield(void)
{
    al_yield();
}

static void after_yield(void)
{
    peer_on = false;
    al_yield(); /* the peer goes to wait */
}

/* The same with floating-point registers to be saved. */
static void op_yield_fpu(void)
{
    __asm__ volatile("vmov.f32 s16, s16" ::: "s16");
    al_yield();
    __asm__ volatile("vmov.f32 s16, s16" ::: "s16");
}

/* ---- semaphores ---- */

static void op_sem_free(void)
{
    (void)al_sem_give(&free_sem);
    al_sem_take(&free_sem);
}

static void before_wake(void)
{
    high_job = nothing;
}

static void op_wake(void)
{
    (void)al_sem_give(&high_go);
}

static void op_irq_wake(void)
{
    NVIC_ISPR0 = 1u << LINE_GIVES;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

static void give_unit(void)
{
    (void)al_sem_give(&unit);
}

static void before_block(void)
{
    low_job = give_unit;
    (void)al_sem_give(&low_go);
}

static void op_block(void)
{
    al_sem_take(&unit);
}

static void let_all_in(void)
{
    for (unsigned i = 0; i < CROWD + 1; i++) {
        (void)al_sem_give(&gate);
    }
}

static void before_crowd(void)
{
    low_job = let_all_in;
    (void)al_sem_give(&low_go);
}

static void op_crowd(void)
{
    al_sem_take(&gate);
}

static void after_crowd(void)
{
    low_wait();
    for (unsigned i = 0; i < CROWD; i++) {
        (void)al_sem_give(&home);
    }
}

static void before_sleep(void)
{
    low_job = pend_tick;
    (void)al_sem_give(&low_go);
}

static void op_deadline(void)
{
    if (al_sem_take_until(&never, al_in(1)) != AL_E_TIMEOUT) {
        al_panic("no timeout");
    }
}

static void op_in_time(void)
{
    if (al_sem_take_until(&unit, al_in(1)) != AL_OK) {
        al_panic("not in time");
    }
}

/* ---- mutexes ---- */

static void op_mutex_free(void)
{
    lock(&mutex);
    al_mutex_unlock(&mutex);
}

static void low_hold(void)
{
    lock(&mutex);
    (void)al_sem_give(&unit);
    al_mutex_unlock(&mutex);
}

static void before_inherit(void)
{
    low_job = low_hold;
    (void)al_sem_give(&low_go);
    al_sem_take(&unit);
}

static void high_lock(void)
{
    lock(&mutex);
    al_mutex_unlock(&mutex);
}

static void before_handover(void)
{
    lock(&mutex);
    high_job = high_lock;
    (void)al_sem_give(&high_go);
}

static void op_handover(void)
{
    al_mutex_unlock(&mutex);
}

static void low_hold_on(void)
{
    lock(&mutex);
    (void)al_sem_give(&unit);
    pend_tick(); /* the operator gives up */
    al_mutex_unlock(&mutex);
}

static void before_give_up(void)
{
    low_job = low_hold_on;
    (void)al_sem_give(&low_go);
    al_sem_take(&unit);
}

static void op_give_up(void)
{
    if (al_mutex_lock_until(&mutex, al_in(1)) != AL_E_TIMEOUT) {
        al_panic("locked");
    }
}

/* Link n holds chain[n] and waits for chain[n - 1]; the first one's holder is
 * `low`. */
static void link_main(const unsigned *n)
{
    for (;;) {
        al_sem_take(&link_go[*n]);
        lock(&chain[*n]);
        lock(&chain[*n - 1]);
        al_mutex_unlock(&chain[*n - 1]);
        al_mutex_unlock(&chain[*n]);
    }
}

AL_TASK_ARGS(link1, link_main, 6, 1024, &al_restart_default, unsigned, {1});
AL_TASK_ARGS(link2, link_main, 7, 1024, &al_restart_default, unsigned, {2});

static void low_chain(void)
{
    lock(&chain[0]);
    (void)al_sem_give(&link_go[1]);
    (void)al_sem_give(&link_go[2]);
    (void)al_sem_give(&unit);
    al_mutex_unlock(&chain[0]);
}

static void before_chain(void)
{
    low_job = low_chain;
    (void)al_sem_give(&low_go);
    al_sem_take(&unit);
}

static void op_chain(void)
{
    lock(&chain[LINKS - 1]);
    al_mutex_unlock(&chain[LINKS - 1]);
}

/* ---- time ---- */

static void op_sleep(void)
{
    al_sleep(1);
}

static void before_tick_wakes(void)
{
    (void)al_sem_give(&doze);
}

static void before_tick_wakes_all(void)
{
    for (unsigned i = 0; i < SLEEPERS; i++) {
        (void)al_sem_give(&doze);
    }
}

/* ---- tasks ---- */

static void park_main(void)
{
    for (;;) {
        (void)al_task_park(AL_FOREVER);
    }
}

AL_TASK(parked, park_main, 15, 1024);

static void op_wake_parked(void)
{
    (void)al_task_wake(al_task_id_of(&parked));
}

static void op_suspend(void)
{
    (void)al_task_suspend(al_task_id_of(&parked));
    (void)al_task_wake(al_task_id_of(&parked));
    (void)al_task_resume(al_task_id_of(&parked));
}

static void op_set_prio(void)
{
    (void)al_task_set_prio(al_task_id_self(), 11);
    (void)al_task_set_prio(al_task_id_self(), 10);
}

/* One that waits, and the holder of what it waits for with it. */
static void op_set_waiter_prio(void)
{
    (void)al_task_set_prio(al_task_id_of(&link2), 9);
    (void)al_task_set_prio(al_task_id_of(&link2), 7);
}

static struct al_spawn child;
static char child_stack[768] __attribute__((aligned(8)));
static struct al_task_id child_id;

static void child_main(void *args)
{
    (void)args;
}

static void op_create(void)
{
    static const struct al_task_params params = {
            .name = "child",
            .entry = child_main,
            .stack = child_stack,
            .stack_bytes = sizeof(child_stack),
            .prio = 9,
    };

    al_task_create(&child, &params, &child_id);
    if (al_task_join(child_id, AL_FOREVER) != AL_OK) {
        al_panic("not joined");
    }
}

/* ---- heap ---- */

static void op_heap(void)
{
    void *a = al_heap_alloc(40);
    void *b = al_heap_alloc(100);

    al_heap_free(a);
    al_heap_free(b);
}

/* ---- death ---- */

static void undo(void *arg)
{
    (void)arg;
}

#define STRAY (*(volatile uint32_t *)0x30000000u) /* the bus refuses it */

static enum {
    BY_PANIC,
    BY_FAULT,
    BY_OVERFLOW
} way;
static bool with_heap;

/* More than the victim's stack. */
__attribute__((noinline)) static void overflow(void)
{
    volatile char big[2048];

    big[0] = 0;
}

__attribute__((noinline)) static void die_deeper(struct al_mutex *held)
{
    AL_DEFER(undo, held);
    lock(held);
    switch (way) {
    case BY_PANIC:
        al_panic("swept");
    case BY_FAULT:
        STRAY = 0;
        break;
    case BY_OVERFLOW:
        overflow();
        break;
    }
}

static void victim_main(void)
{
    al_sem_take(&die);
    if (with_heap) {
        AL_HEAP_SCOPED(block, 32);

        die_deeper(&mutex);
    }
    die_deeper(&mutex);
}

static const struct al_restart_policy often = {
        .budget = 0xffff,
        .back_off = 1,
        .window = 60000,
        .exhausted = AL_EXHAUSTED_STOP,
};

AL_TASK_POLICY(victim, victim_main, 19, 1536, &often);

static void op_death(void)
{
    (void)al_sem_give(&die);
}

static void before_fault(void)
{
    way = BY_FAULT;
}

static void before_overflow(void)
{
    way = BY_OVERFLOW;
}

static void before_death_with_heap(void)
{
    with_heap = true;
}

static void after_death(void)
{
    way = BY_PANIC;
    with_heap = false;
    lock(&mutex);
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
}

#define ANY      AL_PRIO_IRQ(0)
#define OVER_IRQ AL_PRIO_IRQ(1)

const struct sweep_op sweep_ops[] = {
        {"nothing", NULL, nothing, NULL, ANY},
        {"yield to a peer", before_yield, op_yield, after_yield, ANY},
        {"yield, FPU in use", before_yield, op_yield_fpu, after_yield, ANY},
        {"semaphore, free", NULL, op_sem_free, NULL, ANY},
        {"give, task waits again", before_wake, op_wake, NULL, ANY},
        {"take blocks, is given", before_block, op_block, low_wait, ANY},
        {"take behind eight others", before_crowd, op_crowd, after_crowd, ANY},
        {"deadline passes", before_sleep, op_deadline, low_wait, ANY},
        {"given before a deadline", before_block, op_in_time, low_wait, ANY},
        {"mutex, free", NULL, op_mutex_free, NULL, ANY},
        {"mutex, inherited", before_inherit, op_mutex_free, low_wait, ANY},
        {"mutex, handed over", before_handover, op_handover, NULL, ANY},
        {"mutex, chain of three", before_chain, op_chain, low_wait, ANY},
        {"mutex, deadline passes", before_give_up, op_give_up, low_wait, ANY},
        {"sleep", before_sleep, op_sleep, low_wait, ANY},
        {"tick", NULL, pend_tick, NULL, ANY},
        {"tick wakes one", before_tick_wakes, pend_tick, NULL, ANY},
        {"tick wakes eight", before_tick_wakes_all, pend_tick, NULL, ANY},
        {"interrupt gives", before_wake, op_irq_wake, NULL, OVER_IRQ},
        {"heap", NULL, op_heap, NULL, ANY},
        {"wake a parked task", NULL, op_wake_parked, NULL, ANY},
        {"suspend, wake, resume", NULL, op_suspend, NULL, ANY},
        {"own priority", NULL, op_set_prio, NULL, ANY},
        {"priority in a chain", before_chain, op_set_waiter_prio, low_wait,
                ANY},
        {"create, end, join", NULL, op_create, NULL, ANY},
        {"death and restart", NULL, op_death, after_death, ANY},
        {"fault and restart", before_fault, op_death, after_death, ANY},
        {"overflow and restart", before_overflow, op_death, after_death, ANY},
        {"death with a heap block", before_death_with_heap, op_death,
                after_death, ANY},
};
const unsigned sweep_op_count = sizeof(sweep_ops) / sizeof(sweep_ops[0]);

void sweep_ops_start(void)
{
    al_irq_enable(LINE_GIVES, AL_PRIO_IRQ(0));
    /* Those below reach their first wait. */
    low_job = nothing;
    (void)al_sem_give(&low_go);
    low_wait();
    al_yield();
}
