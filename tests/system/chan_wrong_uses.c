/* SPDX-License-Identifier: MIT */
/*
 * Claim: a wrong use of a channel ends the caller, by its name or by a fault,
 * and nothing else: never the kernel, nor another channel.
 *   1. each function on memory of zeros and on a destroyed channel: CHAN.2
 *   2. making one of a wrong capacity or size: CHAN.3
 *   3. items that lie where no memory is: a fault in the caller, with the
 *      kernel lock free; the channel is as it was
 *   4. handlers are told AL_E_DESTROYED
 * Fails if: a check of CALLER_MUST is dropped, or an item is first touched with
 * the kernel lock held (that would be the kernel stop).
 * builds: gcc-O2 gcc-O0 clang-O2
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

struct wide {
    uint32_t words[3];
};

AL_CHAN_TYPE(words, uint32_t, 4);
AL_CHAN_TYPE(wides, struct wide, 2);
static struct words zeros;
static struct wides wide_zeros;
static struct words ended = AL_CHAN_INIT(uint32_t, 4);
static struct wides good = AL_CHAN_INIT(struct wide, 2);

#define NOWHERE ((uint32_t *)(uintptr_t)0x30000000u)

static volatile al_status ignored;
static uint32_t value;
static struct wide item = {{1, 2, 3}};

static void send_zeros(void)
{
    ignored = al_chan_send(&zeros, 1);
}

static void send_until_zeros(void)
{
    ignored = al_chan_send_until(&zeros, 1, al_in(5));
}

static void try_send_zeros(void)
{
    ignored = al_chan_try_send(&zeros, 1);
}

static void recv_zeros(void)
{
    ignored = al_chan_recv(&zeros, &value);
}

static void try_recv_zeros(void)
{
    ignored = al_chan_try_recv(&zeros, &value);
}

static void send_wide_zeros(void)
{
    ignored = al_chan_send(&wide_zeros, item);
}

static void recv_wide_zeros(void)
{
    ignored = al_chan_recv(&wide_zeros, &item);
}

static void close_zeros(void)
{
    al_chan_close(&zeros);
}

static void destroy_zeros(void)
{
    al_chan_destroy(&zeros);
}

static void send_ended(void)
{
    ignored = al_chan_send(&ended, 1);
}

static void recv_ended(void)
{
    ignored = al_chan_recv(&ended, &value);
}

static void close_ended(void)
{
    al_chan_close(&ended);
}

static void destroy_ended(void)
{
    al_chan_destroy(&ended);
}

static void no_capacity(void)
{
    al_chan_make(&zeros.al.chan, 1, 0);
}

static void odd_capacity(void)
{
    al_chan_make(&zeros.al.chan, 1, 3);
}

static void huge_capacity(void)
{
    al_chan_make(&zeros.al.chan, 1, 2 * AL_CHAN_CAPACITY_MAX);
}

static void no_words(void)
{
    al_chan_make(&zeros.al.chan, 0, 4);
}

static void large_item(void)
{
    al_chan_make(&zeros.al.chan, AL_CHAN_ITEM_MAX / 4 + 1, 4);
}

static void send_from_nowhere(void)
{
    ignored = al_chan_send_words(&good.al.chan, NOWHERE, AL_POLL);
}

static void recv_to_nowhere(void)
{
    ignored = al_chan_recv_words(&good.al.chan, NOWHERE, AL_POLL);
}

/* Module 12: kernel/panics.def; 0: a fault. */
static const struct {
    const char *name;
    void (*use)(void);
    unsigned number;
} uses[] = {
        {"send to zeros", send_zeros, 2},
        {"send to zeros until", send_until_zeros, 2},
        {"try to send to zeros", try_send_zeros, 2},
        {"receive from zeros", recv_zeros, 2},
        {"try to receive from zeros", try_recv_zeros, 2},
        {"send three words to zeros", send_wide_zeros, 2},
        {"receive three words from zeros", recv_wide_zeros, 2},
        {"close zeros", close_zeros, 2},
        {"destroy zeros", destroy_zeros, 2},
        {"send to a destroyed one", send_ended, 2},
        {"receive from a destroyed one", recv_ended, 2},
        {"close a destroyed one", close_ended, 2},
        {"destroy a destroyed one", destroy_ended, 2},
        {"no capacity", no_capacity, 3},
        {"a capacity of 3", odd_capacity, 3},
        {"a capacity too large", huge_capacity, 3},
        {"items of no words", no_words, 3},
        {"items too large", large_item, 3},
        {"an item from nowhere", send_from_nowhere, 0},
        {"an item to nowhere", recv_to_nowhere, 0},
};
#define USES (sizeof(uses) / sizeof(uses[0]))

static volatile unsigned at;
static struct al_sem go = AL_SEM_INIT(0, 1);

static void victim_main(void)
{
    al_sem_take(&go);
    uses[at].use();
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};
AL_TASK_POLICY(victim, victim_main, 15, 1536, &at_once);

static bool are_zeros(const void *memory, unsigned size)
{
    const unsigned char *bytes = (const unsigned char *)memory;

    for (unsigned i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void one(void)
{
    struct al_crash_record record = {.cause = 0};
    const char *wrong;
    bool named;

    al_sem_give(&go);
    named = al_crash_count() == at + 1 &&
            al_crash_read(at + 1, &record) == AL_OK &&
            (uses[at].number == 0
                            ? record.cause != AL_CAUSE_CALLER
                            : record.cause == AL_CAUSE_CALLER &&
                                      record.detail[0] == 12 &&
                                      record.detail[1] == uses[at].number);
    CHECK(named, "%s: %s %u.%u", uses[at].name, al_cause_name(record.cause),
            (unsigned)record.detail[0], (unsigned)record.detail[1]);
    wrong = rig_check();
    CHECK(wrong == NULL && are_zeros(&zeros, sizeof(zeros)) &&
                    are_zeros(&wide_zeros, sizeof(wide_zeros)) &&
                    al_chan_count(&good) == 1,
            "%s: nothing else is touched: %s", uses[at].name,
            wrong != NULL ? wrong : "kernel right");
}

static volatile bool told;

static void act(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    told = al_irq_chan_send(&zeros, 1) == AL_E_DESTROYED &&
           al_irq_chan_recv(&zeros, &value) == AL_E_DESTROYED &&
           al_irq_chan_send(&ended, 1) == AL_E_DESTROYED &&
           al_irq_chan_recv(&ended, &value) == AL_E_DESTROYED;
}

static void judge_main(void)
{
    rig_start();
    CHECK(al_chan_send(&good, item) == AL_OK, "one is in the good one");
    al_chan_destroy(&ended);
    for (at = 0; at < USES; at++) {
        one();
    }
    rig_pend(0, act);
    CHECK(told, "handlers are told");
    CHECK(al_chan_recv(&good, &item) == AL_OK && item.words[2] == 3,
            "the good one is good");
    test_done();
}

AL_TASK(judge, judge_main, 5, 3072);
