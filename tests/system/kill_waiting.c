/* SPDX-License-Identifier: MIT */
/*
 * Claim: a task that waits and is killed dies at its wait, whatever it waits
 * for: all that it registered comes back, the object goes on without it, and it
 * restarts, or ends, as it was said.
 *   1. for each kind of wait, without and with floating-point state, a victim
 *      two calls deep, with two deferred functions, a block of the heap and a
 *      mutex, is killed
 *   2. the record names the cause, who did it, and the wait's caller; what is
 *      given to the object afterwards goes to others
 *   3. killed with AL_KILL_END: a joiner wakes, the id is stale, a spawned task's
 *      memory is back
 *   4. it holds a mutex that others wait for: they get it, poisoned, and nobody
 *      keeps a priority; it waits for one: the holder's priority goes back
 *   5. ids: stale, none; a way that does not exist; oneself; twice
 *   6. suspended, held back, not started yet
 * Fails if: an object keeps a task that was killed, or a timer, or a priority.
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/hands.c
 * recovers: killed | waiting |
 *     it dies at its wait, which ends without effect; the object goes on
 *     without it | kill_to_restart unwind_frame unwind_scope
 */
#include "../support/hands.h"

HAND(v, 8);
HAND(w, 9);
HAND(h, 7);

static struct al_sem sem = AL_SEM_INIT(0, 10);
static struct al_mutex held_by_h = AL_MUTEX_INIT;
static struct al_mutex scoped = AL_MUTEX_INIT;
static struct al_cond cond;
static struct al_event event;
static struct al_mailbox full_box;
static struct al_mailbox empty_box;
static struct al_timer_service service = AL_TIMER_SERVICE_INIT(service);
AL_CHAN(full_chan, uint32_t, 2);
AL_CHAN(empty_chan, uint32_t, 2);

static volatile uint32_t deferred;
static volatile float real = 1.5f;
static volatile bool use_fpu;
static struct al_task_id id_v;
static struct al_task_id id_h;

static void note(void *digit)
{
    deferred = deferred * 10 + (uint32_t)(uintptr_t)digit;
}

/* ---- waits ---- */

static void wait_sem(void)
{
    al_sem_take(&sem);
}

static void wait_sem_until(void)
{
    (void)al_sem_take_until(&sem, al_in(1000));
}

static void wait_mutex(void)
{
    al_status status = al_mutex_lock(&held_by_h);

    (void)status;
}

static void wait_mutex_until(void)
{
    al_status status = al_mutex_lock_until(&held_by_h, al_in(1000));

    (void)status;
}

static void wait_cond(void)
{
    al_status status;

    AL_LOCK_SCOPED(&scoped, status);
    (void)status;
    (void)al_cond_wait(&cond, &scoped);
}

static void wait_event(void)
{
    (void)al_event_wait(&event, 6, AL_EVENT_ALL, al_in(1000), NULL);
}

static void wait_send(void)
{
    al_status status = (al_status)al_chan_send(&full_chan, 3);

    (void)status;
}

static void wait_recv(void)
{
    uint32_t item;
    al_status status = (al_status)al_chan_recv(&empty_chan, &item);

    (void)status;
}

static void wait_mailbox_send(void)
{
    (void)al_mailbox_send_until(&full_box, &sem, AL_FOREVER);
}

static void wait_mailbox_receive(void)
{
    void *item;

    (void)al_mailbox_receive_until(&empty_box, &item, AL_FOREVER);
}

static void wait_park(void)
{
    (void)al_task_park(AL_FOREVER);
}

static void wait_sleep(void)
{
    al_sleep(1000);
}

static void wait_join(void)
{
    al_status status = al_task_join(id_h, AL_FOREVER);

    (void)status;
}

static void wait_service(void)
{
    al_timer_serve(&service);
}

/* What is left to give, by the test's task, afterwards; true: nobody had it. */
static bool give_sem(void)
{
    return al_sem_give(&sem) == AL_OK && al_sem_try_take(&sem) == AL_OK;
}

static bool try_chan(void)
{
    uint32_t a = 0;
    uint32_t b = 0;
    bool was = al_chan_recv(&full_chan, &a) == AL_OK &&
               al_chan_recv(&full_chan, &b) == AL_OK && a == 1 && b == 2 &&
               al_chan_items(&full_chan.al.chan) == 0;

    return was && al_chan_send(&full_chan, 1) == AL_OK &&
           al_chan_send(&full_chan, 2) == AL_OK;
}

static bool try_recv(void)
{
    uint32_t item = 0;

    return al_chan_send(&empty_chan, 7) == AL_OK &&
           al_chan_recv(&empty_chan, &item) == AL_OK && item == 7;
}

static bool try_event(void)
{
    al_event_set(&event, 6);
    return al_event_clear(&event, 6) == 6;
}

static bool try_full_box(void)
{
    void *item = NULL;

    return al_mailbox_receive_until(&full_box, &item, AL_POLL) == AL_OK &&
           item == &event && al_mailbox_peek(&full_box) == NULL &&
           al_mailbox_send_until(&full_box, &event, AL_POLL) == AL_OK;
}

static bool try_empty_box(void)
{
    void *item = NULL;

    return al_mailbox_send_until(&empty_box, &cond, AL_POLL) == AL_OK &&
           al_mailbox_receive_until(&empty_box, &item, AL_POLL) == AL_OK &&
           item == &cond;
}

static bool try_cond(void)
{
    al_cond_signal(&cond);
    return !al_mutex_is_held(&scoped);
}

static const struct {
    const char *name;
    void (*wait)(void);
    bool (*after)(void); /* NULL: nothing to try */
} waits[] = {
        {"semaphore", wait_sem, give_sem},
        {"semaphore until", wait_sem_until, give_sem},
        {"mutex", wait_mutex, NULL},
        {"mutex until", wait_mutex_until, NULL},
        {"condition", wait_cond, try_cond},
        {"event set", wait_event, try_event},
        {"full channel", wait_send, try_chan},
        {"empty channel", wait_recv, try_recv},
        {"full mailbox", wait_mailbox_send, try_full_box},
        {"empty mailbox", wait_mailbox_receive, try_empty_box},
        {"park", wait_park, NULL},
        {"sleep", wait_sleep, NULL},
        {"join", wait_join, NULL},
        {"timer service", wait_service, NULL},
};

static void (*volatile wait)(void);
static struct al_mutex outer = AL_MUTEX_INIT;

__attribute__((noinline)) static void inner(void)
{
    AL_DEFER(note, (void *)2);
    if (use_fpu) {
        real = real * 2;
    }
    wait();
    note((void *)9);
}

static al_status hand_wait(struct hand *self)
{
    al_status status;

    (void)self;
    AL_DEFER(note, (void *)1);
    AL_HEAP_SCOPED(block, 40);
    AL_LOCK_SCOPED(&outer, status);
    (void)status;
    *(volatile char *)block = 1;
    inner();
    return AL_OK;
}

static size_t heap_used(void)
{
    struct al_heap_info info;

    al_heap_read(&info);
    return info.used_bytes;
}

static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

extern struct al_task test;

static bool record_is_right(uint32_t how)
{
    struct al_crash_record record;

    return al_crash_read(al_crash_count(), &record) == AL_OK &&
           record.cause == AL_CAUSE_KILLED && record.detail[0] == how &&
           al_crash_text(&record) != NULL &&
           same(al_crash_text(&record), "test") && record.task[0] == 'v' &&
           record.generation == v.generation - 1 && record.nested == 0 &&
           record.pc_count > 3;
}

static void each_wait(void)
{
    size_t used = heap_used();

    for (unsigned n = 0; n < 2 * sizeof(waits) / sizeof(waits[0]); n++) {
        const char *name = waits[n / 2].name;
        uint32_t generation = v.generation;
        const char *fpu = n % 2 != 0 ? " with FPU" : "";

        wait = waits[n / 2].wait;
        use_fpu = n % 2 != 0;
        deferred = 0;
        CHECK(!hand_do(&v_hand, hand_wait, NULL, 0) && deferred == 0,
                "%s%s: it waits", name, fpu);
        CHECK(al_task_kill(id_v, AL_KILL_RESTART) == AL_OK,
                "%s%s: it is killed", name, fpu);
        CHECK(v.generation == generation + 1 && !v_hand.done,
                "%s%s: and restarts", name, fpu);
        CHECK(deferred == 21 && !al_mutex_is_held(&outer) &&
                        heap_used() == used && v.scopes == NULL,
                "%s%s: what it registered is undone: %u", name, fpu, deferred);
        CHECK(record_is_right(AL_KILL_RESTART), "%s%s: the record", name, fpu);
        CHECK(waits[n / 2].after == NULL || waits[n / 2].after(),
                "%s%s: the object goes on", name, fpu);
        ticks(3);
        CHECK(same(kernel(), "right") && v.generation == generation + 1,
                "%s%s: the kernel is %s", name, fpu, kernel());
        CHECK(hand_do(&v_hand, hand_nothing, NULL, 0), "%s%s: it is well", name,
                fpu);
    }
}

/* ---- mutexes ---- */

static void priorities(void)
{
    CHECK(h.prio == 7, "nobody waits for h any more");
    CHECK(!hand_do(&w_hand, hand_lock, &held_by_h, AL_FOREVER) && h.prio == 9,
            "w raises h");
    wait = wait_mutex;
    CHECK(!hand_do(&v_hand, hand_wait, NULL, 0) && h.prio == 9, "v waits, too");
    CHECK(al_task_kill(al_task_id_of(&w), AL_KILL_RESTART) == AL_OK &&
                    h.prio == 8,
            "w is killed: v's priority is left: %u", (unsigned)h.prio);
    CHECK(al_task_kill(id_v, AL_KILL_RESTART) == AL_OK && h.prio == 7,
            "v is killed: %u", (unsigned)h.prio);
    wait = wait_sem;
    CHECK(!hand_do(&v_hand, hand_wait, NULL, 0), "v holds a mutex and waits");
    CHECK(!hand_do(&w_hand, hand_lock, &outer, AL_FOREVER) && v.prio == 9,
            "w waits for it");
    CHECK(al_task_kill(id_v, AL_KILL_RESTART) == AL_OK && w_hand.done &&
                    w_hand.status == AL_E_POISONED && v.prio == 8,
            "v is killed: w has it, poisoned");
    CHECK(hand_do(&w_hand, hand_unlock, &outer, 0) && same(kernel(), "right"),
            "the kernel is %s", kernel());
}

/* ---- ends ---- */

static void sleeper(void *args)
{
    AL_DEFER(note, (void *)5);
    AL_HEAP_SCOPED(block, 24);
    *(volatile char *)block = *(char *)args;
    for (;;) {
        al_sleep(1000);
    }
}

static struct al_task_id spawn(al_prio prio, bool suspended)
{
    static const char arg = 1;
    struct al_task_params params = {
            "s", sleeper, &arg, 1, NULL, 1024, prio, suspended, NULL};
    struct al_task_id id = {NULL, 0};
    al_status status = al_task_spawn(&params, &id);

    CHECK(status == AL_OK, "spawned");
    return id;
}

__attribute__((noinline)) static void end_one(int i, size_t used)
{
    struct al_task_id id = spawn(6, i == 2);

    w_hand.id = id;
    CHECK(!hand_do(&w_hand, hand_join, NULL, AL_FOREVER), "w joins");
    deferred = 0;
    CHECK(al_task_kill(id, i == 1 ? AL_KILL_RESTART : AL_KILL_END) == AL_OK,
            "killed %d", i);
    if (i == 1) {
        CHECK(deferred == 5 && !w_hand.done, "it lives on");
        deferred = 0;
        CHECK(al_task_kill(id, AL_KILL_END) == AL_OK, "and ends");
    }
    CHECK(w_hand.done && w_hand.status == AL_OK, "the joiner wakes");
    CHECK(deferred == (i == 2 ? 0 : 5) && heap_used() == used,
            "its memory is back: %u", deferred);
    CHECK(al_task_kill(id, AL_KILL_END) == AL_E_STALE &&
                    al_task_kill(id, AL_KILL_RESTART) == AL_E_STALE,
            "its id is stale");
    ticks(3);
    CHECK(same(kernel(), "right"), "the kernel is %s", kernel());
}

static void ends(void)
{
    struct al_task_id id = spawn(6, false);
    size_t used;

    CHECK(al_task_kill(id, AL_KILL_END) == AL_OK, "the first is killed");
    used = heap_used();
    for (int i = 0; i < 3; i++) {
        end_one(i, used);
    }
}

static struct al_spawn own;
static char own_stack[1024] __attribute__((aligned(8)));

/* Memory of the caller's is used for something else right after the end. */
static void forgets(void)
{
    static const char arg = 1;
    struct al_task_params params = {"o", sleeper, &arg, 1, own_stack,
            sizeof(own_stack), 6, false, NULL};
    volatile unsigned char *memory = (volatile unsigned char *)&own;
    struct al_task_id id;
    unsigned touched = 0;

    al_task_create(&own, &params, &id);
    CHECK(al_task_kill(id, AL_KILL_END) == AL_OK &&
                    al_task_join(id, AL_POLL) == AL_OK,
            "one in memory of its maker's ends");
    for (unsigned i = 0; i < sizeof(own); i++) {
        memory[i] = 0xa5;
    }
    ticks(3);
    for (unsigned i = 0; i < sizeof(own); i++) {
        touched += memory[i] != 0xa5;
    }
    CHECK(touched == 0 && same(kernel(), "right"),
            "nobody looks there any more: %s", kernel());
}

/* ---- wrong uses, and oneself ---- */

static volatile struct al_task_id bad_id;
static volatile int bad_how;
static volatile bool came_back;

static al_status hand_kill(struct hand *self)
{
    struct al_task_id id = {bad_id.task, bad_id.spawn};

    (void)self;
    AL_DEFER(note, (void *)3);
    (void)al_task_kill(id, (enum al_kill)bad_how);
    came_back = true;
    return AL_OK;
}

static uint32_t dies_of(struct al_task_id id, int how)
{
    struct al_crash_record record;
    uint32_t deaths = al_crash_count();

    bad_id.task = id.task;
    bad_id.spawn = id.spawn;
    bad_how = how;
    deferred = 0;
    came_back = false;
    (void)hand_do(&v_hand, hand_kill, NULL, 0);
    if (al_crash_count() != deaths + 1 || deferred != 3 || came_back ||
            al_crash_read(deaths + 1, &record) != AL_OK) {
        return 0;
    }
    return record.cause << 16 | record.detail[0] << 8 | record.detail[1];
}

#define CALLER(module, n) (AL_CAUSE_CALLER << 16 | (module) << 8 | (n))

static void wrong(void)
{
    struct al_task_id none = {NULL, 0};
    struct al_task_id idle = {al_core.ready[AL_PRIO_LEVELS - 1], 1};

    CHECK(dies_of(none, 0) == CALLER(1, 3), "no task");
    CHECK(dies_of(idle, 0) == CALLER(1, 3), "idle");
    CHECK(dies_of(id_h, 2) == CALLER(1, 7), "a way that is none");
    CHECK(dies_of(id_h, -1) == CALLER(1, 7), "nor is this");
    CHECK(dies_of(id_v, AL_KILL_RESTART) == AL_CAUSE_KILLED << 16, "oneself");
    CHECK(same(kernel(), "right"), "the kernel is %s", kernel());
}

/* ---- other states ---- */

static void suspended(void)
{
    uint32_t generation = v.generation;

    wait = wait_sem;
    CHECK(!hand_do(&v_hand, hand_wait, NULL, 0) &&
                    al_task_suspend(id_v) == AL_OK &&
                    al_task_kill(id_v, AL_KILL_RESTART) == AL_OK &&
                    v.generation == generation + 1,
            "suspended in its wait");
    CHECK(hand_do(&v_hand, hand_nothing, NULL, 0), "it runs again");
    CHECK(al_task_suspend(id_v) == AL_OK && al_sem_give(&v_hand.go) == AL_OK &&
                    al_task_kill(id_v, AL_KILL_RESTART) == AL_OK &&
                    v.generation == generation + 2,
            "suspended and ready");
    ticks(3);
    CHECK(same(kernel(), "right") && hand_do(&v_hand, hand_nothing, NULL, 0),
            "the kernel is %s", kernel());
}

static const struct al_restart_policy slow = {
        .budget = 0, .back_off = 100, .window = 1000};
static volatile uint32_t born;

static void born_main(void *args)
{
    (void)args;
    born++;
    al_sem_take(&sem);
}

static void held_back(void)
{
    struct al_task_params params = {
            "s", born_main, NULL, 0, NULL, 1024, 6, false, &slow};
    struct al_task_id id = {NULL, 0};
    al_status status = al_task_spawn(&params, &id);
    size_t used = heap_used();

    CHECK(status == AL_OK && born == 1, "spawned");
    CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK && born == 1 &&
                    id.task->state == AL_TASK_HELD_BACK,
            "its restart is held back");
    CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK && born == 1,
            "nothing more");
    ticks(100);
    CHECK(born == 2, "it restarts in time");
    CHECK(al_task_kill(id, AL_KILL_RESTART) == AL_OK && born == 2, "again");
    CHECK(al_task_kill(id, AL_KILL_END) == AL_OK && born == 2 &&
                    heap_used() < used,
            "it ends at once");
    CHECK(al_task_join(id, AL_POLL) == AL_OK && same(kernel(), "right"),
            "the kernel is %s", kernel());
    params.prio = 4;
    params.policy = NULL;
    status = al_task_spawn(&params, &id);
    CHECK(status == AL_OK && born == 2 &&
                    al_task_kill(id, AL_KILL_END) == AL_OK &&
                    al_task_join(id, AL_FOREVER) == AL_OK && born == 2,
            "it has not begun yet");
}

static void test_main(void)
{
    rig_start();
    al_cond_init(&cond);
    al_event_init(&event);
    al_mailbox_init(&full_box);
    al_mailbox_init(&empty_box);
    (void)al_mailbox_send_until(&full_box, &event, AL_POLL);
    (void)al_chan_send(&full_chan, 1);
    (void)al_chan_send(&full_chan, 2);
    id_v = al_task_id_of(&v);
    id_h = al_task_id_of(&h);
    CHECK(hand_do(&h_hand, hand_lock, &held_by_h, AL_FOREVER), "h has it");
    each_wait();
    priorities();
    ends();
    forgets();
    wrong();
    suspended();
    held_back();
    test_done();
}

AL_TASK(test, test_main, 5, 2048);
