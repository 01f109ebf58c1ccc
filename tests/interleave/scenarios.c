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

/* A scenario lets it die. */
static const struct al_restart_policy at_once = {.budget = UINT16_MAX};
AL_TASK_POLICY(lo, lo_main, 5, 1024, &at_once);

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

    if (inj.scenario->irq != NULL) {
        inj.scenario->irq();
        return;
    }
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

/* ---- event sets, conditions, mailboxes ---- */

static struct al_event event = AL_EVENT_INIT;
static struct al_cond cond = AL_COND_INIT;
static struct al_mailbox box = AL_MAILBOX_INIT;
static volatile uint32_t mid_done; /* jobs that mid has finished */
static volatile uint32_t lo_done_jobs;
static volatile int32_t
        boxed; /* items that went in, minus those that came out */

static void should(bool right, const char *what)
{
    if (!right && inj.wrong == NULL) {
        inj.wrong = what;
    }
}

/* Lets lo run until it waits. */
static void lo_rest(void)
{
    (void)al_task_set_prio(al_task_id_self(), 4);
    (void)al_task_set_prio(al_task_id_self(), 10);
}

static void lo_begin_now(void (*job)(void))
{
    lo_begin(job);
    lo_rest();
}

static void mid_begin(void (*job)(void))
{
    mid_job = job;
    mid_done = 0;
    al_sem_give(&mid_go);
}

static void mid_end(void)
{
    should(mid_done == 1, "mid is not served, or twice");
    mid_job = NULL;
}

/* Once as AL_IRQ handlers do it, once as raw ones do. */
static al_status irq_set(uint32_t bits)
{
    return inj.fpu == 0 ? al_irq_event_set(&event, bits)
                        : al_irq_raw_event_set(&event, bits);
}

static void set_1(void)
{
    should(irq_set(1) == AL_OK, "a set was refused");
}

static void set_2(void)
{
    should(irq_set(2) == AL_OK, "a set was refused");
}

static void op_event_free(void)
{
    uint32_t got;

    al_event_set(&event, 5);
    should((al_event_clear(&event, 4) & 5) == 5, "a bit is not set");
    should(al_event_wait(&event, 1, AL_EVENT_ALL, AL_POLL, &got) == AL_OK &&
                    got == 1,
            "a bit is not there");
}

static void after_event(void)
{
    should((al_event_clear(&event, ~0u) & ~2u) == 0, "a bit is left");
}

static void mid_wait_all(void)
{
    uint32_t got = 0;
    al_status status = al_event_wait(&event, 3, AL_EVENT_ALL, AL_FOREVER, &got);

    should(status == AL_OK && got == 3, "a wait for all, satisfied by less");
    mid_done++;
}

static void before_event_set(void)
{
    mid_begin(mid_wait_all);
}

static void op_event_set(void)
{
    al_event_set(&event, 1);
    al_event_set(&event, 2);
}

static void after_event_set(void)
{
    mid_end();
    after_event();
}

static void lo_wait_1(void)
{
    al_status status = al_event_wait(&event, 1, AL_EVENT_ANY, AL_FOREVER, NULL);

    should(status == AL_OK, "not satisfied");
    lo_done_jobs++;
}

/* mid looks for two bits, lo for one of them. */
static void before_event_two(void)
{
    lo_done_jobs = 0;
    mid_begin(mid_wait_all);
    lo_begin_now(lo_wait_1);
}

static void op_event_two(void)
{
    al_event_set(&event, 1);
    al_event_set(&event, 2);
}

static void after_event_two(void)
{
    al_event_set(&event, 3);
    al_event_set(&event, 1);
    lo_wait();
    should(lo_done_jobs == 1, "lo is not served");
    mid_end();
    (void)al_event_clear(&event, ~0u);
}

static void lo_set_1(void)
{
    al_event_set(&event, 1);
}

static void before_event_blocks(void)
{
    lo_begin(lo_set_1);
}

static void op_event_blocks(void)
{
    uint32_t got = 0;
    al_status status = al_event_wait(&event, 9, AL_EVENT_ANY, AL_FOREVER, &got);

    should(status == AL_OK && got == 1, "not satisfied by its bit");
}

static void after_event_blocks(void)
{
    lo_wait();
    (void)al_event_clear(&event, 1);
}

static void op_event_late(void)
{
    uint32_t got = 5;
    al_status status = al_event_wait(&event, 1, AL_EVENT_ANY, al_in(1), &got);

    should((status == AL_OK && got == 1) ||
                    (status == AL_E_TIMEOUT && got == 0),
            "neither satisfied nor late");
}

static void mid_wait_destroyed(void)
{
    al_status status = al_event_wait(&event, 1, AL_EVENT_ANY, AL_FOREVER, NULL);

    should(status == AL_OK || status == AL_E_DESTROYED, "neither of two ends");
    mid_done++;
}

static void set_if_there(void)
{
    (void)irq_set(1);
}

static void before_event_end(void)
{
    mid_begin(mid_wait_destroyed);
}

static void op_event_end(void)
{
    al_event_destroy(&event);
}

static void after_event_end(void)
{
    should(event.post.tag == 0 && event.post.pending == 0 &&
                    al_irq_event_set(&event, 1) == AL_E_DESTROYED,
            "not destroyed");
    mid_end();
    al_event_init(&event);
}

static void wait_for_cond(al_time deadline)
{
    al_status status;

    lock(&m1);
    status = al_cond_wait_until(&cond, &m1, deadline);
    should(al_mutex_is_mine(&m1) &&
                    (status == AL_OK ||
                            (status == AL_E_TIMEOUT && deadline != AL_FOREVER)),
            "a wait for a condition");
    al_mutex_unlock(&m1);
}

static void mid_cond(void)
{
    wait_for_cond(AL_FOREVER);
    mid_done++;
}

static void lo_cond(void)
{
    wait_for_cond(AL_FOREVER);
    lo_done_jobs++;
}

static void lo_signal(void)
{
    lock(&m1);
    al_cond_signal(&cond);
    al_mutex_unlock(&m1);
}

static void lo_signal_and_tick(void)
{
    rig_pend_tick();
    lo_signal();
}

static void before_cond_signal(void)
{
    mid_begin(mid_cond);
}

static void op_cond_signal(void)
{
    lock(&m1);
    al_cond_signal(&cond);
    al_mutex_unlock(&m1);
}

static void before_cond_wait(void)
{
    lo_begin(lo_signal);
}

static void op_cond_wait(void)
{
    wait_for_cond(AL_FOREVER);
}

static void before_cond_late(void)
{
    lo_begin(lo_signal_and_tick);
}

static void op_cond_late(void)
{
    wait_for_cond(al_in(1));
}

static void before_cond_broadcast(void)
{
    lo_done_jobs = 0;
    mid_begin(mid_cond);
    lo_begin_now(lo_cond);
}

static void op_cond_broadcast(void)
{
    al_cond_broadcast(&cond);
}

static void after_cond_broadcast(void)
{
    lo_wait();
    should(lo_done_jobs == 1, "lo is not woken");
    mid_end();
}

/* Items are counted: nothing is lost, nothing comes twice. */
static void came(int32_t items)
{
    (void)__atomic_fetch_add(&boxed, items, __ATOMIC_RELAXED);
}

static void box_post(void)
{
    al_status status = inj.fpu == 0 ? al_irq_mailbox_post(&box, &box)
                                    : al_irq_raw_mailbox_post(&box, &box);

    if (status == AL_OK) {
        came(1);
    }
    should(status == AL_OK || status == AL_E_FULL, "a post's status");
}

static void box_send(al_time deadline)
{
    al_status status = al_mailbox_send_until(&box, &box, deadline);

    if (status == AL_OK) {
        came(1);
    }
    should(status == AL_OK || deadline == AL_POLL, "a send's status");
}

static void box_receive(al_time deadline)
{
    void *item = NULL;
    al_status status = al_mailbox_receive_until(&box, &item, deadline);

    if (status == AL_OK) {
        came(-1);
    }
    should(status == AL_OK ? item == &box : item == NULL && deadline == AL_POLL,
            "a receive's status, or its item");
}

static void box_drain(void)
{
    while (al_mailbox_peek(&box) != NULL) {
        box_receive(AL_POLL);
    }
}

static void after_box(void)
{
    box_drain();
    should(boxed == 0, "an item lost, or received twice");
    boxed = 0;
}

static void op_box_free(void)
{
    box_send(AL_POLL);
    box_receive(AL_POLL);
    if (al_mailbox_overwrite(&box, &box) == NULL) {
        came(1);
    }
    box_receive(AL_POLL);
}

static void mid_receive(void)
{
    box_receive(AL_FOREVER);
    mid_done++;
}

static void before_box_send(void)
{
    mid_begin(mid_receive);
}

static void op_box_send(void)
{
    box_send(AL_POLL);
}

static void after_box_send(void)
{
    mid_end();
    after_box();
}

static void lo_send(void)
{
    box_send(AL_FOREVER);
}

static void before_box_receive(void)
{
    lo_rest(); /* at the same place in each round */
    lo_begin(lo_send);
}

static void op_box_receive(void)
{
    box_receive(AL_FOREVER);
}

/* What a handler has put in may keep lo waiting. */
static void after_box_receive(void)
{
    lo_rest();
    box_drain();
    lo_wait();
    after_box();
}

static volatile bool op_sends;

/* A handler may fill the slot before op does. */
static void lo_receive(void)
{
    do {
        box_receive(AL_FOREVER);
    } while (op_sends);
}

static void before_box_blocks(void)
{
    box_send(AL_POLL);
    lo_begin(lo_receive);
}

static void op_box_blocks(void)
{
    op_sends = true;
    box_send(AL_FOREVER);
    op_sends = false;
}

static void after_box_blocks(void)
{
    lo_wait();
    after_box();
}

/* ---- channels ---- */

AL_CHAN(pipe, uint32_t, 2);
static volatile int32_t piped; /* items in, minus items out */

static void flowed(int32_t items)
{
    (void)__atomic_fetch_add(&piped, items, __ATOMIC_RELAXED);
}

static void pipe_post(void)
{
    al_status status = inj.fpu == 0 ? al_irq_chan_send(&pipe, 7)
                                    : al_irq_raw_chan_send(&pipe, 7);

    if (status == AL_OK) {
        flowed(1);
    }
    should(status == AL_OK || status == AL_E_FULL ||
                    (status == AL_E_CLOSED && pipe.al.chan.closed != 0),
            "a handler's send's status");
}

static void pipe_send(al_time deadline)
{
    al_status status = al_chan_send_until(&pipe, 7, deadline);

    if (status == AL_OK) {
        flowed(1);
    }
    should(status == AL_OK || deadline == AL_POLL, "a send's status");
}

static al_status pipe_receive(al_time deadline)
{
    uint32_t item = 7;
    al_status status = al_chan_recv_until(&pipe, &item, deadline);

    if (status == AL_OK) {
        flowed(-1);
    }
    should(item == 7, "an item that nobody sent");
    return status;
}

static void after_pipe(void)
{
    while (pipe_receive(AL_POLL) == AL_OK) {
    }
    should(piped == 0 && al_chan_count(&pipe) == 0,
            "an item lost, or received twice");
    piped = 0;
}

static void op_pipe_free(void)
{
    pipe_send(AL_POLL);
    should(pipe_receive(AL_POLL) == AL_OK, "an item is not there");
}

static void mid_pipe_receive(void)
{
    al_status status = pipe_receive(AL_FOREVER);

    should(status == AL_OK || (status == AL_E_CLOSED && pipe.al.chan.closed),
            "a receive's status");
    mid_done++;
}

static void before_pipe_send(void)
{
    mid_begin(mid_pipe_receive);
}

static void op_pipe_send(void)
{
    pipe_send(AL_POLL);
}

static void after_pipe_send(void)
{
    mid_end();
    after_pipe();
}

static void lo_pipe_send(void)
{
    pipe_send(AL_FOREVER);
}

static void before_pipe_receive(void)
{
    lo_rest(); /* at the same place in each round */
    lo_begin(lo_pipe_send);
}

static void op_pipe_receive(void)
{
    should(pipe_receive(AL_FOREVER) == AL_OK, "a receive's status");
}

/* What handlers have put in may keep lo waiting. */
static void after_pipe_receive(void)
{
    lo_rest();
    while (pipe_receive(AL_POLL) == AL_OK) {
    }
    lo_wait();
    after_pipe();
}

/* A handler may fill the room before op does. */
static void lo_pipe_receive(void)
{
    do {
        should(pipe_receive(AL_FOREVER) == AL_OK, "a receive's status");
    } while (op_sends);
}

static void before_pipe_blocks(void)
{
    pipe_send(AL_POLL);
    pipe_send(AL_POLL);
    lo_begin(lo_pipe_receive);
}

static void op_pipe_blocks(void)
{
    op_sends = true;
    pipe_send(AL_FOREVER);
    op_sends = false;
}

static void after_pipe_blocks(void)
{
    lo_wait();
    after_pipe();
}

static void op_pipe_close(void)
{
    al_chan_close(&pipe);
}

static void after_pipe_close(void)
{
    mid_end();
    after_pipe();
    al_chan_destroy(&pipe);
    should(al_irq_chan_send(&pipe, 1) == AL_E_DESTROYED, "not destroyed");
    al_chan_init(&pipe);
}

static void lo_dies(void)
{
    AL_CHAN_SENDER_SCOPED(&pipe);
    al_panic("a peer");
}

static void before_pipe_peer(void)
{
    lo_begin(lo_dies);
}

/* Handlers' items come before, or after, the news. */
static void op_pipe_peer(void)
{
    al_status status;

    do {
        status = pipe_receive(AL_FOREVER);
    } while (status == AL_OK);
    should(status == AL_E_PEER_RESTARTED, "a peer's death is not told");
}

static void after_pipe_peer(void)
{
    lo_rest();
    after_pipe();
}

/* ---- software timers, parking ---- */

static struct al_sem due = AL_SEM_INIT(0, 1000000);
static struct al_timer soft = AL_TIMER_INIT_SEM(&due);
static struct al_task_id op_id;

static void soft_start(void)
{
    al_status status = inj.fpu == 0 ? al_irq_timer_start(&soft, 1, 1)
                                    : al_irq_raw_timer_start(&soft, 1, 1);

    should(status == AL_OK, "a start was refused");
}

static void op_soft_start(void)
{
    should(al_timer_start(&soft, 3, 3) == AL_OK && al_timer_is_running(&soft),
            "a start's status");
    (void)al_timer_stop(&soft);
}

static void op_soft_expires(void)
{
    (void)al_timer_start(&soft, 1, 0);
    rig_pend_tick();
    /* Or a handler has started it anew before that. */
    should(al_sem_try_take(&due) == AL_OK || al_timer_is_running(&soft),
            "not given at its tick");
}

static void after_soft(void)
{
    struct al_timer_info info;

    (void)al_timer_stop(&soft);
    al_timer_read(&soft, &info);
    should(!info.running && soft.places == 0 && soft.control == 0,
            "stopped, and not at rest");
    while (al_sem_try_take(&due) == AL_OK) {
    }
}

/* A start with a period: due at each tick from the next one on. */
static void after_soft_runs(void)
{
    if (al_timer_is_running(&soft)) {
        uint32_t given = (uint32_t)al_sem_count(&due);

        rig_pend_tick();
        should((uint32_t)al_sem_count(&due) == given + 1,
                "a start by a handler is lost");
    }
    after_soft();
}

static void wake_op(void)
{
    al_status status = inj.fpu == 0 ? al_irq_task_wake(op_id)
                                    : al_irq_raw_task_wake(op_id);

    should(status == AL_OK, "a wake was refused");
}

static void lo_wake(void)
{
    (void)al_task_wake(op_id);
}

static void before_park(void)
{
    op_id = al_task_id_self();
    lo_begin(lo_wake);
}

static void op_park(void)
{
    should(al_task_park(AL_FOREVER) == AL_OK, "parked, and not woken");
}

/* lo's word, or a handler's second one, is still there. */
static void after_park(void)
{
    lo_wait();
    (void)al_task_park(AL_POLL);
    should(al_task_park(AL_POLL) == AL_E_TIMEOUT, "two wakes are not one");
}

/* A task that waits at an end finds nothing there, and others know of it. */
static const char *check_pipe(void)
{
    const struct al_chan *chan = &pipe.al.chan;
    uint32_t items = al_chan_count(&pipe);
    bool receives = chan->waiters[AL_CHAN_RECEIVER].head != NULL;
    bool sends = chan->waiters[AL_CHAN_SENDER].head != NULL;

    if (chan->post.pending != 0 || soft.post.pending != 0) {
        return "a post of a channel, or a timer, is left";
    }
    if ((receives && items != 0) || (sends && items != 2)) {
        return "a channel serves late, or never";
    }
    if ((receives && (chan->tail & AL_CHAN_OPEN) != 0) ||
            (sends && (chan->head & AL_CHAN_OPEN) != 0)) {
        return "a channel's short way is open though a task waits";
    }
    return NULL;
}

static const char *check_objects(void)
{
    const char *wrong = rig_check_event(&event);

    if (wrong != NULL || box.post.pending != 0) {
        return wrong != NULL ? wrong : "a post of an object is left";
    }
    if (box.item != NULL ? box.receivers.head != NULL
                         : box.senders.head != NULL) {
        return "a mailbox hands over late, or never";
    }
    return check_pipe();
}

const struct scenario scenarios[] = {
        {"nothing", NULL, op_empty, NULL, &plain, NULL},
        {"yield alone", NULL, op_yield_alone, NULL, &plain, NULL},
        {"yield to a peer", before_yield, op_yield_alone, after_yield, &plain,
                NULL},
        {"semaphore, free", NULL, op_sem_free, NULL, &plain, NULL},
        {"semaphore, full and empty", NULL, op_sem_bounds, NULL, &bounded,
                NULL},
        {"take blocks", before_blocks, op_blocks, lo_wait, &blocks, NULL},
        {"take blocks, to a preempted task", before_blocks_preempted, op_blocks,
                lo_wait, &blocks, NULL},
        {"give to a more urgent task", NULL, op_give_up, NULL, &mid_go, NULL},
        {"give to a less urgent task", NULL, op_give_down, lo_wait, &plain,
                NULL},
        {"mutex, free", NULL, op_mutex_free, NULL, &plain, NULL},
        {"two mutexes, in order taken", NULL, op_mutex_two, NULL, &plain, NULL},
        {"mutex, contended", before_contended, op_contended, lo_wait, &plain,
                NULL},
        {"mutex, handed over", before_handover, op_handover, after_handover,
                &plain, NULL},
        {"heap", NULL, op_heap, NULL, &plain, NULL},
        {"heap, free and cut", NULL, op_free_and_cut, NULL, &plain, NULL},
        {"sleep", before_sleep, op_sleep, lo_wait, &plain, NULL},
        {"no sleep", NULL, op_no_sleep, NULL, &plain, NULL},
        {"read a task", NULL, op_read, NULL, &plain, NULL},
        {"event set, free", NULL, op_event_free, after_event, &plain, set_2},
        {"event set, satisfies", before_event_set, op_event_set,
                after_event_set, &plain, set_2},
        {"event set, two wait", before_event_two, op_event_two, after_event_two,
                &plain, set_1},
        {"event set, wait", before_event_blocks, op_event_blocks,
                after_event_blocks, &plain, set_1},
        {"event set, late", before_sleep, op_event_late, after_event_blocks,
                &plain, set_1},
        {"event set, destroyed", before_event_end, op_event_end,
                after_event_end, &plain, set_if_there},
        {"condition, signal", before_cond_signal, op_cond_signal, mid_end,
                &plain, NULL},
        {"condition, wait", before_cond_wait, op_cond_wait, lo_wait, &plain,
                NULL},
        {"condition, late", before_cond_late, op_cond_late, lo_wait, &plain,
                NULL},
        {"condition, broadcast", before_cond_broadcast, op_cond_broadcast,
                after_cond_broadcast, &plain, NULL},
        {"mailbox, free", NULL, op_box_free, after_box, &plain, box_post},
        {"mailbox, send", before_box_send, op_box_send, after_box_send, &plain,
                box_post},
        {"mailbox, receive", before_box_receive, op_box_receive,
                after_box_receive, &plain, box_post},
        {"mailbox, send waits", before_box_blocks, op_box_blocks,
                after_box_blocks, &plain, box_post},
        {"channel, free", NULL, op_pipe_free, after_pipe, &plain, pipe_post},
        {"channel, send", before_pipe_send, op_pipe_send, after_pipe_send,
                &plain, pipe_post},
        {"channel, receive", before_pipe_receive, op_pipe_receive,
                after_pipe_receive, &plain, pipe_post},
        {"channel, send waits", before_pipe_blocks, op_pipe_blocks,
                after_pipe_blocks, &plain, pipe_post},
        {"channel, closed", before_pipe_send, op_pipe_close, after_pipe_close,
                &plain, pipe_post},
        {"channel, a peer dies", before_pipe_peer, op_pipe_peer,
                after_pipe_peer, &plain, pipe_post},
        {"timer, started and stopped", NULL, op_soft_start, after_soft_runs,
                &plain, soft_start},
        {"timer, expires", NULL, op_soft_expires, after_soft_runs, &plain,
                soft_start},
        {"park", before_park, op_park, after_park, &plain, wake_op},
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
        wrong = check_objects();
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
