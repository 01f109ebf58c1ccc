/* SPDX-License-Identifier: MIT */
/*
 * Claim: whoever uses a channel that ends, or whose other end dies, is told,
 * once, and nothing that was in it is lost before.
 *   1. closed: senders get AL_E_CLOSED at once, also those that wait and
 *      handlers; receivers get what is there, then AL_E_CLOSED
 *   2. a peer dies: the most urgent task that waits at the other end, or the
 *      next one that comes, gets AL_E_PEER_RESTARTED before further items; once
 *      for each death, never for a scope that ends in peace
 *   3. destroyed: all who wait get AL_E_DESTROYED, handlers as well; it can be
 *      made again
 *   4. destroyed, or closed, while a task waits and a handler sends or receives
 *      at each instruction of that: the handler's status and what the task gets
 *      belong together, no post is left, the kernel is whole
 *   5. a task that tries, while another waits at the same end and a handler
 *      changes that at each instruction, never gets what the other is owed
 * Fails if: an end stays open, a death is told twice, or a destroyed channel is
 * still posted.
 * builds: gcc-O2 gcc-O0 clang-O2 clang-Os
 * sources: ../interleave/rig.c
 */
#include "../interleave/rig.h"

#include "test.h"

struct wide {
    uint32_t words[3];
};

AL_CHAN_TYPE(words, uint32_t, 2);
AL_CHAN_TYPE(wides, struct wide, 2);
static struct words chan = AL_CHAN_INIT(uint32_t, 2);
static struct wides wide = AL_CHAN_INIT(struct wide, 2);

#define HELPERS 3

static struct {
    struct al_sem go;
    void (*volatile job)(unsigned n);
    volatile al_status status;
    volatile uint32_t value;
} help[HELPERS] = {{.go = AL_SEM_INIT(0, 1)}, {.go = AL_SEM_INIT(0, 1)},
        {.go = AL_SEM_INIT(0, 1)}};

#define AT_WORK 1 /* no status */

static void helper_main(const unsigned *n)
{
    for (;;) {
        al_sem_take(&help[*n].go);
        help[*n].status = AT_WORK;
        help[*n].job(*n);
    }
}

AL_TASK_ARGS(a, helper_main, 10, 1536, &al_restart_default, unsigned, {0});
AL_TASK_ARGS(b, helper_main, 11, 1536, &al_restart_default, unsigned, {1});
AL_TASK_ARGS(c, helper_main, 12, 1536, &al_restart_default, unsigned, {2});

static void start(unsigned n, void (*job)(unsigned n))
{
    help[n].job = job;
    al_sem_give(&help[n].go);
}

static void send_word(unsigned n)
{
    help[n].status = al_chan_send(&chan, 100 + n);
}

static void recv_word(unsigned n)
{
    uint32_t value = 0;

    help[n].status = al_chan_recv(&chan, &value);
    help[n].value = value;
}

static void recv_word_until(unsigned n)
{
    uint32_t value = 0;

    help[n].status = al_chan_recv_until(&chan, &value, al_in(1000));
    help[n].value = value;
}

static void send_wide(unsigned n)
{
    struct wide item = {{n, n, n}};

    help[n].status = al_chan_send(&wide, item);
}

static void recv_wide(unsigned n)
{
    struct wide item;

    help[n].status = al_chan_recv(&wide, &item);
}

static void again(void)
{
    al_chan_destroy(&chan);
    al_chan_destroy(&wide);
    al_chan_init(&chan);
    al_chan_init(&wide);
}

/* ---- in a handler ---- */

static volatile al_status irq_status;
static volatile bool irq_ran;
static volatile bool irq_recv;

static void act(unsigned n, const struct rig_hit *hit)
{
    uint32_t value;

    (void)n;
    (void)hit;
    irq_status = irq_recv ? al_irq_chan_recv(&chan, &value)
                          : al_irq_chan_send(&chan, 77);
    irq_ran = true;
}

static al_status in_handler(bool recv)
{
    irq_recv = recv;
    irq_ran = false;
    rig_pend(0, act);
    return irq_ran ? irq_status : AT_WORK;
}

/* ---- closing ---- */

static void closing(void)
{
    struct wide item = {{1, 2, 3}};
    uint32_t value = 0;

    again();
    CHECK(al_chan_send(&chan, 1) == AL_OK && al_chan_send(&chan, 2) == AL_OK,
            "two are in it");
    start(0, send_word);
    start(1, send_word);
    al_chan_close(&chan);
    CHECK(help[0].status == AL_E_CLOSED && help[1].status == AL_E_CLOSED,
            "senders that wait are told");
    CHECK(al_chan_send(&chan, 3) == AL_E_CLOSED &&
                    al_chan_try_send(&chan, 3) == AL_E_CLOSED &&
                    al_chan_send_until(&chan, 3, al_in(3)) == AL_E_CLOSED &&
                    in_handler(false) == AL_E_CLOSED,
            "nothing more goes in");
    CHECK(al_chan_recv(&chan, &value) == AL_OK && value == 1 &&
                    in_handler(true) == AL_OK,
            "what is there comes out");
    CHECK(al_chan_recv(&chan, &value) == AL_E_CLOSED &&
                    al_chan_try_recv(&chan, &value) == AL_E_CLOSED &&
                    al_chan_recv_until(&chan, &value, al_in(3)) ==
                            AL_E_CLOSED &&
                    in_handler(true) == AL_E_CLOSED && value == 1,
            "and then nothing");
    CHECK(al_chan_send(&chan, 4) == AL_E_CLOSED && al_chan_count(&chan) == 0,
            "nor in, with room");
    al_chan_close(&chan);
    CHECK(al_chan_recv(&chan, &value) == AL_E_CLOSED, "closed twice");
    al_chan_close(&wide);
    CHECK(al_chan_send(&wide, item) == AL_E_CLOSED &&
                    al_chan_recv(&wide, &item) == AL_E_CLOSED,
            "the same, three words");
    again();
    start(0, recv_word);
    start(1, recv_word_until);
    start(2, recv_wide);
    al_chan_close(&chan);
    al_chan_close(&wide);
    CHECK(help[0].status == AL_E_CLOSED && help[1].status == AL_E_CLOSED &&
                    help[2].status == AL_E_CLOSED,
            "receivers that wait are told");
}

/* ---- peers ---- */

static struct al_sem die = AL_SEM_INIT(0, 1);
static volatile uint32_t deaths;
static void (*volatile deed)(void);

static void victim_main(void)
{
    AL_CHAN_SENDER_SCOPED(&chan);
    AL_CHAN_RECEIVER_SCOPED(&wide);

    al_sem_take(&die);
    deaths++;
    deed();
    al_panic("as told");
}

static const struct al_restart_policy at_once = {
        .budget = 0xffff,
        .window = 1,
};
AL_TASK_POLICY(victim, victim_main, 15, 1536, &at_once);

static void nothing(void)
{
}

static void send_before(void)
{
    if (al_chan_send(&chan, 42) != AL_OK) {
        al_panic("not sent");
    }
}

static void kill(void (*what)(void))
{
    deed = what;
    al_sem_give(&die);
}

static void peaceful(unsigned n)
{
    AL_CHAN_SENDER_SCOPED(&chan);

    help[n].status = AL_OK;
}

static void peers(void)
{
    struct wide item = {{1, 2, 3}};
    uint32_t value = 0;

    again();
    CHECK(al_chan_try_recv(&chan, &value) == AL_E_EMPTY, "no news at first");
    kill(nothing);
    CHECK(deaths == 1 && al_chan_recv(&chan, &value) == AL_E_PEER_RESTARTED,
            "the next receiver is told");
    CHECK(al_chan_try_recv(&chan, &value) == AL_E_EMPTY, "once");
    CHECK(al_chan_send(&wide, item) == AL_E_PEER_RESTARTED &&
                    al_chan_count(&wide) == 0,
            "the next sender is told, and nothing sent");
    CHECK(al_chan_send(&wide, item) == AL_OK && al_chan_count(&wide) == 1,
            "once");
    CHECK(al_chan_send(&chan, 5) == AL_OK, "its own end is told nothing");
    kill(send_before);
    kill(nothing);
    CHECK(al_chan_try_recv(&chan, &value) == AL_E_PEER_RESTARTED &&
                    al_chan_recv_until(&chan, &value, al_in(5)) ==
                            AL_E_PEER_RESTARTED,
            "two deaths are told twice, before what is there");
    CHECK(al_chan_recv(&chan, &value) == AL_OK && value == 5 &&
                    al_chan_recv(&chan, &value) == AL_OK && value == 42 &&
                    al_chan_try_recv(&chan, &value) == AL_E_EMPTY,
            "what was there stays");
    CHECK(chan.al.chan.head % 2 == 1 && chan.al.chan.tail % 2 == 1,
            "both ends are open");
    CHECK(al_chan_try_send(&wide, item) == AL_E_PEER_RESTARTED &&
                    al_chan_send_until(&wide, item, al_in(5)) ==
                            AL_E_PEER_RESTARTED &&
                    al_chan_send(&wide, item) == AL_OK,
            "the same at the other end");
    start(0, recv_word);
    start(1, recv_word_until);
    start(2, send_wide);
    CHECK(help[2].status == AT_WORK, "it is full");
    kill(nothing);
    CHECK(help[1].status == AL_E_PEER_RESTARTED && help[0].status == AT_WORK,
            "the most urgent that waits is told, it alone");
    CHECK(help[2].status == AL_E_PEER_RESTARTED && al_chan_count(&wide) == 2,
            "a sender that waits is told");
    CHECK(al_chan_send(&chan, 6) == AL_OK && help[0].status == AL_OK &&
                    help[0].value == 6,
            "the other one has the next item");
    start(0, peaceful);
    CHECK(help[0].status == AL_OK &&
                    al_chan_try_recv(&chan, &value) == AL_E_EMPTY,
            "an end in peace is no news");
    CHECK(al_chan_send(&chan, 7) == AL_OK && in_handler(true) == AL_OK,
            "handlers go on");
    kill(nothing);
    al_chan_close(&chan);
    CHECK(al_chan_recv(&chan, &value) == AL_E_PEER_RESTARTED &&
                    al_chan_recv(&chan, &value) == AL_E_CLOSED,
            "told of a closed channel, too");
    al_chan_destroy(&chan);
    kill(nothing);
    al_chan_init(&chan);
    CHECK(al_chan_try_recv(&chan, &value) == AL_E_EMPTY,
            "a channel that was destroyed meanwhile");
}

/* ---- destroying ---- */

static void destroying(void)
{
    uint32_t value = 0;

    again();
    start(0, recv_word);
    start(1, recv_word_until);
    start(2, recv_wide);
    again();
    CHECK(help[0].status == AL_E_DESTROYED &&
                    help[1].status == AL_E_DESTROYED &&
                    help[2].status == AL_E_DESTROYED,
            "receivers that wait are told");
    CHECK(al_chan_send(&chan, 1) == AL_OK && al_chan_send(&chan, 2) == AL_OK,
            "it is as new");
    start(0, send_word);
    start(1, send_word);
    al_chan_destroy(&chan);
    CHECK(help[0].status == AL_E_DESTROYED && help[1].status == AL_E_DESTROYED,
            "senders that wait are told");
    CHECK(in_handler(false) == AL_E_DESTROYED &&
                    in_handler(true) == AL_E_DESTROYED,
            "handlers are told");
    al_chan_init(&chan);
    CHECK(al_chan_try_recv(&chan, &value) == AL_E_EMPTY, "empty again");
}

/* ---- a handler at each instruction ---- */

static bool is_whole(const char **why)
{
    const char *kernel = rig_check();

    if (kernel != NULL) {
        *why = kernel;
    } else if (chan.al.chan.post.pending != 0 ||
               chan.al.chan.waiters[0].head != NULL ||
               chan.al.chan.waiters[1].head != NULL) {
        *why = "a post or a waiter is left";
    }
    return *why == NULL;
}

/* One task waits to receive; a handler sends. */
static bool met_receiver(uint32_t delay, bool close, const char **why)
{
    uint32_t value = 0;

    again();
    start(0, recv_word);
    irq_recv = false;
    irq_ran = false;
    rig_arm(0, delay, act);
    if (close) {
        al_chan_close(&chan);
    } else {
        al_chan_destroy(&chan);
    }
    rig_disarm(0);
    if (!irq_ran) {
        return false;
    }
    if (irq_status == AL_OK) {
        bool served = help[0].status == AL_OK && help[0].value == 77;
        /* It was told first, and the item is in the channel. */
        bool stays = close && help[0].status == AL_E_CLOSED &&
                     al_chan_recv(&chan, &value) == AL_OK && value == 77;

        if (!served && !stays && (close || help[0].status != AL_E_DESTROYED)) {
            *why = "an item that was sent is lost";
        }
    } else if (help[0].status == AL_OK ||
               irq_status != (close ? AL_E_CLOSED : AL_E_DESTROYED)) {
        *why = "an item that was not sent arrived";
    }
    return is_whole(why);
}

/* One task waits to send; a handler receives. */
static bool met_sender(uint32_t delay, bool close, const char **why)
{
    uint32_t items;

    again();
    if (al_chan_send(&chan, 1) != AL_OK || al_chan_send(&chan, 2) != AL_OK) {
        *why = "not sent";
    }
    start(0, send_word);
    irq_recv = true;
    irq_ran = false;
    rig_arm(0, delay, act);
    if (close) {
        al_chan_close(&chan);
    } else {
        al_chan_destroy(&chan);
    }
    rig_disarm(0);
    if (!irq_ran) {
        return false;
    }
    items = al_chan_count(&chan);
    if (close &&
            items != 2u - (irq_status == AL_OK) + (help[0].status == AL_OK)) {
        *why = "an item lost or won";
    }
    if (help[0].status != AL_OK &&
            help[0].status != (close ? AL_E_CLOSED : AL_E_DESTROYED)) {
        *why = "a status that does not belong here";
    }
    return is_whole(why);
}

/* A task waits to send; a handler receives while another one tries to send. */
static bool met_try_send(uint32_t delay, bool close, const char **why)
{
    al_status status;

    (void)close;
    again();
    if (al_chan_send(&chan, 1) != AL_OK || al_chan_send(&chan, 2) != AL_OK) {
        *why = "not sent";
    }
    start(0, send_word);
    irq_recv = true;
    irq_ran = false;
    rig_arm(0, delay, act);
    status = al_chan_try_send(&chan, 3);
    rig_disarm(0);
    if (irq_ran && (status != AL_E_FULL || help[0].status != AL_OK ||
                           irq_status != AL_OK)) {
        *why = "a task that waits to send was overtaken";
    }
    return irq_ran && is_whole(why);
}

static bool met_try_recv(uint32_t delay, bool close, const char **why)
{
    uint32_t value = 0;
    al_status status;

    (void)close;
    again();
    start(0, recv_word);
    irq_recv = false;
    irq_ran = false;
    rig_arm(0, delay, act);
    status = al_chan_try_recv(&chan, &value);
    rig_disarm(0);
    if (irq_ran && (status != AL_E_EMPTY || help[0].status != AL_OK ||
                           irq_status != AL_OK)) {
        *why = "a task that waits to receive was overtaken";
    }
    return irq_ran && is_whole(why);
}

static void everywhere(const char *name, bool close,
        bool (*met)(uint32_t, bool, const char **))
{
    const char *why = NULL;
    uint32_t delay = 0;
    uint32_t served = 0;

    while (met(delay, close, &why)) {
        served += help[0].status == AL_OK;
        if (!close) {
            al_chan_init(&chan);
        }
        delay++;
    }
    if (!close) {
        al_chan_init(&chan);
    }
    again(); /* nobody waits any more */
    CHECK(why == NULL && delay > 50 && served > 0, "%s: %u places, %u: %s",
            name, (unsigned)delay, (unsigned)served,
            why == NULL ? "right" : why);
}

static void judge_main(void)
{
    const char *wrong;

    al_sleep(2);
    rig_start();
    closing();
    peers();
    destroying();
    everywhere("closed under a receiver", true, met_receiver);
    everywhere("closed under a sender", true, met_sender);
    everywhere("destroyed under a receiver", false, met_receiver);
    everywhere("destroyed under a sender", false, met_sender);
    everywhere("tried to send behind a sender", true, met_try_send);
    everywhere("tried to receive behind a receiver", true, met_try_recv);
    wrong = rig_check();
    CHECK(wrong == NULL, "kernel: %s", wrong != NULL ? wrong : "right");
    test_done();
}

AL_TASK(judge, judge_main, 5, 3072);
