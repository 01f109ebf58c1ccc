/* SPDX-License-Identifier: MIT */
/*
 * A taker is a task that takes one unit, with a deadline, and ends. What came
 * of it stays in its place, for `sem` to show, until another needs the place.
 */
#include "semaphore.h"

#include <alula/alula.h>

#include "guests.h"
#include "port.h"
#include "words.h"

#define TAKERS     8u
#define TAKE_MAX   2000u /* ms for which this console may stand still */
#define WAIT_MAX   600000u
#define UNITS_MAX  1000u
#define PRIO_LEAST GUEST_PRIO
#define PRIO_MOST  (AL_PRIO_LEVELS - 2) /* nobody disturbs the 1 kHz task */

static struct al_sem sem;
static bool exists;
static int32_t most; /* units */

static struct taker {
    struct al_task_id id;
    bool used;
    volatile bool done;
    volatile al_status status; /* when done */
    volatile uint32_t ms;
    al_time since;
    uint32_t prio;
} takers[TAKERS];

struct taker_args {
    uint32_t place; /* in takers[] */
    uint32_t ms;
};

static void taker_run(void *args)
{
    const struct taker_args *me = args;
    struct taker *taker = &takers[me->place];

    taker->status = al_sem_take_until(&sem, taker->since + me->ms);
    taker->ms = (uint32_t)(al_now() - taker->since);
    taker->done = true;
}
AL_STACK_TASK(taker_run, GUEST_STACK_BYTES);

static void show(void)
{
    unsigned waiting = 0;

    for (size_t i = 0; i < TAKERS; i++) {
        waiting += takers[i].used && !takers[i].done;
    }
    if (exists) {
        say("semaphore: %d of %d units, %u waiting\n", (int)al_sem_count(&sem),
                (int)most, waiting);
    } else {
        say("no semaphore: sem make 0 3 makes one\n");
    }
    for (size_t i = 0; i < TAKERS; i++) {
        const struct taker *taker = &takers[i];

        if (taker->used && taker->done) {
            say("taker %u, priority %u: %s after %u ms\n", (unsigned)i,
                    (unsigned)taker->prio, al_status_name(taker->status),
                    (unsigned)taker->ms);
        } else if (taker->used) {
            say("taker %u, priority %u: waits since %u ms\n", (unsigned)i,
                    (unsigned)taker->prio, (unsigned)(al_now() - taker->since));
        }
    }
}

void semaphore_end(void)
{
    if (exists) {
        exists = false;
        al_sem_destroy(&sem);
    }
}

static bool make(const char *rest)
{
    uint32_t units;
    uint32_t bound;

    if (!word_next_number(&rest, 0, UNITS_MAX, &units) ||
            !word_next_number(&rest, 1, UNITS_MAX, &bound) || units > bound ||
            !word_none(rest)) {
        return false;
    }
    semaphore_end();
    al_sem_init(&sem, (int32_t)units, (int32_t)bound);
    most = (int32_t)bound;
    exists = true;
    show();
    return true;
}

static bool give(const char *rest)
{
    if (!word_none(rest)) {
        return false;
    }
    say("%s\n", al_status_name(al_sem_give(&sem)));
    show();
    return true;
}

static bool take(const char *rest)
{
    al_time since = al_now();
    al_status status;
    uint32_t ms;

    if (!word_next_number(&rest, 0, TAKE_MAX, &ms) || !word_none(rest)) {
        return false;
    }
    status = al_sem_take_until(&sem, since + ms);
    say("%s after %u ms\n", al_status_name(status),
            (unsigned)(al_now() - since));
    return true;
}

/* A place that nobody waits in: one never used, else any. */
static struct taker *free_place(void)
{
    struct taker *old = NULL;

    for (size_t i = 0; i < TAKERS; i++) {
        if (!takers[i].used) {
            return &takers[i];
        }
        if (takers[i].done && old == NULL) {
            old = &takers[i];
        }
    }
    return old;
}

static bool wait(const char *rest)
{
    struct taker *taker = free_place();
    struct taker_args args;
    struct al_task_params params = {
            .name = "taker",
            .entry = taker_run,
            .args = &args,
            .args_bytes = sizeof args,
    };
    uint32_t prio = PRIO_LEAST;
    al_status status;

    if (!word_next_number(&rest, 0, WAIT_MAX, &args.ms) ||
            (!word_none(rest) &&
                    !word_next_number(&rest, PRIO_LEAST, PRIO_MOST, &prio)) ||
            !word_none(rest)) {
        return false;
    }
    if (taker == NULL) {
        say("%u tasks wait: more this console does not hold\n", TAKERS);
        return true;
    }
    args.place = (uint32_t)(taker - takers);
    params.prio = (al_prio)prio;
    taker->done = false;
    taker->used = true;
    taker->prio = prio;
    taker->since = al_now();
    status = guest_make(&params, &taker->id);
    if (status != AL_OK) {
        taker->used = false;
        say("no task: al_task_spawn() says %s\n", al_status_name(status));
        return true;
    }
    show();
    return true;
}

static bool end(const char *rest)
{
    if (!word_none(rest)) {
        return false;
    }
    semaphore_end();
    show();
    return true;
}

static const struct verb verbs[] = {
        {"make", make, true},
        {"give", give, false},
        {"take", take, false},
        {"wait", wait, false},
        {"end", end, false},
};

#define VERBS (sizeof verbs / sizeof verbs[0])

void semaphore_command(const char *rest)
{
    if (!verb_run(verbs, VERBS, exists, show, rest)) {
        say("sem make UNITS MAX | give | take MS | wait MS [PRIO] | end; "
            "sem alone shows it\n");
    }
}
