/* SPDX-License-Identifier: MIT */
/*
 * A task in C++ dies twice, two calls deep, with objects in both frames and a
 * registered scope between them. Ends with status 0 if each destructor ran
 * once per start, in order with the scope, innermost first, and if an event
 * set, a condition variable, a mailbox and channels work from C++.
 */
#include <alula/alula.h>

#include <board.h>

static al_sem settled = AL_SEM_INIT(0, 5);
struct reading {
    int8_t kind;
    double value;
};
AL_CHAN(readings, reading, 2);
AL_CHAN(letters, char, 4);
static volatile int starts;
static volatile char order[16];
static volatile int noted;

static void note(char what)
{
    if (noted < 15) {
        order[noted] = what;
        noted = noted + 1;
    }
}

struct guard {
    char name;
    ~guard()
    {
        note(name);
    }
};

static void note_scope(void *)
{
    note('s');
}

__attribute__((noinline)) static void inner()
{
    guard g{'i'};

    if (starts < 3) {
        al_panic("test");
    }
}

static void victim_main()
{
    starts = starts + 1;
    guard g{'o'};
    AL_DEFER(note_scope, nullptr);
    inner();
    al_sem_give(&settled);
    al_sleep(1000000);
}

AL_TASK(victim, victim_main, 5, 1024);

static al_event bits = AL_EVENT_INIT;
static al_mailbox box = AL_MAILBOX_INIT;
static al_cond cond = AL_COND_INIT;
static al_mutex mutex = AL_MUTEX_INIT;
static al_event made_bits;
static al_mailbox made_box;
static al_cond made_cond;

static bool objects_work()
{
    uint32_t got = 0;
    void *item = nullptr;

    al_event_init(&made_bits);
    al_mailbox_init(&made_box);
    al_cond_init(&made_cond);
    al_event_set(&bits, 3);
    if (al_event_wait(&bits, 2, AL_EVENT_ALL, AL_POLL, &got) != AL_OK ||
            got != 2 || al_event_get(&bits) != 1) {
        return false;
    }
    if (al_mailbox_send_until(&box, &got, AL_FOREVER) != AL_OK ||
            al_mailbox_receive_until(&box, &item, AL_POLL) != AL_OK ||
            item != &got) {
        return false;
    }
    if (al_mutex_lock(&mutex) != AL_OK ||
            al_cond_wait_until(&cond, &mutex, al_in(1)) != AL_E_TIMEOUT ||
            !al_mutex_is_mine(&mutex)) {
        return false;
    }
    al_cond_broadcast(&cond);
    al_cond_destroy(&made_cond);
    al_event_destroy(&made_bits);
    al_mailbox_destroy(&made_box);
    return true;
}

/* Channels of the same program: items of 1 and of 16 bytes. */
static bool channels_work()
{
    const reading sent = {7, 2.5};
    reading received = {0, 0};
    char letter = 'x';

    return al_chan_send(&readings, sent) == AL_OK &&
           al_chan_recv(&readings, &received) == AL_OK && received.kind == 7 &&
           received.value == 2.5 && al_chan_try_send(&letters, 'q') == AL_OK &&
           al_chan_recv_until(&letters, &letter, AL_POLL) == AL_OK &&
           letter == 'q';
}

static al_sem spare = AL_SEM_INIT(1, 1);
static al_timer tick = AL_TIMER_INIT_SEM(&spare);

static bool scopes_work()
{
    al_status status;

    {
        AL_SEM_SCOPED(&spare, status, AL_POLL);
        AL_TIMER_SCOPED(&tick);
        AL_SEM_LOCAL(done, 0, 1);
        AL_EVENT_LOCAL(seen);
        AL_MAILBOX_LOCAL(letter);
        AL_COND_LOCAL(changed);
        AL_TIMER_LOCAL(soon, AL_TIMER_INIT_SEM(&done));
        AL_IRQ_SCOPED(18, AL_PRIO_IRQ(0));
        al_task_id nobody = {};
        AL_TASK_SCOPED(&nobody);
        if (status != AL_OK || al_sem_count(&spare) != 0 ||
                al_timer_start(&tick, 1000, 0) != AL_OK) {
            return false;
        }
    }
    return al_sem_count(&spare) == 1 && !al_timer_is_running(&tick);
}

static void judge_main()
{
    static const char expected[] = "isoisoi";

    al_sem_take(&settled);
    if (!objects_work() || !channels_work() || !scopes_work()) {
        board_exit(2);
    }
    for (int i = 0; i < 7; i++) {
        if (order[i] != expected[i]) {
            board_exit(10 + i);
        }
    }
    board_exit(noted == 7 && al_crash_count() == 2 ? 0 : 1);
}

AL_TASK(judge, judge_main, 6, 4096);
