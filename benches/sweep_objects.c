/* SPDX-License-Identifier: MIT */
/*
 * More operations that are swept: channels, mailboxes, timers, event sets,
 * condition variables, and what ends while tasks wait for it. See sweep.h.
 */
#include "sweep.h"

#define NVIC_ISPR0     (*(volatile uint32_t *)0xe000e200u)
#define ICSR           (*(volatile uint32_t *)0xe000ed04u)
#define ICSR_PENDSTSET (1u << 26)
#define LINE_SENDS     7u  /* PORT1_ALL: no device on this board */
#define LINE_SETS      16u /* PORT2_ALL */
#define LINE_POSTS     17u /* PORT3_ALL */

#define WAITERS 4

static struct al_sem aide_go = AL_SEM_INIT(0, 1);
static struct al_sem aide_done = AL_SEM_INIT(0, 1);
static struct al_sem doomed = AL_SEM_INIT(0, 1);
static struct al_sem gather = AL_SEM_INIT(0, WAITERS);
static struct al_event events = AL_EVENT_INIT;
static struct al_event answer = AL_EVENT_INIT;
static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_cond changed = AL_COND_INIT;
static struct al_mailbox box = AL_MAILBOX_INIT;
static struct al_mailbox fetched = AL_MAILBOX_INIT;
static char letter;
AL_CHAN(plain, uint32_t, 4);
AL_CHAN(served, uint32_t, 4);
AL_CHAN(narrow, uint32_t, 1);
static void (*volatile aide_job)(void);
static void (*volatile gathered_for)(unsigned which);

static void must(bool right)
{
    if (!right) {
        al_panic("not what was expected");
    }
}

/* ---- tasks ---- */

/* Less urgent than the operator, which waits for it with aide_wait(). */
static void aide_main(void)
{
    for (;;) {
        al_sem_take(&aide_go);
        aide_job();
        (void)al_sem_give(&aide_done);
    }
}

AL_TASK(aide, aide_main, 6, 1024);

static void aide_begin(void (*job)(void))
{
    aide_job = job;
    (void)al_sem_give(&aide_go);
}

static void aide_wait(void)
{
    al_sem_take(&aide_done);
}

static void server_main(void)
{
    for (;;) {
        uint32_t item;

        must(al_chan_recv(&served, &item) == AL_OK);
    }
}

AL_TASK(server, server_main, 16, 1024);

static void listener_main(void)
{
    for (;;) {
        must(al_event_wait(&events, 1u << WAITERS, AL_EVENT_ANY, AL_FOREVER,
                     NULL) == AL_OK);
    }
}

AL_TASK(listener, listener_main, 16, 1024);

static void fetcher_main(void)
{
    for (;;) {
        void *item;

        must(al_mailbox_receive_until(&fetched, &item, AL_FOREVER) == AL_OK);
    }
}

AL_TASK(fetcher, fetcher_main, 16, 1024);

/* More urgent ones that wait for one thing together. */
static void waiter_main(const unsigned *which)
{
    for (;;) {
        al_sem_take(&gather);
        gathered_for(*which);
    }
}

#define WAITER(n, prio)                                                 \
  AL_TASK_ARGS(waiter##n, waiter_main, prio, 1024, &al_restart_default, \
          unsigned, {n})
WAITER(0, 12);
WAITER(1, 12);
WAITER(2, 14);
WAITER(3, 17);

static void gather_for(void (*what)(unsigned which))
{
    gathered_for = what;
    for (unsigned i = 0; i < WAITERS; i++) {
        (void)al_sem_give(&gather);
    }
}

AL_IRQ(PORT1_ALL_Handler)
{
    must(al_irq_chan_send(&served, 1u) == AL_OK);
}

AL_IRQ(PORT2_ALL_Handler)
{
    must(al_irq_event_set(&events, 1u << WAITERS) == AL_OK);
}

AL_IRQ(PORT3_ALL_Handler)
{
    must(al_irq_mailbox_post(&fetched, &letter) == AL_OK);
}

static void pend(uint32_t line)
{
    NVIC_ISPR0 = 1u << line;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* ---- channels ---- */

static void op_chan_free(void)
{
    uint32_t item;

    must(al_chan_send(&plain, 1u) == AL_OK);
    must(al_chan_recv(&plain, &item) == AL_OK);
}

static void op_chan_served(void)
{
    must(al_chan_send(&served, 1u) == AL_OK);
}

static void op_chan_irq(void)
{
    pend(LINE_SENDS);
}

static void aide_sends(void)
{
    must(al_chan_send(&plain, 1u) == AL_OK);
}

static void before_chan_receive(void)
{
    aide_begin(aide_sends);
}

static void op_chan_receive(void)
{
    uint32_t item;

    must(al_chan_recv(&plain, &item) == AL_OK);
}

static void aide_receives(void)
{
    uint32_t item;

    must(al_chan_recv(&narrow, &item) == AL_OK);
}

static void before_chan_full(void)
{
    must(al_chan_try_send(&narrow, 1u) == AL_OK);
    aide_begin(aide_receives);
}

static void op_chan_full(void)
{
    must(al_chan_send(&narrow, 2u) == AL_OK);
}

static void after_chan_full(void)
{
    uint32_t item;

    aide_wait();
    must(al_chan_try_recv(&narrow, &item) == AL_OK);
}

/* ---- mailboxes ---- */

static void op_mailbox_free(void)
{
    void *item;

    must(al_mailbox_send_until(&box, &letter, AL_POLL) == AL_OK);
    must(al_mailbox_receive_until(&box, &item, AL_POLL) == AL_OK);
}

static void op_mailbox_fetched(void)
{
    must(al_mailbox_send_until(&fetched, &letter, AL_FOREVER) == AL_OK);
}

static void op_mailbox_irq(void)
{
    pend(LINE_POSTS);
}

static void aide_posts(void)
{
    must(al_mailbox_send_until(&box, &letter, AL_POLL) == AL_OK);
}

static void before_mailbox_wait(void)
{
    aide_begin(aide_posts);
}

static void op_mailbox_wait(void)
{
    void *item;

    must(al_mailbox_receive_until(&box, &item, AL_FOREVER) == AL_OK);
}

/* ---- timers ---- */

static void called(void *arg)
{
    (void)arg;
}

static struct al_sem fired = AL_SEM_INIT(0, 1);
static struct al_timer idle_timer = AL_TIMER_INIT_SEM(&fired);
static struct al_timer giver = AL_TIMER_INIT_SEM(&fired);
AL_TIMER_SERVICE(service, 15, 1024);
static struct al_timer caller = AL_TIMER_INIT_CALL(&service, called, NULL);

static void fired_main(void)
{
    for (;;) {
        al_sem_take(&fired);
    }
}

AL_TASK(fires, fired_main, 16, 1024);

static void op_timer(void)
{
    must(al_timer_start(&idle_timer, 1000, 0) == AL_OK);
    must(al_timer_stop(&idle_timer) == AL_OK);
}

static void before_timer_gives(void)
{
    must(al_timer_start(&giver, 1, 0) == AL_OK);
}

static void before_timer_calls(void)
{
    must(al_timer_start(&caller, 1, 0) == AL_OK);
}

static void op_tick(void)
{
    ICSR = ICSR_PENDSTSET;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

/* ---- event sets ---- */

static void op_event_set(void)
{
    al_event_set(&events, 1u << WAITERS);
}

static void op_event_irq(void)
{
    pend(LINE_SETS);
}

static void aide_answers(void)
{
    al_event_set(&answer, 1);
}

static void before_event_wait(void)
{
    aide_begin(aide_answers);
}

static void op_event_wait(void)
{
    must(al_event_wait(&answer, 1, AL_EVENT_ALL, AL_FOREVER, NULL) == AL_OK);
}

static void wait_for_bit(unsigned which)
{
    must(al_event_wait(&events, 1u << which, AL_EVENT_ANY, AL_FOREVER, NULL) ==
            AL_OK);
}

static void before_event_all(void)
{
    gather_for(wait_for_bit);
}

static void op_event_all(void)
{
    al_event_set(&events, (1u << WAITERS) - 1);
}

/* ---- condition variables ---- */

static void lock(void)
{
    must(al_mutex_lock(&mutex) == AL_OK);
}

static void wait_for_change(unsigned which)
{
    (void)which;
    lock();
    must(al_cond_wait(&changed, &mutex) == AL_OK);
    al_mutex_unlock(&mutex);
}

static void aide_signals(void)
{
    lock();
    al_cond_signal(&changed);
    al_mutex_unlock(&mutex);
}

static void before_cond_wait(void)
{
    aide_begin(aide_signals);
}

static void op_cond_wait(void)
{
    wait_for_change(0);
}

static void before_cond_broadcast(void)
{
    gather_for(wait_for_change);
}

static void op_cond_broadcast(void)
{
    lock();
    al_cond_broadcast(&changed);
    al_mutex_unlock(&mutex);
}

/* ---- what ends ---- */

static void wait_for_the_end(unsigned which)
{
    (void)which;
    must(al_sem_take_until(&doomed, AL_FOREVER) == AL_E_DESTROYED);
}

static void before_destroy(void)
{
    gather_for(wait_for_the_end);
}

static void op_destroy(void)
{
    al_sem_destroy(&doomed);
}

static void after_destroy(void)
{
    al_sem_init(&doomed, 0, 1);
}

#define ANY      AL_PRIO_IRQ(0)
#define OVER_IRQ AL_PRIO_IRQ(1)

const struct sweep_op sweep_objects[] = {
        {"channel, free", NULL, op_chan_free, NULL, ANY},
        {"send, receiver waits again", NULL, op_chan_served, NULL, ANY},
        {"interrupt sends", NULL, op_chan_irq, NULL, OVER_IRQ},
        {"receive waits, is sent", before_chan_receive, op_chan_receive,
                aide_wait, ANY},
        {"send waits, has room", before_chan_full, op_chan_full,
                after_chan_full, ANY},
        {"mailbox, free", NULL, op_mailbox_free, NULL, ANY},
        {"mailbox, task waits again", NULL, op_mailbox_fetched, NULL, ANY},
        {"interrupt posts", NULL, op_mailbox_irq, NULL, OVER_IRQ},
        {"mailbox waited for", before_mailbox_wait, op_mailbox_wait, aide_wait,
                ANY},
        {"timer, started and stopped", NULL, op_timer, NULL, ANY},
        {"timer gives", before_timer_gives, op_tick, NULL, ANY},
        {"timer calls", before_timer_calls, op_tick, NULL, ANY},
        {"event set, one waits again", NULL, op_event_set, NULL, ANY},
        {"interrupt sets an event", NULL, op_event_irq, NULL, OVER_IRQ},
        {"event waited for", before_event_wait, op_event_wait, aide_wait, ANY},
        {"event set, four wait", before_event_all, op_event_all, NULL, ANY},
        {"condition waited for", before_cond_wait, op_cond_wait, aide_wait,
                ANY},
        {"condition, four wait", before_cond_broadcast, op_cond_broadcast, NULL,
                ANY},
        {"semaphore ends, four wait", before_destroy, op_destroy, after_destroy,
                ANY},
};
const unsigned sweep_object_count =
        sizeof(sweep_objects) / sizeof(sweep_objects[0]);

void sweep_objects_start(void)
{
    al_irq_enable(LINE_SENDS, AL_PRIO_IRQ(0));
    al_irq_enable(LINE_SETS, AL_PRIO_IRQ(0));
    al_irq_enable(LINE_POSTS, AL_PRIO_IRQ(0));
    /* The aide reaches its first wait. */
    aide_begin(aide_signals);
    aide_wait();
}
