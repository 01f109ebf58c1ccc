/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of an event set or of a mailbox ends the caller, named
 * MODULE.n, and nothing else: not the object, nor who waits for it.
 *   1. each wrong use in a task that is restarted for the next one: memory that
 *      is zeroed, destroyed, garbage, another object; no bit, a mode that does
 *      not exist, NULL as a message; with a deadline and without
 *   2. afterwards the kernel is whole, and the waiters still wait
 *   3. they are served at the end
 * Fails if: a check of CALLER_MUST is dropped, or made with the kernel lock held
 * (that would be the kernel stop).
 * builds: gcc-O0 gcc-O2 gcc-Os clang-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c ../support/recover.c
 */
#include "../interleave/rig.h"
#include "../support/recover.h"

#define EVENT   11u
#define MAILBOX 13u

static struct al_event event = AL_EVENT_INIT;
static struct al_event zero_event;
static struct al_event old_event = AL_EVENT_INIT;
static struct al_mailbox box = AL_MAILBOX_INIT;
static struct al_mailbox zero_box;
static struct al_mailbox old_box = AL_MAILBOX_INIT;
static uint32_t garbage[12] = {0x12345678u, 0xffffffffu, 1, 0xa1a1a1a1u,
        0xa4a4a4a5u, 0xa6a6a6a7u, 7, 9, 11, 13, 15, 17};

static struct al_event *as_event(void *memory)
{
    return (struct al_event *)memory;
}

static struct al_mailbox *as_box(void *memory)
{
    return (struct al_mailbox *)memory;
}

static void wait(
        struct al_event *on, uint32_t mask, uint32_t mode, al_time deadline)
{
    al_status status = al_event_wait(on, mask, mode, deadline, NULL);

    (void)status;
}

static void send(struct al_mailbox *to, void *item, al_time deadline)
{
    al_status status = al_mailbox_send_until(to, item, deadline);

    (void)status;
}

static void receive(struct al_mailbox *from, al_time deadline)
{
    void *item;
    al_status status = al_mailbox_receive_until(from, &item, deadline);

    (void)status;
}

/* A function for each use: what is wrong, in its name. */
#define USE(name, call)  \
  static void name(void) \
  {                      \
    call;                \
  }

USE(set_zeroed, al_event_set(&zero_event, 1))
USE(set_old, al_event_set(&old_event, 1))
USE(set_garbage, al_event_set(as_event(garbage), 1))
USE(set_box, al_event_set(as_event(&box), 1))
USE(clear_zeroed, (void)al_event_clear(&zero_event, 1))
USE(clear_garbage, (void)al_event_clear(as_event(garbage), 1))
USE(wait_zeroed, wait(&zero_event, 1, AL_EVENT_ANY, AL_FOREVER))
USE(wait_old, wait(&old_event, 1, AL_EVENT_ANY, AL_POLL))
USE(wait_garbage, wait(as_event(garbage), 1, AL_EVENT_ANY, AL_FOREVER))
USE(wait_nothing, wait(&event, 0, AL_EVENT_ANY, AL_FOREVER))
USE(wait_all_nothing, wait(&event, 0, AL_EVENT_ALL, AL_POLL))
USE(wait_mode_4, wait(&event, 1, 4, AL_FOREVER))
USE(wait_mode_late, wait(&event, 1, UINT32_MAX, AL_FOREVER))
USE(destroy_zeroed, al_event_destroy(&zero_event))
USE(destroy_twice, al_event_destroy(&old_event))
USE(send_zeroed, send(&zero_box, garbage, AL_FOREVER))
USE(send_old, send(&old_box, garbage, AL_POLL))
USE(send_garbage, send(as_box(garbage), garbage, AL_FOREVER))
USE(send_event, send(as_box(&event), garbage, AL_FOREVER))
USE(send_null, send(&box, NULL, AL_FOREVER))
USE(overwrite_zeroed, (void)al_mailbox_overwrite(&zero_box, garbage))
USE(overwrite_old, (void)al_mailbox_overwrite(&old_box, garbage))
USE(overwrite_null, (void)al_mailbox_overwrite(&box, NULL))
USE(receive_zeroed, receive(&zero_box, AL_FOREVER))
USE(receive_old, receive(&old_box, AL_POLL))
USE(receive_garbage, receive(as_box(garbage), AL_FOREVER))
USE(end_zeroed, al_mailbox_destroy(&zero_box))
USE(end_twice, al_mailbox_destroy(&old_box))

static const struct {
    const char *name;
    void (*use)(void);
    uint32_t module, number;
} uses[] = {
        {"set, zeroed", set_zeroed, EVENT, 2},
        {"set, destroyed", set_old, EVENT, 2},
        {"set, garbage", set_garbage, EVENT, 2},
        {"set, a mailbox", set_box, EVENT, 2},
        {"clear, zeroed", clear_zeroed, EVENT, 2},
        {"clear, garbage", clear_garbage, EVENT, 2},
        {"wait, zeroed", wait_zeroed, EVENT, 2},
        {"wait, destroyed", wait_old, EVENT, 2},
        {"wait, garbage", wait_garbage, EVENT, 2},
        {"wait for no bit", wait_nothing, EVENT, 3},
        {"poll for all of no bit", wait_all_nothing, EVENT, 3},
        {"wait, mode 4", wait_mode_4, EVENT, 3},
        {"wait, mode 2^32-1", wait_mode_late, EVENT, 3},
        {"destroy, zeroed", destroy_zeroed, EVENT, 2},
        {"destroy twice", destroy_twice, EVENT, 2},
        {"send, zeroed", send_zeroed, MAILBOX, 2},
        {"send, destroyed", send_old, MAILBOX, 2},
        {"send, garbage", send_garbage, MAILBOX, 2},
        {"send, an event set", send_event, MAILBOX, 2},
        {"send NULL", send_null, MAILBOX, 3},
        {"overwrite, zeroed", overwrite_zeroed, MAILBOX, 2},
        {"overwrite, destroyed", overwrite_old, MAILBOX, 2},
        {"overwrite by NULL", overwrite_null, MAILBOX, 3},
        {"receive, zeroed", receive_zeroed, MAILBOX, 2},
        {"receive, destroyed", receive_old, MAILBOX, 2},
        {"receive, garbage", receive_garbage, MAILBOX, 2},
        {"end a mailbox, zeroed", end_zeroed, MAILBOX, 2},
        {"end a mailbox twice", end_twice, MAILBOX, 2},
};

static volatile uint32_t got;
static void *volatile found;

static void waits_for_event_main(void)
{
    uint32_t bits = 0;
    al_status status =
            al_event_wait(&event, 3, AL_EVENT_ALL, AL_FOREVER, &bits);

    got = status == AL_OK ? bits : 0;
}

AL_TASK(waits_for_event, waits_for_event_main, 7, 1024);

static void waits_for_box_main(void)
{
    void *item = NULL;
    al_status status = al_mailbox_receive_until(&box, &item, AL_FOREVER);

    found = status == AL_OK ? item : NULL;
}

AL_TASK(waits_for_box, waits_for_box_main, 7, 1024);

static void serve(void)
{
    al_event_set(&event, 2);
    (void)al_mailbox_overwrite(&box, garbage);
}

static void judge_main(void)
{
    al_event_destroy(&old_event);
    al_mailbox_destroy(&old_box);
    al_event_set(&event, 1);
    for (unsigned i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        uint32_t died = rig_run(uses[i].use);
        const char *wrong = rig_check();

        CHECK(died == 1 && rig_record.cause == AL_CAUSE_CALLER &&
                        rig_record.detail[0] == uses[i].module &&
                        rig_record.detail[1] == uses[i].number,
                "%s: %u.%u", uses[i].name, (unsigned)rig_record.detail[0],
                (unsigned)rig_record.detail[1]);
        CHECK(wrong == NULL && got == 0 && found == NULL &&
                        al_event_get(&event) == 1 &&
                        al_event_get(&zero_event) == 0 &&
                        al_mailbox_peek(&box) == NULL && zero_box.item == NULL,
                "%s: nothing else is touched: %s", uses[i].name,
                wrong != NULL ? wrong : "right");
    }
    CHECK(rig_run(serve) == 0 && got == 3 && found == garbage,
            "the waiters are served at the end");
    test_done();
}

AL_TASK(judge, judge_main, 4, 2560);
