/* SPDX-License-Identifier: MIT */
/*
 * Claim: a channel passes items of every size on, whole, in their order, each
 * once, to tasks and from tasks; it is full at its capacity, empty at 0, and
 * whoever waits is served or told.
 *   1. items of 1, 2, 4, 8, 12 and 64 bytes, capacities 1, 2 and 4, static and
 *      made at run time, across the wrap of the indices: full and empty at the
 *      bound, all bytes right
 *   2. waiting: three receivers and three senders of different priorities are
 *      served most urgent first, equals in their order; an item for a more
 *      urgent task preempts, for a less urgent one does not
 *   3. deadlines: at the tick, not before; a poll; one in the past; what is
 *      there is taken whatever the deadline
 *   4. what is owed to tasks that wait is not there for others
 * Fails if: an index is compared without its wrap, the last item waits for ever
 * because an end stays open while its other end waits, or a try overtakes.
 * builds: gcc-Os-small gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "journal.h"
#include "test.h"

/* ---- sizes ---- */

struct item8 {
    uint32_t words[2];
};
struct item12 {
    char bytes[12];
};
struct item64 {
    unsigned char bytes[64];
};
struct item5 {
    char bytes[5];
};

AL_CHAN(chan1, uint8_t, 4);
AL_CHAN(chan2, int16_t, 2);
AL_CHAN(chan4, uint32_t, 4);
AL_CHAN(chan_float, float, 1);
AL_CHAN(chan5, struct item5, 2);
AL_CHAN(chan8, struct item8, 2);
AL_CHAN(chan12, struct item12, 4);
AL_CHAN(chan64, struct item64, 2);
AL_CHAN_TYPE(run_time, struct item12, 8);
static struct run_time made;
AL_CHAN(pointers, const char *, 2);

static void fill(void *item, unsigned size, unsigned seed)
{
    unsigned char *bytes = (unsigned char *)item;

    for (unsigned i = 0; i < size; i++) {
        bytes[i] = (unsigned char)(seed * 17 + i * 29 + 1);
    }
}

static bool is_filled(const void *item, unsigned size, unsigned seed)
{
    const unsigned char *bytes = (const unsigned char *)item;

    for (unsigned i = 0; i < size; i++) {
        if (bytes[i] != (unsigned char)(seed * 17 + i * 29 + 1)) {
            return false;
        }
    }
    return true;
}

/* Seven times: fill to `in`, full at the capacity, empty to nothing. */
#define SIZES(c, type, capacity)                                         \
  do {                                                                   \
    const char *wrong_ = NULL;                                           \
    type item_;                                                          \
    unsigned sent_ = 0;                                                  \
    unsigned got_ = 0;                                                   \
    (c)->al.chan.head = 0xfffffffbu; /* the fourth item is at 0 */       \
    (c)->al.chan.tail = 0xfffffffbu;                                     \
    for (unsigned in_ = 0; in_ < 7 * (capacity); in_++) {                \
      unsigned items_ = in_ % ((capacity) + 1);                          \
      for (unsigned i_ = 0; i_ < items_; i_++) {                         \
        fill(&item_, sizeof(item_), sent_);                              \
        sent_++;                                                         \
        if (al_chan_count(c) != i_ ||                                    \
                (i_ % 2 == 0 ? al_chan_send(c, item_)                    \
                             : al_chan_try_send(c, item_)) != AL_OK) {   \
          wrong_ = "not sent";                                           \
        }                                                                \
      }                                                                  \
      if (items_ == (capacity)) {                                        \
        fill(&item_, sizeof(item_), 99);                                 \
        if (al_chan_try_send(c, item_) != AL_E_FULL ||                   \
                al_chan_send_until(c, item_, AL_POLL) != AL_E_TIMEOUT) { \
          wrong_ = "not full";                                           \
        }                                                                \
      }                                                                  \
      for (unsigned i_ = 0; i_ < items_; i_++) {                         \
        fill(&item_, sizeof(item_), 98);                                 \
        if ((i_ % 2 == 0 ? al_chan_recv(c, &item_)                       \
                         : al_chan_try_recv(c, &item_)) != AL_OK ||      \
                !is_filled(&item_, sizeof(item_), got_)) {               \
          wrong_ = "not received";                                       \
        }                                                                \
        got_++;                                                          \
      }                                                                  \
      fill(&item_, sizeof(item_), 97);                                   \
      if (al_chan_try_recv(c, &item_) != AL_E_EMPTY ||                   \
              !is_filled(&item_, sizeof(item_), 97)) {                   \
        wrong_ = "not empty";                                            \
      }                                                                  \
    }                                                                    \
    CHECK(wrong_ == NULL && sent_ == got_ && (c)->al.chan.tail < 0x1000, \
            "%u bytes, capacity %u: %s", (unsigned)sizeof(type),         \
            (unsigned)(capacity), wrong_ == NULL ? "right" : wrong_);    \
  } while (0)

static void sizes(void)
{
    const char *text = NULL;
    float number = 0;
    static const char greeting[] = "hello";

    SIZES(&chan1, uint8_t, 4);
    SIZES(&chan2, int16_t, 2);
    SIZES(&chan4, uint32_t, 4);
    SIZES(&chan5, struct item5, 2);
    SIZES(&chan8, struct item8, 2);
    SIZES(&chan12, struct item12, 4);
    SIZES(&chan64, struct item64, 2);
    al_chan_init(&made);
    SIZES(&made, struct item12, 8);
    al_chan_destroy(&made);
    al_chan_init(&made);
    CHECK(al_chan_count(&made) == 0, "made again: empty");
    SIZES(&chan_float, float, 1);
    CHECK(al_chan_send(&chan_float, 1.5f) == AL_OK &&
                    al_chan_recv(&chan_float, &number) == AL_OK &&
                    number > 1.4f && number < 1.6f,
            "a float is a float");
    CHECK(al_chan_send(&pointers, greeting) == AL_OK &&
                    al_chan_recv(&pointers, &text) == AL_OK && text == greeting,
            "a pointer is a pointer");
    CHECK(al_chan_send(&chan2, -5) == AL_OK, "an integer becomes another");
    {
        int16_t back = 0;

        CHECK(al_chan_recv(&chan2, &back) == AL_OK && back == -5,
                "a negative item: %d", back);
    }
}

/* ---- waiting ---- */

AL_CHAN(queue, uint32_t, 2);
AL_CHAN(queue64, struct item64, 2);

#define HELPERS 4

static struct {
    struct al_sem go;
    void (*volatile job)(unsigned n);
    volatile al_status status;
    volatile uint32_t value;
    volatile al_time done;
} help[HELPERS] = {{.go = AL_SEM_INIT(0, 1)}, {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)}, {.go = AL_SEM_INIT(0, 1)}};

static void helper_main(const unsigned *n)
{
    for (;;) {
        al_sem_take(&help[*n].go);
        help[*n].status = 1;
        help[*n].job(*n);
        help[*n].done = al_now();
        journal_note((char)('a' + *n));
    }
}

/* a and c are equals, b is more urgent than they, d less than the judge. */
AL_TASK_ARGS(a, helper_main, 10, 1536, &al_restart_default, unsigned, {0});
AL_TASK_ARGS(b, helper_main, 11, 1536, &al_restart_default, unsigned, {1});
AL_TASK_ARGS(c, helper_main, 10, 1536, &al_restart_default, unsigned, {2});
AL_TASK_ARGS(d, helper_main, 3, 1536, &al_restart_default, unsigned, {3});

static void start(unsigned n, void (*job)(unsigned n))
{
    help[n].job = job;
    al_sem_give(&help[n].go);
    if (n == 3) {
        al_sleep(1);
    }
}

static void recv_one(unsigned n)
{
    uint32_t value = 0;

    help[n].status = al_chan_recv(&queue, &value);
    help[n].value = value;
}

static void send_one(unsigned n)
{
    help[n].status = al_chan_send(&queue, 100 + n);
}

static void recv64(unsigned n)
{
    struct item64 item;

    fill(&item, sizeof(item), 1);
    help[n].status = al_chan_recv(&queue64, &item);
    help[n].value = is_filled(&item, sizeof(item), 5 + n);
}

static void send64(unsigned n)
{
    struct item64 item;

    fill(&item, sizeof(item), 50 + n);
    help[n].status = al_chan_send(&queue64, item);
    fill(&item, sizeof(item), 2);
}

static void receivers_wait(void)
{
    uint32_t value;

    journal_clear();
    start(3, recv_one);
    start(0, recv_one);
    start(2, recv_one);
    start(1, recv_one);
    CHECK(journal_length() == 0, "four receivers wait");
    CHECK(al_chan_try_recv(&queue, &value) == AL_E_EMPTY, "a try in between");
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(al_chan_send(&queue, 70 + i) == AL_OK, "item %u", (unsigned)i);
        CHECK(journal_length() == (i < 3 ? i + 1 : 3),
                "item %u: who runs at once", (unsigned)i);
    }
    al_sleep(1);
    CHECK(journal_is("bacd"), "the most urgent first: %s", journal());
    CHECK(help[1].value == 70 && help[0].value == 71 && help[2].value == 72 &&
                    help[3].value == 73 && help[3].status == AL_OK,
            "each has its item");
    CHECK(queue.al.chan.head % 2 == 1 && queue.al.chan.tail % 2 == 1,
            "both ends are open again");
}

static void senders_wait(void)
{
    uint32_t values[6] = {0};

    journal_clear();
    CHECK(al_chan_send(&queue, 1) == AL_OK && al_chan_send(&queue, 2) == AL_OK,
            "two items fill it");
    start(3, send_one);
    start(0, send_one);
    start(2, send_one);
    start(1, send_one);
    CHECK(journal_length() == 0, "four senders wait");
    CHECK(al_chan_try_send(&queue, 9) == AL_E_FULL, "full for a try");
    for (unsigned i = 0; i < 6; i++) {
        CHECK(al_chan_recv(&queue, &values[i]) == AL_OK, "receive %u", i);
        CHECK(journal_length() == (i < 3 ? i + 1 : 3),
                "receive %u: who runs at once", i);
    }
    al_sleep(1);
    CHECK(journal_is("bacd"), "the most urgent first: %s", journal());
    CHECK(values[0] == 1 && values[1] == 2 && values[2] == 101 &&
                    values[3] == 100 && values[4] == 102 && values[5] == 103,
            "the items in the order of their senders");
    CHECK(help[0].status == AL_OK && help[3].status == AL_OK &&
                    al_chan_count(&queue) == 0,
            "none is left");
}

static void large_items_wait(void)
{
    struct item64 item;

    journal_clear();
    start(0, recv64);
    start(1, recv64);
    fill(&item, sizeof(item), 6);
    CHECK(al_chan_send(&queue64, item) == AL_OK && journal_is("b"),
            "64 bytes to the more urgent");
    fill(&item, sizeof(item), 5);
    CHECK(al_chan_send(&queue64, item) == AL_OK && journal_is("ba") &&
                    help[0].value == 1 && help[1].value == 1,
            "64 bytes arrive whole");
    for (unsigned i = 0; i < 2; i++) {
        fill(&item, sizeof(item), 40 + i);
        CHECK(al_chan_send(&queue64, item) == AL_OK, "64 bytes %u fill it", i);
    }
    start(0, send64);
    start(1, send64);
    CHECK(al_chan_recv(&queue64, &item) == AL_OK &&
                    is_filled(&item, sizeof(item), 40) &&
                    al_chan_recv(&queue64, &item) == AL_OK &&
                    is_filled(&item, sizeof(item), 41) &&
                    al_chan_recv(&queue64, &item) == AL_OK &&
                    is_filled(&item, sizeof(item), 51) &&
                    al_chan_recv(&queue64, &item) == AL_OK &&
                    is_filled(&item, sizeof(item), 50),
            "64 bytes of waiting senders");
}

/* ---- deadlines ---- */

static volatile uint32_t delay;

static void recv_late(unsigned n)
{
    uint32_t value = 0;

    help[n].status = al_chan_recv_until(&queue, &value, al_in(delay));
    help[n].value = value;
}

static void send_late(unsigned n)
{
    help[n].status = al_chan_send_until(&queue, 200, al_in(delay));
}

static void recv64_late(unsigned n)
{
    struct item64 item;

    help[n].status = al_chan_recv_until(&queue64, &item, al_in(delay));
}

static void deadlines(void)
{
    uint32_t value = 0;
    al_time now;

    delay = 5;
    al_sleep(1); /* no tick in the next few instructions */
    now = al_now();
    start(0, recv_late);
    start(1, recv64_late);
    al_sleep(10);
    CHECK(help[0].status == AL_E_TIMEOUT && help[0].done == now + 5,
            "a receiver's deadline: after %u", (unsigned)(help[0].done - now));
    CHECK(help[1].status == AL_E_TIMEOUT && help[1].done == now + 5,
            "the same, 64 bytes");
    CHECK(queue.al.chan.tail % 2 == 1, "open again for senders");
    start(0, recv_late);
    al_sleep(2);
    CHECK(al_chan_send(&queue, 5) == AL_OK && help[0].status == AL_OK &&
                    help[0].value == 5,
            "an item before the deadline");
    al_sleep(10);
    CHECK(help[0].status == AL_OK, "and nothing more");
    CHECK(al_chan_send_until(&queue, 6, AL_POLL) == AL_OK &&
                    al_chan_send_until(&queue, 7, 1) == AL_OK,
            "room is taken whatever the deadline");
    now = al_now();
    start(0, send_late);
    al_sleep(10);
    CHECK(help[0].status == AL_E_TIMEOUT && help[0].done == now + 5,
            "a sender's deadline: after %u", (unsigned)(help[0].done - now));
    CHECK(queue.al.chan.head % 2 == 1, "open again for receivers");
    CHECK(al_chan_send_until(&queue, 8, 1) == AL_E_TIMEOUT,
            "a deadline in the past");
    start(0, send_late);
    CHECK(al_chan_recv_until(&queue, &value, AL_POLL) == AL_OK && value == 6 &&
                    help[0].status == AL_OK,
            "room before the deadline");
    CHECK(al_chan_recv_until(&queue, &value, 1) == AL_OK && value == 7 &&
                    al_chan_recv(&queue, &value) == AL_OK && value == 200,
            "an item is taken whatever the deadline");
    CHECK(al_chan_recv_until(&queue, &value, 1) == AL_E_TIMEOUT,
            "none, and a deadline in the past");
    CHECK(al_chan_recv_until(&queue, &value, AL_POLL) == AL_E_TIMEOUT,
            "none, and a poll");
}

static void judge_main(void)
{
    const char *wrong;

    al_sleep(1);
    sizes();
    receivers_wait();
    senders_wait();
    large_items_wait();
    deadlines();
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 6144);
