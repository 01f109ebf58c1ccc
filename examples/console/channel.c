/* SPDX-License-Identifier: MIT */
/*
 * A receiver is a task that receives one number, with a deadline, and ends. What
 * came of it stays in its place, for `chan` to show, until another needs it.
 */
#include "channel.h"

#include <alula/alula.h>

#include "guests.h"
#include "port.h"
#include "words.h"

#define CAPACITY  4u
#define RECEIVERS 4u
#define RECV_MAX  2000u /* ms for which this console may stand still */
#define WAIT_MAX  600000u

AL_CHAN_TYPE(number_chan, uint32_t, CAPACITY);
static struct number_chan numbers;
static bool exists;

static struct receiver {
    struct al_task_id id;
    bool used;
    volatile bool done;
    volatile al_status status; /* when done */
    volatile uint32_t number;  /* when AL_OK */
    al_time deadline;
} receivers[RECEIVERS];

struct receiver_args {
    uint32_t place; /* in receivers[] */
    uint32_t spare;
};

static void receiver_run(void *args)
{
    const struct receiver_args *me = args;
    struct receiver *receiver = &receivers[me->place];
    uint32_t number = 0;

    receiver->status =
            al_chan_recv_until(&numbers, &number, receiver->deadline);
    receiver->number = number;
    receiver->done = true;
}
AL_STACK_TASK(receiver_run, GUEST_STACK_BYTES);

static void show(void)
{
    if (exists) {
        say("channel: %u of %u numbers\n", (unsigned)al_chan_count(&numbers),
                CAPACITY);
    } else {
        say("no channel: chan make makes one\n");
    }
    for (size_t i = 0; i < RECEIVERS; i++) {
        const struct receiver *receiver = &receivers[i];

        if (!receiver->used) {
            continue;
        }
        if (!receiver->done) {
            say("receiver %u waits\n", (unsigned)i);
        } else if (receiver->status == AL_OK) {
            say("receiver %u: %u\n", (unsigned)i, (unsigned)receiver->number);
        } else {
            say("receiver %u: %s\n", (unsigned)i,
                    al_status_name(receiver->status));
        }
    }
}

void channel_end(void)
{
    if (exists) {
        exists = false;
        al_chan_destroy(&numbers);
    }
}

static bool make(const char *rest)
{
    if (!word_none(rest)) {
        return false;
    }
    channel_end();
    al_chan_init(&numbers);
    exists = true;
    show();
    return true;
}

static bool send(const char *rest)
{
    uint32_t number;

    if (!word_next_number(&rest, 0, UINT32_MAX, &number) || !word_none(rest)) {
        return false;
    }
    say("%s\n", al_status_name(al_chan_try_send(&numbers, number)));
    show();
    return true;
}

static bool recv(const char *rest)
{
    uint32_t number = 0;
    al_status status;
    uint32_t ms;

    if (!word_next_number(&rest, 0, RECV_MAX, &ms) || !word_none(rest)) {
        return false;
    }
    status = al_chan_recv_until(&numbers, &number, al_in(ms));
    if (status == AL_OK) {
        say("%u\n", (unsigned)number);
    } else {
        say("%s\n", al_status_name(status));
    }
    return true;
}

/* A place that nobody waits in: one never used, else any. */
static struct receiver *free_place(void)
{
    struct receiver *old = NULL;

    for (size_t i = 0; i < RECEIVERS; i++) {
        if (!receivers[i].used) {
            return &receivers[i];
        }
        if (receivers[i].done && old == NULL) {
            old = &receivers[i];
        }
    }
    return old;
}

static bool wait(const char *rest)
{
    struct receiver *receiver = free_place();
    struct receiver_args args = {0, 0};
    struct al_task_params params = {
            .name = "receiver",
            .entry = receiver_run,
            .args = &args,
            .args_bytes = sizeof args,
            .prio = GUEST_PRIO,
    };
    al_status status;
    uint32_t ms;

    if (!word_next_number(&rest, 0, WAIT_MAX, &ms) || !word_none(rest)) {
        return false;
    }
    if (receiver == NULL) {
        say("%u tasks wait: more this console does not hold\n", RECEIVERS);
        return true;
    }
    args.place = (uint32_t)(receiver - receivers);
    receiver->deadline = al_in(ms);
    receiver->done = false;
    receiver->used = true;
    status = guest_make(&params, &receiver->id);
    if (status != AL_OK) {
        receiver->used = false;
        say("no task: al_task_spawn() says %s\n", al_status_name(status));
        return true;
    }
    show();
    return true;
}

static bool shut(const char *rest)
{
    if (!word_none(rest)) {
        return false;
    }
    al_chan_close(&numbers);
    show();
    return true;
}

static bool end(const char *rest)
{
    if (!word_none(rest)) {
        return false;
    }
    channel_end();
    show();
    return true;
}

static const struct verb verbs[] = {
        {"make", make, true},
        {"send", send, false},
        {"recv", recv, false},
        {"wait", wait, false},
        {"close", shut, false},
        {"end", end, false},
};

#define VERBS (sizeof verbs / sizeof verbs[0])

void channel_command(const char *rest)
{
    if (!verb_run(verbs, VERBS, exists, show, rest)) {
        say("chan make | send NUMBER | recv MS | wait MS | close | end; chan alone "
            "shows it\n");
    }
}
