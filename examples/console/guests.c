/* SPDX-License-Identifier: MIT */
/*
 * Each guest of `spawn` counts a round every few milliseconds, until it is told
 * to end or to die. It dies like any task: it starts again, with its stack and
 * its arguments as they were.
 *
 * Invariants: guests[0..count) are those that were not told to end. Only the
 * task that runs commands writes what is not volatile here.
 */
#include "guests.h"

#include <alula/alula.h>

#include "port.h"
#include "restarts.h"
#include "words.h"

#define GUESTS_MAX 150u
#define BLOCKS_MAX (GUESTS_MAX + 50u)
#define ROUND_MS   20u
#define END_MS     1000u

enum order {
    STAY,
    DIE,
    END
};

static struct guest {
    struct al_task_id id;
    volatile enum order order;
    volatile uint32_t rounds; /* in all its lives */
} guests[GUESTS_MAX];

static uint32_t count;

/* Control blocks that the kernel has had for guests: it keeps them. */
static const struct al_task *blocks[BLOCKS_MAX];
static uint32_t block_count;
static uint32_t untold; /* of them, those that no guest has had yet */

struct guest_args {
    uint32_t number; /* of its place in guests[] */
};

static void guest_run(void *args)
{
    const struct guest_args *me = args;
    struct guest *guest = &guests[me->number];

    for (;;) {
        enum order order;

        (void)al_task_park(al_in(ROUND_MS));
        order = guest->order;
        guest->order = STAY;
        if (order == END) {
            return;
        }
        if (order == DIE) {
            al_panic("told to die");
        }
        guest->rounds++;
    }
}
AL_STACK_TASK(guest_run, GUEST_STACK_BYTES);

static void note_block(const struct al_task *block)
{
    for (uint32_t i = 0; i < block_count; i++) {
        if (blocks[i] == block) {
            return;
        }
    }
    if (block_count < BLOCKS_MAX) {
        blocks[block_count] = block;
        block_count++;
        untold -= untold > 0;
    }
}

static size_t heap_used(void)
{
    struct al_heap_info heap;

    al_heap_read(&heap);
    return heap.used_bytes;
}

al_status guest_make(struct al_task_params *params, struct al_task_id *id)
{
    size_t before = heap_used();
    al_status status;

    params->stack = NULL;
    params->stack_bytes = GUEST_STACK_BYTES;
    params->policy = &as_often_as_it_takes;
    status = al_task_spawn(params, id);
    if (status == AL_OK) {
        note_block(id->task);
    } else if (heap_used() > before) {
        untold++; /* there was room for the control block alone */
    }
    return status;
}

size_t guests_kept_bytes(void)
{
    size_t before = heap_used();
    void *block = al_heap_alloc(sizeof(struct al_spawn));
    size_t each = heap_used() - before;

    al_heap_free(block);
    return (block_count + untold) * each;
}

static al_status make_one(void)
{
    struct guest_args args = {count};
    struct guest *guest = &guests[count];
    struct al_task_params params = {
            .name = "guest",
            .entry = guest_run,
            .args = &args,
            .args_bytes = sizeof args,
            .prio = GUEST_PRIO,
    };
    al_status status;

    guest->order = STAY;
    guest->rounds = 0;
    status = guest_make(&params, &guest->id);
    if (status == AL_OK) {
        count++;
    }
    return status;
}

static void make(uint32_t wanted)
{
    uint32_t made = 0;
    al_status status = AL_OK;

    while (made < wanted && count < GUESTS_MAX && status == AL_OK) {
        status = make_one();
        made += status == AL_OK;
    }
    say("%u made, %u live", (unsigned)made, (unsigned)count);
    if (status != AL_OK) {
        say(": no more, al_task_spawn() says %s", al_status_name(status));
    } else if (made < wanted) {
        say(": this console has room for %u", GUESTS_MAX);
    }
    say("\n");
}

static void list(void)
{
    if (count == 0) {
        say("no guest lives: spawn 3 makes some\n");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct guest *guest = &guests[i];
        struct al_task_info info;

        al_task_read(guest->id.task, &info);
        say("guest %u: task %u in the block at 0x%08x, %u rounds, "
            "%u restarts\n",
                (unsigned)i, (unsigned)(guest->id.spawn + 1) / 2,
                (unsigned)(uintptr_t)guest->id.task, (unsigned)guest->rounds,
                (unsigned)info.restarts);
    }
}

static void crash(void)
{
    if (count == 0) {
        say("no guest lives: spawn 3 makes some\n");
        return;
    }
    guests[0].order = DIE;
    (void)al_task_wake(guests[0].id);
}

void guests_end(void)
{
    while (count > 0) {
        struct guest *guest = &guests[count - 1];

        guest->order = END;
        (void)al_task_wake(guest->id);
        if (al_task_join(guest->id, al_in(END_MS)) != AL_OK) {
            say("guest %u does not end\n", (unsigned)(count - 1));
            return;
        }
        count--;
    }
}

static void end(void)
{
    uint32_t before = count;

    guests_end();
    say("%u ended and joined, %u live; the kernel keeps %u bytes to make "
        "others of\n",
            (unsigned)(before - count), (unsigned)count,
            (unsigned)guests_kept_bytes());
}

static const struct {
    const char *name;
    void (*run)(void);
} verbs[] = {{"list", list}, {"crash", crash}, {"end", end}};

#define VERBS (sizeof verbs / sizeof verbs[0])

void guests_command(const char *rest)
{
    struct word verb = word_next(&rest);
    uint32_t wanted;

    if (word_none(rest)) {
        for (size_t i = 0; i < VERBS; i++) {
            if (word_is(verb, verbs[i].name)) {
                AL_STACK_CALLS(verbs);
                verbs[i].run();
                return;
            }
        }
        if (word_number(verb, &wanted) && wanted > 0) {
            make(wanted);
            return;
        }
    }
    say("spawn N makes N tasks; spawn list, spawn crash, spawn end\n");
}
