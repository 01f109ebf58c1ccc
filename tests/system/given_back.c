/* SPDX-License-Identifier: MIT */
/*
 * Claim: each row of given_back.def: what becomes of what a task has when it
 * dies.
 *   for each row: the victim comes to have it, and dies; when it has begun
 *   again, it is as the row says
 * Fails if: it is lost, or kept, where the row says otherwise.
 * builds: gcc-O0 gcc-O2 gcc-Os-small clang-O2 clang-Os
 * sources: ../support/recover.c
 */
#include <alula/alula.h>

#include <errno.h>

#include "../support/recover.h"

#include "test.h"

#define LINE 17u
#define ISER (*(volatile uint32_t *)0xe000e100u)

static struct al_mutex mutex = AL_MUTEX_INIT;
static struct al_mutex recursive = AL_MUTEX_INIT_RECURSIVE;
static struct al_cond cond;
static struct al_sem sem = AL_SEM_INIT(2, 2);
static struct al_timer timer = AL_TIMER_INIT_SEM(&sem);
static struct al_event event;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
AL_CHAN(chan, uint32_t, 2);
AL_TASK_STATE(trip, uint32_t);

static void *block;
static size_t used;
static uint32_t seen;
static struct al_task_id child;
static al_status waited;
static struct al_sem *volatile wanted;

/* Waits for what is in the victim's stack; counts as done when it is told. */
static struct al_sem waiter_go = AL_SEM_INIT(0, 1);

static void waiter_main(void)
{
    for (;;) {
        al_sem_take(&waiter_go);
        waited = al_sem_take_until(wanted, AL_FOREVER);
    }
}

AL_TASK(waiter, waiter_main, RIG_PRIO + 1, 1024);

/* ---- each row ---- */

static void defer_hold(void)
{
    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_DEFER(rig_mark, RIG_MARK('i'));
    al_panic("defer");
}

static bool defer_look(void)
{
    return rig_log_is("io");
}

static bool free_and_poisoned(struct al_mutex *it)
{
    bool so = !al_mutex_is_held(it) && al_mutex_lock(it) == AL_E_POISONED;

    al_mutex_heal(it);
    al_mutex_unlock(it);
    return so;
}

static void mutex_hold(void)
{
    rig_lock(&mutex);
    al_panic("mutex");
}

static bool mutex_look(void)
{
    return free_and_poisoned(&mutex);
}

static void recursive_hold(void)
{
    rig_lock(&recursive);
    rig_lock(&recursive);
    rig_lock(&recursive);
    al_panic("recursive");
}

static bool recursive_look(void)
{
    return free_and_poisoned(&recursive);
}

static void cond_hold(void)
{
    AL_DEADLINE(2);
    rig_lock(&mutex);
    (void)al_cond_wait(&cond, &mutex);
    rig_note('!');
}

static bool cond_look(void)
{
    al_status status = al_mutex_try_lock(&mutex);

    if (status == AL_E_POISONED) {
        al_mutex_heal(&mutex);
    }
    if (status != AL_E_BUSY) {
        al_mutex_unlock(&mutex);
    }
    return status != AL_E_BUSY && rig_log_is("");
}

static void scoped_block_hold(void)
{
    AL_HEAP_SCOPED(mine, 40);
    al_panic(mine == NULL ? "no memory" : "scoped block");
}

static bool scoped_block_look(void)
{
    return rig_heap_used() == used && rig_record.heap_left == seen;
}

static void plain_block_hold(void)
{
    block = al_heap_alloc(40);
    al_panic("plain block");
}

static bool plain_block_look(void)
{
    struct al_task_info info;
    bool so;

    al_task_read(&rig_victim, &info);
    so = rig_record.heap_left >= seen + 40 && info.heap_bytes >= seen + 40 &&
         rig_heap_used() > used;
    al_heap_free(block);
    al_task_read(&rig_victim, &info);
    return so && info.heap_bytes == seen;
}

static void given_block_hold(void)
{
    AL_HEAP_SCOPED(mine, 40);
    block = mine;
    al_panic(al_heap_give(mine, al_task_id_of(&waiter)) == AL_OK ? "given"
                                                                 : "kept");
}

static bool given_block_look(void)
{
    bool so = rig_heap_used() > used && rig_record.heap_left == seen;

    al_heap_free(block);
    return so && rig_heap_used() == used;
}

static void sem_hold(void)
{
    al_sem_take(&sem);
    al_panic("unit");
}

static bool sem_look(void)
{
    return al_sem_count(&sem) == 1 && al_sem_give(&sem) == AL_OK;
}

static void scoped_sem_hold(void)
{
    al_status status;

    AL_SEM_SCOPED(&sem, status, AL_POLL);
    al_panic(status == AL_OK && al_sem_count(&sem) == 1 ? "unit" : "none");
}

static bool scoped_sem_look(void)
{
    return al_sem_count(&sem) == 2 && rig_record.cause == AL_CAUSE_PANIC &&
           rig_record.nested == 0;
}

static void timer_hold(void)
{
    al_sem_take(&sem);
    (void)al_timer_start(&timer, 3, 0);
    al_panic("timer");
}

static bool timer_look(void)
{
    bool before = al_sem_count(&sem) == 1;

    al_sleep(5);
    return before && al_sem_count(&sem) == 2;
}

static void scoped_timer_hold(void)
{
    AL_TIMER_SCOPED(&timer);
    al_sem_take(&sem);
    (void)al_timer_start(&timer, 3, 0);
    al_panic("timer");
}

static bool scoped_timer_look(void)
{
    bool stopped = !al_timer_is_running(&timer);

    al_sleep(5);
    return stopped && al_sem_count(&sem) == 1 && al_sem_give(&sem) == AL_OK;
}

static void sem_destroy(void *it)
{
    al_sem_destroy((struct al_sem *)it);
}

static void timer_destroy(void *it)
{
    al_timer_destroy((struct al_timer *)it);
}

static void stack_stray_hold(void)
{
    struct al_sem mine = AL_SEM_INIT(0, 1);
    struct al_timer clock = AL_TIMER_INIT_SEM(&mine);

    wanted = &mine;
    waited = AL_OK;
    (void)al_sem_give(&waiter_go);
    (void)al_timer_start(&clock, 2, 0);
    al_panic("its stack");
}

static bool stack_stray_look(void)
{
    bool told = waited == AL_E_DESTROYED;

    al_sleep(4);
    return told && waited == AL_E_DESTROYED;
}

static void stack_timer_hold(void)
{
    struct al_sem mine = AL_SEM_INIT(0, 1);
    struct al_timer clock = AL_TIMER_INIT_SEM(&mine);
    AL_DEFER(sem_destroy, &mine);
    AL_DEFER(timer_destroy, &clock);

    wanted = &mine;
    waited = AL_OK;
    (void)al_sem_give(&waiter_go);
    (void)al_timer_start(&clock, 2, 0);
    al_panic("its stack");
}

static bool stack_timer_look(void)
{
    bool told = waited == AL_E_DESTROYED;

    al_sleep(4);
    return told && waited == AL_E_DESTROYED;
}

static void stack_local_hold(void)
{
    AL_SEM_LOCAL(mine, 0, 1);
    AL_TIMER_LOCAL(clock, AL_TIMER_INIT_SEM(&mine));

    wanted = &mine;
    waited = AL_OK;
    (void)al_sem_give(&waiter_go);
    (void)al_timer_start(&clock, 2, 0);
    al_panic("its stack");
}

static bool stack_local_look(void)
{
    bool told = waited == AL_E_DESTROYED && rig_record.nested == 0;

    al_sleep(4);
    return told && waited == AL_E_DESTROYED;
}

static struct al_lease lent;

static void lease_hold(void)
{
    char line[8];
    al_status status;

    AL_DEFER(rig_mark, RIG_MARK('o'));
    AL_LEASE_SCOPED(&lent, status, line, sizeof(line), rig_mark, RIG_MARK('s'));
    al_panic(status == AL_OK ? "lent" : "not lent");
}

static bool lease_look(void)
{
    return rig_log_is("so") && al_irq_raw_lease_buffer(&lent) == NULL;
}

static void peer_hold(void)
{
    AL_CHAN_SENDER_SCOPED(&chan);
    seen = (uint32_t)al_chan_send(&chan, 7u);
    al_panic("peer");
}

static bool peer_look(void)
{
    uint32_t item = 0;
    al_status told = (al_status)al_chan_recv(&chan, &item);
    al_status next = (al_status)al_chan_recv(&chan, &item);

    return told == AL_E_PEER_RESTARTED && next == AL_OK && item == 7;
}

static void mailbox_hold(void)
{
    (void)al_mailbox_overwrite(&mailbox, &mailbox);
    al_panic("mailbox");
}

static bool mailbox_look(void)
{
    void *item = NULL;

    return al_mailbox_receive_until(&mailbox, &item, AL_POLL) == AL_OK &&
           item == &mailbox;
}

static void event_hold(void)
{
    al_event_set(&event, 6);
    al_panic("event");
}

static bool event_look(void)
{
    return al_event_wait(&event, 6, AL_EVENT_ALL, AL_POLL, NULL) == AL_OK;
}

static void guard_hold(void)
{
    AL_DEADLINE(3);
    AL_BUDGET(2, 3);
    AL_WATCH(dog, 3);
    al_panic("guards");
}

static bool guard_look(void)
{
    uint32_t starts = rig_starts;

    al_sleep(10);
    return rig_starts == starts;
}

static void line_hold(void)
{
    al_irq_enable(LINE, AL_PRIO_IRQ(2));
    al_panic("line");
}

static bool line_look(void)
{
    bool so = (ISER & 1u << LINE) != 0;

    al_irq_disable(LINE);
    return so;
}

static void scoped_line_hold(void)
{
    AL_IRQ_SCOPED(LINE, AL_PRIO_IRQ(2));
    seen = (ISER & 1u << LINE) != 0;
    al_panic("line");
}

static bool scoped_line_look(void)
{
    return seen && (ISER & 1u << LINE) == 0;
}

static void child_main(void *args)
{
    (void)args;
    (void)al_task_park(AL_FOREVER);
}

static void child_hold(void)
{
    static const struct al_task_params params = {
            .entry = child_main, .stack_bytes = 1024, .prio = RIG_PRIO};

    al_panic(al_task_spawn(&params, &child) == AL_OK ? "child" : "no memory");
}

static bool child_look(void)
{
    return al_task_wake(child) == AL_OK &&
           al_task_join(child, al_in(5)) == AL_OK;
}

/* What its parent opened earlier finds it ended. */
static void child_told(void *unused)
{
    (void)unused;
    rig_note(al_task_wake(child) == AL_E_STALE ? 'e' : 'l');
}

static void scoped_child_hold(void)
{
    static const struct al_task_params params = {
            .entry = child_main, .stack_bytes = 1024, .prio = RIG_PRIO - 2};

    child.task = NULL;
    AL_DEFER(child_told, NULL);
    AL_TASK_SCOPED(&child);
    al_panic(al_task_spawn(&params, &child) == AL_OK ? "child" : "no memory");
}

static bool scoped_child_look(void)
{
    return rig_log_is("e") && rig_heap_used() == used;
}

static _Thread_local volatile uint32_t local = 5;

static void locals_hold(void)
{
    local = 6;
    errno = 7;
    al_panic("locals");
}

static void locals_tell(void)
{
    seen = local == 5 && errno == 0;
}

static bool locals_look(void)
{
    (void)rig_run(locals_tell);
    return seen != 0;
}

static void checkpoint_hold(void)
{
    *trip_begin() = 8;
    al_task_checkpoint(&trip);
    *trip_begin() = 9;
    al_panic("checkpoint");
}

static bool checkpoint_look(void)
{
    return *trip_begin() == 8;
}

static void prio_hold(void)
{
    (void)al_task_set_prio(al_task_id_self(), RIG_PRIO + 3);
    al_panic("priority");
}

static bool prio_look(void)
{
    struct al_task_info info;

    al_task_read(&rig_victim, &info);
    return info.prio == RIG_PRIO && info.base_prio == RIG_PRIO;
}

static void wake_hold(void)
{
    (void)al_task_wake(al_task_id_self());
    al_panic("wake");
}

static void wake_tell(void)
{
    seen = (uint32_t)al_task_park(AL_POLL);
}

static bool wake_look(void)
{
    seen = 1;
    (void)rig_run(wake_tell);
    return seen == AL_OK;
}

static volatile uint32_t counted;

static void statics_hold(void)
{
    counted = 3;
    al_panic("statics");
}

static bool statics_look(void)
{
    return counted == 3;
}

/* ---- all of them ---- */

static const struct row {
    const char *name;
    void (*hold)(void);
    bool (*look)(void);
} rows[] = {
#define GIVEN(name, has, becomes) {#name, name##_hold, name##_look},
#include "given_back.def"
#undef GIVEN
};

static void judge_main(void)
{
    struct al_task_info info;

    al_cond_init(&cond);
    al_event_init(&event);
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t starts = rig_starts;

        /* Not what the restart policy does. */
        al_time_skip(2 * AL_TICK_HZ);
        used = rig_heap_used();
        al_task_read(&rig_victim, &info);
        seen = info.heap_bytes;
        (void)rig_run(rows[i].hold);
        while (rig_starts == starts) {
            al_sleep(1);
        }
        CHECK(rows[i].look(), "%s", rows[i].name);
    }
    test_done();
}

AL_TASK(judge, judge_main, RIG_PRIO - 1, 2048);
