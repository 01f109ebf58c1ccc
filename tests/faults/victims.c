/* SPDX-License-Identifier: MIT */
/*
 * Tasks that work with everything there is, in random order and nesting, and
 * whose own state may be damaged at any instant. See faults.h.
 */
#include "faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

#define DEPTH_MOST  7u
#define CHILD_STACK 1280

volatile bool paused = true;

static struct al_mutex mutexes[MUTEXES] = {
        AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT, AL_MUTEX_INIT_RECURSIVE};
static struct al_sem sems[2] = {AL_SEM_INIT(0, 3), AL_SEM_INIT(0, 1)};
static struct al_event event = AL_EVENT_INIT;
static struct al_mailbox mailbox = AL_MAILBOX_INIT;
static struct al_mutex cond_mutex = AL_MUTEX_INIT;
static struct al_cond cond = AL_COND_INIT;
AL_CHAN(chan, uint32_t, 4);

extern struct al_task victim0, victim1, victim2, victim3, victim4, victim5;

#define OF(victim)                                           \
  {                                                          \
    .task = &(victim), .timer = AL_TIMER_INIT_SEM(&sems[1]), \
  }
struct victim victims[VICTIMS] = {OF(victim0), OF(victim1), OF(victim2),
        OF(victim3), OF(victim4), OF(victim5)};

static char child_stacks[VICTIMS][CHILD_STACK] __attribute__((aligned(8)));
static uint32_t good_data[32];
static volatile uint32_t sink;

uint32_t random_below(uint32_t *seed, uint32_t bound)
{
    uint32_t x = *seed;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *seed = x;
    return (x >> 8) % bound;
}

static struct victim *me(void)
{
    const struct al_task *self = al_task_self();

    for (unsigned i = 0; i < VICTIMS; i++) {
        if (victims[i].task == self) {
            return &victims[i];
        }
    }
    return NULL;
}

static uint32_t pick(struct victim *v, uint32_t bound)
{
    return random_below(&v->seed, bound);
}

/* ---- where damaged state is used ---- */

static NOINLINE void recurse(uint32_t depth)
{
    volatile uint32_t local[8];

    local[depth % 8] = depth;
    if (depth != 0) {
        recurse(depth - 1);
    }
    sink = local[depth % 8];
}

static void nothing(uint32_t x)
{
    sink = x;
}

void go_on_at(uint32_t sp, void (*fn)(uint32_t));

__asm__(".pushsection .text.go_on_at,\"ax\",%progbits\n"
        ".global go_on_at\n"
        ".type go_on_at, %function\n"
        ".thumb_func\n"
        "go_on_at:\n"
        "@alula: unchecked 0\n"
        ".fnstart\n"
        ".cantunwind\n"
        "mov sp, r0\n"
        "bx r1\n"
        ".fnend\n"
        ".size go_on_at, . - go_on_at\n"
        ".popsection\n");

/* Uses all of it once. */
static NOINLINE void live(struct victim *v)
{
    sink = *v->data;
    v->calls(1);
    if (v->deeper != 0) {
        recurse(v->deeper);
    }
    if (v->bad_sp != 0) {
        go_on_at(v->bad_sp, recurse);
    }
    (void)al_sem_give(v->gives);
}

/* ---- scopes ---- */

static void descend(struct victim *v, uint32_t frames);

/* Registered before the token is taken; so it may find none. */
static void give_token(void *token)
{
    struct victim *v = me();

    *(volatile uint32_t *)token = 0;
    if (v->bad_cleanup) {
        v->bad_cleanup = false;
        al_panic("cleanup");
    }
}

static NOINLINE void with_token(struct victim *v, uint32_t frames)
{
    volatile uint32_t *token = &v->tokens[pick(v, TOKENS)];

    AL_DEFER(give_token, (void *)token);
    *token = 1;
    descend(v, frames);
}

static NOINLINE void with_tokens(struct victim *v, uint32_t frames)
{
    volatile char big[100];

    AL_DEFER(give_token, (void *)&v->tokens[0]);
    v->tokens[0] = 1;
    AL_DEFER(give_token, (void *)&v->tokens[1]);
    v->tokens[1] = 1;
    big[0] = (char)frames;
    descend(v, frames);
    big[99] = big[0];
}

static NOINLINE void with_float(struct victim *v, uint32_t frames)
{
    float x = (float)frames * 1.25f;

    AL_DEFER(give_token, (void *)&v->tokens[2]);
    v->tokens[2] = 1;
    descend(v, frames);
    sink = (uint32_t)(x * 3.0f);
}

static NOINLINE void with_alloca(struct victim *v, uint32_t frames)
{
    volatile char *block = __builtin_alloca(8 + pick(v, 60));

    AL_DEFER(give_token, (void *)&v->tokens[3]);
    v->tokens[3] = 1;
    block[0] = 1;
    descend(v, frames);
    block[1] = block[0];
}

/* Locked in ascending order: no deadlock. */
static NOINLINE void with_lock(struct victim *v, uint32_t frames)
{
    uint32_t first = 0;
    al_status status;

    for (uint32_t i = 0; i < MUTEXES; i++) {
        if (v->held[i]) {
            first = i + 1;
        }
    }
    if (first == MUTEXES) {
        descend(v, frames);
        return;
    }
    first += pick(v, MUTEXES - first);
    v->held[first] = true;
    {
        AL_LOCK_SCOPED(&mutexes[first], status);
        if (status == AL_E_POISONED) {
            al_mutex_heal(&mutexes[first]);
        }
        descend(v, frames);
    }
    v->held[first] = false;
}

static NOINLINE void with_heap(struct victim *v, uint32_t frames)
{
    uint32_t bytes = pick(v, 300);
    AL_HEAP_SCOPED(block, bytes);

    if (block != NULL) {
        memset(block, 0x55, bytes);
    }
    descend(v, frames);
}

static void stop_timer(void *timer)
{
    (void)al_timer_stop(timer);
}

static NOINLINE void with_timer(struct victim *v, uint32_t frames)
{
    AL_DEFER(stop_timer, &v->timer);

    (void)al_timer_start(&v->timer, pick(v, 3), pick(v, 3));
    descend(v, frames);
}

static void stop_lease(void *victim)
{
    ((struct victim *)victim)->stops++;
}

static NOINLINE void with_lease(struct victim *v, uint32_t frames)
{
    al_status status;

    AL_LEASE_SCOPED(&v->lease, status, v->lent, sizeof(v->lent), stop_lease, v);
    sink = (uint32_t)status; /* lent already, further out */
    descend(v, frames);
}

/* ---- children ---- */

static void child_main(void *args)
{
    struct victim *parent = *(struct victim **)args;
    al_status status;

    al_sleep(1);
    AL_LOCK_SCOPED(&mutexes[0], status);
    if (status == AL_E_POISONED) {
        al_mutex_heal(&mutexes[0]);
    }
    sink = *parent->data;
}

static bool child_is_over(struct victim *v)
{
    return v->child_id.task == NULL ||
           al_task_join(v->child_id, AL_POLL) != AL_E_TIMEOUT;
}

static const struct al_restart_policy once = {
        .budget = 0, .window = 60000, .exhausted = AL_EXHAUSTED_STOP};

static void end_child(void *victim)
{
    struct victim *v = victim;

    if (!child_is_over(v)) {
        (void)al_task_kill(v->child_id, AL_KILL_END);
    }
}

static NOINLINE void with_child(struct victim *v, uint32_t frames)
{
    const struct al_task_params params = {
            .name = "child",
            .entry = child_main,
            .args = &v,
            .args_bytes = sizeof(v),
            .stack = child_stacks[v - victims],
            .stack_bytes = CHILD_STACK,
            .prio = (uint16_t)(3 + pick(v, 10)),
            .policy = &once,
    };

    if (!child_is_over(v)) {
        descend(v, frames);
        return;
    }
    AL_DEFER(end_child, v);
    al_task_create(&v->child, &params, &v->child_id);
    descend(v, frames);
}

/* ---- the C library ---- */

static int compare(const void *a, const void *b)
{
    struct victim *v = me();

    live(v);
    return *(const int *)a - *(const int *)b;
}

static NOINLINE void in_qsort(struct victim *v, uint32_t frames)
{
    int numbers[6];

    AL_DEFER(give_token, (void *)&v->tokens[4]);
    v->tokens[4] = 1;
    for (unsigned i = 0; i < 6; i++) {
        numbers[i] = (int)pick(v, 100);
    }
    qsort(numbers, 6, sizeof(int), AL_CALLBACK(compare));
    descend(v, frames);
}

static NOINLINE void in_copy(struct victim *v, uint32_t frames)
{
    uint32_t copy[32];

    memcpy(copy, v->data, sizeof(copy));
    sink = copy[frames % 32];
    descend(v, frames);
}

static NOINLINE void in_print(struct victim *v, uint32_t frames)
{
    char text[24];

    snprintf(text, sizeof(text), "%.2f", (double)frames * 1.5);
    sink = (uint32_t)text[0];
    descend(v, frames);
}

/* ---- waiting ---- */

static NOINLINE void wait_somewhere(struct victim *v)
{
    al_time soon = al_in(1 + pick(v, 2));
    uint32_t item;
    void *letter;

    switch (pick(v, 9)) {
    case 0:
        (void)!al_sem_take_until(&sems[pick(v, 2)], soon);
        break;
    case 1:
        (void)!al_chan_recv_until(&chan, &item, soon);
        break;
    case 2:
        (void)al_chan_send_until(&chan, 7, soon);
        break;
    case 3:
        (void)!al_mailbox_receive_until(&mailbox, &letter, soon);
        break;
    case 4:
        (void)!al_mailbox_send_until(&mailbox, good_data, soon);
        break;
    case 5:
        (void)!al_event_wait(
                &event, 1u << pick(v, 4), AL_EVENT_ANY, soon, &item);
        break;
    case 6:
        (void)al_task_park(soon);
        break;
    case 7:
        al_sleep(pick(v, 2));
        break;
    case 8:
        if (v->child_id.task != NULL) {
            (void)!al_task_join(v->child_id, soon);
        }
        break;
    }
}

static NOINLINE void wait_for_cond(struct victim *v)
{
    al_status status;

    AL_LOCK_SCOPED(&cond_mutex, status);
    if (status == AL_E_POISONED) {
        al_mutex_heal(&cond_mutex);
    }
    (void)!al_cond_wait_until(&cond, &cond_mutex, al_in(1 + pick(v, 2)));
}

static NOINLINE void wake_somebody(struct victim *v)
{
    switch (pick(v, 6)) {
    case 0:
        (void)al_sem_give(&sems[pick(v, 2)]);
        break;
    case 1:
        (void)al_chan_try_send(&chan, 1);
        break;
    case 2:
        al_event_set(&event, 1u << pick(v, 4));
        break;
    case 3:
        (void)al_mailbox_overwrite(&mailbox, good_data);
        break;
    case 4:
        al_cond_broadcast(&cond);
        break;
    case 5:
        (void)al_task_wake(al_task_id_of(victims[pick(v, VICTIMS)].task));
        break;
    }
}

/* ---- the whole ---- */

static void descend(struct victim *v, uint32_t frames)
{
    static void (*const ways[])(struct victim *, uint32_t) = {descend,
            with_token, with_tokens, with_float, with_alloca, with_lock,
            with_heap, with_timer, with_lease, with_child, in_qsort, in_copy,
            in_print};

    live(v);
    if (frames == 0) {
        if (pick(v, 3) == 0 && !v->held[0]) {
            wait_for_cond(v);
        }
        if (pick(v, 2) == 0) {
            wait_somewhere(v);
        }
        wake_somebody(v);
        return;
    }
    ways[pick(v, sizeof(ways) / sizeof(ways[0]))](v, frames - 1);
    live(v);
}

static void victim_main(void)
{
    struct victim *v = me();

    v->starts++;
    v->data = good_data;
    v->gives = &sems[0];
    v->calls = nothing;
    v->deeper = 0;
    v->bad_sp = 0;
    v->bad_cleanup = false;
    memset(v->held, 0, sizeof(v->held));
    for (;;) {
        while (paused) {
            v->parked = true;
            al_sleep(1);
        }
        v->parked = false;
        descend(v, pick(v, DEPTH_MOST));
        v->rounds++;
    }
}

static const struct al_restart_policy without_limit = {.budget = UINT16_MAX};

#define VICTIM(name, prio) \
  AL_TASK_POLICY(name, victim_main, prio, 3072, &without_limit)
VICTIM(victim0, 6);
VICTIM(victim1, 7);
VICTIM(victim2, 7);
VICTIM(victim3, 8);
VICTIM(victim4, 9);
VICTIM(victim5, 11);

void victims_begin(uint32_t seed)
{
    for (unsigned i = 0; i < VICTIMS; i++) {
        victims[i].seed = (seed + i) * 2654435769u | 1;
    }
}

/* ---- what is left ---- */

static const char *check_victim(struct victim *v)
{
    struct al_task_info info;

    al_task_read(v->task, &info);
    if (info.prio != info.base_prio || info.mutexes != 0 ||
            v->task->scopes != NULL || v->task->contended != NULL) {
        return "a scope, a lock or a priority is left";
    }
    if (info.heap_bytes != 0) {
        return "heap is left";
    }
    for (unsigned i = 0; i < TOKENS; i++) {
        if (v->tokens[i] != 0) {
            return "a scope was not undone";
        }
    }
    if (al_timer_is_running(&v->timer)) {
        return "a timer is left";
    }
    if (v->lease.state != AL_LEASE_IDLE || v->lease.hold != NULL) {
        return "a lease is left";
    }
    if (!child_is_over(v)) {
        return "a child is left";
    }
    /* One that is killed before its first instruction has not begun. */
    if (info.generation != info.restarts + 1 || info.generation < v->starts) {
        return "generations do not add up";
    }
    return NULL;
}

const char *victims_check(void)
{
    uint32_t item;
    void *letter;

    for (unsigned i = 0; i < VICTIMS; i++) {
        const char *wrong = check_victim(&victims[i]);

        if (wrong != NULL) {
            return wrong;
        }
    }
    for (unsigned i = 0; i < MUTEXES; i++) {
        if (al_mutex_is_held(&mutexes[i])) {
            return "a mutex is held";
        }
    }
    if (al_mutex_is_held(&cond_mutex)) {
        return "the condition's mutex is held";
    }
    while (al_chan_try_recv(&chan, &item) == AL_OK) {
    }
    (void)!al_mailbox_receive_until(&mailbox, &letter, AL_POLL);
    if (al_chan_count(&chan) != 0 || al_mailbox_peek(&mailbox) != NULL) {
        return "a queue cannot be emptied";
    }
    if (sems[0].waiters.head != NULL || sems[1].waiters.head != NULL ||
            event.waiters.head != NULL || cond.waiters[0].head != NULL ||
            cond.waiters[1].head != NULL || mailbox.senders.head != NULL ||
            mailbox.receivers.head != NULL) {
        return "somebody still waits";
    }
    return NULL;
}
