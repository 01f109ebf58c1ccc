/* SPDX-License-Identifier: MIT */
/*
 * Instructions per operation at 1, 10, 100, 1000 of what it may depend on;
 * tools/alula-scale reads what this prints:
 *
 *     scale NAME N INSNS      the most of all that were counted
 *     # done N                N lines of that kind
 *
 * Started with "short" on its command line it leaves out the last size.
 */
#include "scale.h"

#include <board.h>

#define CONDUCTOR_PRIO 1
#define EXTRA_PRIO     2
#define LEAST_PRIO     3
#define MOST_PRIO      29
#define URGENT_PRIO    31
#define STACK_BYTES    768

struct worker workers[SCALE_MOST];
struct worker extra;

static char stacks[SCALE_MOST + 1][STACK_BYTES]
        __attribute__((aligned(8), section(".noinit.stacks")));

static uint32_t figure; /* of the operation that is measured */
static uint32_t created[SCALE_MOST];

/* ---- workers ---- */

static void worker_main(void *args)
{
    struct worker *self = *(struct worker **)args;

    for (;;) {
        al_sem_take(&self->go);
        self->job(self);
    }
}

void worker_start(struct worker *worker, void (*job)(struct worker *self))
{
    worker->job = job;
    (void)al_sem_give(&worker->go);
}

void workers_start(unsigned n, void (*job)(struct worker *self))
{
    for (unsigned i = 0; i < n; i++) {
        worker_start(&workers[i], job);
    }
}

static al_prio own_prio(const struct worker *worker)
{
    if (worker == &extra) {
        return EXTRA_PRIO;
    }
    return (al_prio)(LEAST_PRIO + worker->index % (MOST_PRIO - LEAST_PRIO + 1));
}

void worker_prio(struct worker *worker, al_prio prio)
{
    (void)al_task_set_prio(worker->id, prio == 0 ? own_prio(worker) : prio);
}

void workers_prio(unsigned n, al_prio prio)
{
    for (unsigned i = 0; i < n; i++) {
        worker_prio(&workers[i], prio);
    }
}

void scale_urgent(bool urgent)
{
    (void)al_task_set_prio(
            al_task_id_self(), urgent ? URGENT_PRIO : CONDUCTOR_PRIO);
}

/* It runs to its first wait. */
static void worker_create(struct worker *worker, unsigned index)
{
    struct al_task_params params = {
            .name = "worker",
            .entry = worker_main,
            .args = &worker->self,
            .args_bytes = sizeof(worker->self),
            .stack = stacks[index],
            .stack_bytes = STACK_BYTES,
            .suspended = true,
    };

    worker->index = index;
    worker->self = worker;
    params.prio = own_prio(worker);
    al_sem_init(&worker->go, 0, 1);
    al_mutex_init(&worker->mutex, false);
    COUNT_OPEN();
    al_task_create(&worker->memory, &params, &worker->id);
    if (worker != &extra) {
        created[index] = count_insns(COUNT_CLOSE());
    }
    (void)al_task_resume(worker->id);
}

/* The n-th task, counted when all were made. */
void scale_task_create(unsigned n)
{
    scale_note_insns(created[n - 1]);
}

/* ---- figures ---- */

void scale_note_insns(uint32_t insns)
{
    figure = insns > figure ? insns : figure;
}

void scale_note(uint32_t to)
{
    scale_note_insns(count_insns(to));
}

#define SCALE_ENTRY_(name) {#name, scale_##name},
static const struct {
    const char *name;
    void (*measure)(unsigned n);
} ops[] = {SCALE_OPS(SCALE_ENTRY_)};

static unsigned scale_all(unsigned n)
{
    for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        figure = 0;
        ops[i].measure(n);
        say("scale %s %u %u\n", ops[i].name, n, (unsigned)figure);
    }
    return sizeof(ops) / sizeof(ops[0]);
}

/* Semihosting's SYS_GET_CMDLINE: does it end in "short"? */
static bool is_short(void)
{
    static char text[256];
    struct {
        char *text;
        uint32_t bytes;
    } block = {text, sizeof(text)};
    register uintptr_t r0 __asm__("r0") = 0x15;
    register void *r1 __asm__("r1") = &block;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0 == 0 && block.bytes > 0 && block.bytes < sizeof(text) &&
           text[block.bytes - 1] == 't';
}

static void conductor_main(void)
{
    static bool started;
    unsigned most = is_short() ? SCALE_MOST / 10 : SCALE_MOST;
    unsigned lines = 0;

    if (started) {
        say("the conductor died\n");
        board_exit(1);
    }
    started = true;
    count_start();
    for (unsigned i = 0; i < SCALE_MOST; i++) {
        worker_create(&workers[i], i);
    }
    worker_create(&extra, SCALE_MOST);
    for (unsigned n = 1; n <= most; n *= 10) {
        lines += scale_all(n);
    }
    say("# done %u\n", lines);
    board_exit(0);
}

AL_TASK(conductor, conductor_main, CONDUCTOR_PRIO, 20480);
