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
#define LINKS    3

static struct al_sem free_sem = AL_SEM_INIT(0, 4);
static struct al_sem high_go = AL_SEM_INIT(0, 1);
static struct al_sem low_go = AL_SEM_INIT(0, 1);
static struct al_sem low_done = AL_SEM_INIT(0, 1);
static struct al_sem peer_go = AL_SEM_INIT(0, 1);
static struct al_sem unit = AL_SEM_INIT(0, 1);
static struct al_sem die = AL_SEM_INIT(0, 1);
static struct al_sem doze = AL_SEM_INIT(0, SLEEPERS);
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

static void before_sleep(void)
{
    low_job = pend_tick;
    (void)al_sem_give(&low_go);
}

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

__attribute__((noinline)) static void die_deeper(struct al_mutex *held)
{
    AL_DEFER(undo, held);
    lock(held);
    al_panic("swept");
}

static void victim_main(void)
{
    AL_HEAP_SCOPED(block, 32);

    al_sem_take(&die);
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

static void after_death(void)
{
    lock(&mutex);
    al_mutex_heal(&mutex);
    al_mutex_unlock(&mutex);
}

#define ANY      AL_PRIO_IRQ(0)
#define OVER_IRQ AL_PRIO_IRQ(1)

const struct sweep_op sweep_ops[] = {
        {"nothing", NULL, nothing, NULL, ANY},
        {"yield to a peer", before_yield, op_yield, after_yield, ANY},
        {"semaphore, free", NULL, op_sem_free, NULL, ANY},
        {"give, task waits again", before_wake, op_wake, NULL, ANY},
        {"take blocks, is given", before_block, op_block, low_wait, ANY},
        {"mutex, free", NULL, op_mutex_free, NULL, ANY},
        {"mutex, inherited", before_inherit, op_mutex_free, low_wait, ANY},
        {"mutex, handed over", before_handover, op_handover, NULL, ANY},
        {"mutex, chain of three", before_chain, op_chain, low_wait, ANY},
        {"sleep", before_sleep, op_sleep, low_wait, ANY},
        {"tick", NULL, pend_tick, NULL, ANY},
        {"tick wakes one", before_tick_wakes, pend_tick, NULL, ANY},
        {"tick wakes eight", before_tick_wakes_all, pend_tick, NULL, ANY},
        {"interrupt gives", before_wake, op_irq_wake, NULL, OVER_IRQ},
        {"heap", NULL, op_heap, NULL, ANY},
        {"death and restart", NULL, op_death, after_death, ANY},
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
