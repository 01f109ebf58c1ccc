/* SPDX-License-Identifier: MIT */
/*
 * The operations and the handlers. See scenarios.h.
 */
#include "scenarios.h"

struct inj inj;
uint32_t scenario_insns;

static struct al_sem w1 = AL_SEM_INIT(0, 1000000);
static struct al_sem w2 = AL_SEM_INIT(0, 1000000);
static struct al_sem w3 = AL_SEM_INIT(0, 1000000);
static struct al_sem lo_go = AL_SEM_INIT(0, 1);
static struct al_sem lo_done = AL_SEM_INIT(0, 1);
static struct al_sem mid_go = AL_SEM_INIT(0, 1);
static struct al_sem peer_go = AL_SEM_INIT(0, 1);
static struct al_sem plain = AL_SEM_INIT(1, 1000);
static struct al_sem bounded = AL_SEM_INIT(1, 2);
static struct al_sem blocks = AL_SEM_INIT(0, 1000);
static struct al_sem helper = AL_SEM_INIT(0, 1);
static struct al_sem *const sems[] = {&w1, &w2, &w3, &lo_go, &lo_done, &mid_go,
        &peer_go, &plain, &bounded, &blocks, &helper};
static struct al_mutex m1 = AL_MUTEX_INIT;
static struct al_mutex m2 = AL_MUTEX_INIT;

static void (*volatile lo_job)(void);
static void (*volatile mid_job)(void);
static volatile uint32_t peer_on;
static volatile uint32_t spin_go;
static void *block;

/* ---- tasks ---- */

static void take_w1(void)
{
    al_sem_take(&w1);
}

static void take_w2(void)
{
    al_sem_take(&w2);
}

static void take_w3(void)
{
    al_sem_take(&w3);
}

static void sleep_1(void)
{
    al_sleep(1);
}

static void sleep_2(void)
{
    al_sleep_until((al_now() | 1) + 1);
}

static void hi1_main(void)
{
    for (uint32_t seed = 3;; seed++) {
        uint32_t took;

        inj.guard |= rig_guard(take_w1, seed, inj.fpu);
        took = rig_elapsed(inj.time_given, rig_time());
        if (inj.timed && took > inj.longest) {
            inj.longest = took;
            inj.longest_pc = inj.pc;
            inj.longest_in = inj.scenario;
        }
        inj.runs1++;
        inj.order = inj.order << 4 | 1;
    }
}

AL_TASK(hi1, hi1_main, 20, 1024);

static void hi2_main(void)
{
    for (uint32_t seed = 5;; seed++) {
        inj.guard |= rig_guard(take_w2, seed, inj.fpu);
        inj.runs2++;
        inj.order = inj.order << 4 | 2;
    }
}

AL_TASK(hi2, hi2_main, 20, 1024);

static void hi3_main(void)
{
    for (uint32_t seed = 9;; seed++) {
        inj.guard |= rig_guard(take_w3, seed, inj.fpu);
        inj.runs3++;
    }
}

AL_TASK(hi3, hi3_main, 20, 1024);
AL_TASK(hi4, hi3_main, 20, 1024);

static void second_main(void)
{
    for (uint32_t seed = 15;; seed++) {
        inj.guard |= rig_guard(sleep_2, seed, inj.fpu);
    }
}

AL_TASK(second, second_main, 22, 1024);

static void sleeper_main(void)
{
    for (uint32_t seed = 7;; seed++) {
        inj.guard |= rig_guard(sleep_1, seed, inj.fpu);
        inj.slept++;
    }
}

AL_TASK(sleeper, sleeper_main, 21, 1024);

static void mid_main(void)
{
    for (;;) {
        al_sem_take(&mid_go);
        if (mid_job != NULL) {
            mid_job();
        }
    }
}

AL_TASK(mid, mid_main, 15, 1024);

static void peer_main(void)
{
    for (uint32_t seed = 11;; seed++) {
        if (peer_on) {
            inj.guard |= rig_guard(al_yield, seed, inj.fpu);
        } else {
            al_sem_take(&peer_go);
        }
    }
}

AL_TASK(peer, peer_main, 10, 1024);

static void lo_main(void)
{
    for (uint32_t seed = 13;; seed++) {
        al_sem_take(&lo_go);
        inj.guard |= rig_guard(lo_job, seed, inj.fpu);
        al_sem_give(&lo_done);
    }
}

AL_TASK(lo, lo_main, 5, 1024);

/* ---- handlers ---- */

/* Handlers nest. */
static void count(volatile uint32_t *n)
{
    __atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static void note(const struct rig_hit *hit)
{
    const struct al_task *self = al_core.current;

    if (inj.fired == 0) {
        inj.pc = hit->pc;
    }
    count(&inj.fired);
    if (!hit->locked) {
        if (hit->psp < self->stack_low || hit->psp >= self->stack_high) {
            inj.wrong = "psp outside the running task's stack";
        }
    }
}

void act_none(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    /* With a post left, the holder is on its way to ask for the switch. */
    if (!hit->locked && !hit->nested && al_core.inbox == NULL &&
            inj.wrong == NULL) {
        inj.wrong = rig_check_unlocked();
    }
}

static void give1(void)
{
    inj.time_given = rig_time();
    count(&inj.given1);
    if (al_irq_sem_give(&w1) != AL_OK) {
        inj.wrong = "a give was refused";
    }
}

static void give2(void)
{
    count(&inj.given2);
    if (al_irq_sem_give(&w2) != AL_OK) {
        inj.wrong = "a give was refused";
    }
}

static void give3(void)
{
    count(&inj.given3);
    if (al_irq_sem_give(&w3) != AL_OK) {
        inj.wrong = "a give was refused";
    }
}

void act_give(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    give1();
}

void act_give_two(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    give2();
    give1();
}

void act_give_third(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    give3();
}

void act_raw_give(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    count(&inj.given1);
    if (al_irq_raw_sem_give(&w1) != AL_OK) {
        inj.wrong = "a give was refused";
    }
}

void act_switch(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    rig_pend_switch();
}

void act_tick(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    rig_pend_tick();
}

static void give_object(void)
{
    struct al_sem *sem = inj.scenario->sem;

    if (sem == NULL) {
        return;
    }
    if (al_irq_sem_give(sem) == AL_OK) {
        __atomic_fetch_add(&inj.balance, 1, __ATOMIC_RELAXED);
    } else if (sem->max > 2) {
        inj.wrong = "a give was refused below the maximum";
    }
}

static void take_object(void)
{
    struct al_sem *sem = inj.scenario->sem;

    if (sem != NULL && al_sem_try_take(sem) == AL_OK) {
        __atomic_fetch_add(&inj.balance, -1, __ATOMIC_RELAXED);
    }
}

/* Twice given and once taken: one unit more stays. */
void act_object(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    give_object();
    take_object();
    give_object();
}

void act_all(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    note(hit);
    rig_pend_tick();
    give3();
    give2();
    give_object();
    rig_pend_switch();
    give1();
}

/* ---- operations ---- */

static void op_empty(void)
{
}

static void op_yield_alone(void)
{
    al_yield();
}

static void before_yield(void)
{
    peer_on = 1;
    al_sem_give(&peer_go);
    al_yield(); /* peer stands in its own yield now */
}

static void after_yield(void)
{
    peer_on = 0;
    al_yield(); /* peer goes to wait */
}

static void op_sem_free(void)
{
    (void)al_sem_give(&plain);
    al_sem_take(&plain);
    if (al_sem_try_take(&plain) == AL_OK) {
        (void)al_sem_give(&plain);
    }
}

static void op_sem_bounds(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (al_sem_give(&bounded) == AL_OK) {
            __atomic_fetch_add(&inj.balance, 1, __ATOMIC_RELAXED);
        }
    }
    for (unsigned i = 0; i < 2; i++) {
        if (al_sem_try_take(&bounded) == AL_OK) {
            __atomic_fetch_add(&inj.balance, -1, __ATOMIC_RELAXED);
        }
    }
}

static void give_blocks(void)
{
    (void)al_sem_give(&blocks);
    __atomic_fetch_add(&inj.balance, 1, __ATOMIC_RELAXED);
}

static void lo_begin(void (*job)(void))
{
    lo_job = job;
    al_sem_give(&lo_go);
}

static void lo_wait(void)
{
    al_sem_take(&lo_done);
}

static void before_blocks(void)
{
    lo_begin(give_blocks);
}

static void op_blocks(void)
{
    al_sem_take(&blocks);
    __atomic_fetch_add(&inj.balance, -1, __ATOMIC_RELAXED);
}

static void act_helper(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    (void)al_irq_sem_give(&helper);
}

/* Spins until op has been woken by an interrupt and blocks again. */
static void spin_and_give(void)
{
    rig_arm(2, 300, act_helper);
    inj.guard |= rig_spin(&spin_go, 77, inj.fpu);
    give_blocks();
}

static void before_blocks_preempted(void)
{
    spin_go = 0;
    lo_begin(spin_and_give);
    al_sem_take(&helper);
    spin_go = 1;
}

static void op_give_up(void)
{
    al_sem_give(&mid_go);
}

static void op_give_down(void)
{
    lo_job = op_empty;
    al_sem_give(&lo_go);
}

static void lock(struct al_mutex *mutex)
{
    if (al_mutex_lock(mutex) != AL_OK) {
        inj.wrong = "a mutex is poisoned";
    }
}

static void op_mutex_free(void)
{
    lock(&m1);
    al_mutex_unlock(&m1);
    if (al_mutex_try_lock(&m1) == AL_OK) {
        al_mutex_unlock(&m1);
    }
}

static void op_mutex_two(void)
{
    lock(&m1);
    lock(&m2);
    al_mutex_unlock(&m1);
    al_mutex_unlock(&m2);
}

/* lo holds m1 when op comes to lock it. */
static void lo_hold(void)
{
    lock(&m1);
    al_sem_give(&helper);
    al_mutex_unlock(&m1);
}

static void before_contended(void)
{
    lo_begin(lo_hold);
    al_sem_take(&helper);
}

static void op_contended(void)
{
    lock(&m1);
    al_mutex_unlock(&m1);
}

static void mid_lock(void)
{
    lock(&m1);
    al_mutex_unlock(&m1);
}

static void before_handover(void)
{
    lock(&m1);
    mid_job = mid_lock;
    al_sem_give(&mid_go);
}

static void op_handover(void)
{
    al_mutex_unlock(&m1);
}

static void after_handover(void)
{
    mid_job = NULL;
}

static void op_heap(void)
{
    void *a = al_heap_alloc(40);
    void *b = al_heap_alloc(100);

    al_heap_free(a);
    al_heap_free(b);
}

static void op_free_and_cut(void)
{
    al_heap_free(block);
    block = al_heap_alloc(24);
}

static void lo_tick(void)
{
    rig_pend_tick();
}

static void before_sleep(void)
{
    lo_begin(lo_tick);
}

static void op_sleep(void)
{
    al_sleep(1);
}

static void op_no_sleep(void)
{
    al_sleep(0);
    al_sleep_until(al_now());
}

static void op_read(void)
{
    struct al_task_info info;

    al_task_read(al_task_self(), &info);
}

const struct scenario scenarios[] = {
        {"nothing", NULL, op_empty, NULL, &plain},
        {"yield alone", NULL, op_yield_alone, NULL, &plain},
        {"yield to a peer", before_yield, op_yield_alone, after_yield, &plain},
        {"semaphore, free", NULL, op_sem_free, NULL, &plain},
        {"semaphore, full and empty", NULL, op_sem_bounds, NULL, &bounded},
        {"take blocks", before_blocks, op_blocks, lo_wait, &blocks},
        {"take blocks, to a preempted task", before_blocks_preempted, op_blocks,
                lo_wait, &blocks},
        {"give to a more urgent task", NULL, op_give_up, NULL, &mid_go},
        {"give to a less urgent task", NULL, op_give_down, lo_wait, &plain},
        {"mutex, free", NULL, op_mutex_free, NULL, &plain},
        {"two mutexes, in order taken", NULL, op_mutex_two, NULL, &plain},
        {"mutex, contended", before_contended, op_contended, lo_wait, &plain},
        {"mutex, handed over", before_handover, op_handover, after_handover,
                &plain},
        {"heap", NULL, op_heap, NULL, &plain},
        {"heap, free and cut", NULL, op_free_and_cut, NULL, &plain},
        {"sleep", before_sleep, op_sleep, lo_wait, &plain},
        {"no sleep", NULL, op_no_sleep, NULL, &plain},
        {"read a task", NULL, op_read, NULL, &plain},
};
const unsigned scenario_count = sizeof(scenarios) / sizeof(scenarios[0]);

/* ---- rounds ---- */

static const char *check_sems(void)
{
    for (unsigned i = 0; i < sizeof(sems) / sizeof(sems[0]); i++) {
        const struct al_sem *sem = sems[i];
        int32_t lacking = sem->count < 0 ? -sem->count : 0;

        if (sem->waiting != lacking) {
            return "a semaphore wakes its waiter late, or not at all";
        }
        if ((sem->waiters.head != NULL) != (sem->waiting > 0) ||
                sem->post.pending != 0) {
            return "a semaphore's queue or post";
        }
    }
    return NULL;
}

static const char *look(void)
{
    const char *wrong = inj.wrong;

    inj.wrong = NULL;
    if (wrong == NULL) {
        wrong = check_sems();
    }
    if (wrong == NULL) {
        wrong = rig_check();
    }
    if (wrong == NULL && inj.guard != 0) {
        wrong = "a register changed";
    }
    if (wrong == NULL && (inj.runs1 != inj.given1 || inj.runs2 != inj.given2 ||
                                 inj.runs3 != inj.given3)) {
        wrong = "a wake-up is late or lost";
    }
    return wrong;
}

static void drain_object(const struct scenario *s)
{
    /* What handlers gave too much goes, what they took comes back. */
    while (inj.balance > 0 && al_sem_try_take(s->sem) == AL_OK) {
        inj.balance--;
    }
    while (inj.balance < 0) {
        (void)al_sem_give(s->sem);
        inj.balance++;
    }
}

const char *scenario_round(
        const struct scenario *s, uint32_t seed, void (*arm)(void))
{
    const char *wrong;
    uint32_t guard;
    uint32_t start;
    int32_t resting = s->sem->count;

    inj.scenario = s;
    inj.fired = 0;
    inj.order = 0;
    inj.balance = 0;
    if ((al_now() & 1) != 0) {
        rig_pend_tick(); /* at an even time, so that rounds are alike */
    }
    if (s->before != NULL) {
        s->before();
    }
    start = rig_time();
    arm();
    guard = rig_guard(s->op, seed, inj.fpu);
    for (unsigned n = 0; n < RIG_TIMERS; n++) {
        rig_disarm(n); /* the first arms the second, and so on */
    }
    scenario_insns = rig_elapsed(start, rig_time());
    wrong = look();
    if (guard != 0) {
        return "a register of the operator changed";
    }
    if (wrong != NULL) {
        return wrong;
    }
    if (s->after != NULL) {
        s->after();
    }
    /* A more urgent waiter consumed what a handler gave: not too much. */
    if (s->sem == &mid_go) {
        inj.balance = 0;
    }
    drain_object(s);
    if (s->sem->count != resting) {
        return "units of a semaphore lost or won";
    }
    return look();
}

void scenarios_start(void)
{
    rig_start();
    block = al_heap_alloc(24);
    /* Less urgent tasks reach their first wait. */
    lo_begin(op_empty);
    lo_wait();
    al_yield();
}
