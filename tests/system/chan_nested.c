/* SPDX-License-Identifier: MIT */
/*
 * Claim: whatever interrupts whatever on a channel, each item that was sent
 * arrives once, whole, and in the order of its sender; a refusal is true; and
 * nobody waits for what is there.
 *   1. items from a task and from handlers of three levels go through a pipe
 *      of two channels, in which a more urgent task waits to receive, and to
 *      send; the first handler interrupts at every instruction, the second from
 *      there on at any distance, the third interrupts that at once or later
 *   2. the same with a channel that all of them send to and receive from
 *   3. items of one word and of three, and after each round: as many received
 *      as sent, each sender's numbers without a gap, the kernel whole
 *   4. the most urgent handler, which nobody interrupts, finds that the count
 *      it read decides: full is full, empty is empty, and counts move by one
 *   5. the lock was met held by a task, by a handler, and by the switch
 * Fails if: an item is published that is not staged any more, a slot staged that
 * is published, a handler does not post, or who begins to wait does not look
 * again.
 * builds: gcc-O2 gcc-O0 gcc-Os clang-O2 clang-O0 clang-Os
 * sources: ../interleave/rig.c
 * timeout: 240
 */
#include "../interleave/rig.h"

#include "test.h"

#define SENDERS 4 /* the rig's three handlers, and the task */
#define TASK    3
#define ROOM    2
#define PENDSV  14u /* number of the switch exception */

struct wide {
    uint32_t item;
    uint32_t inverted;
    uint32_t sum;
};

AL_CHAN(word_in, uint32_t, ROOM);
AL_CHAN(word_out, uint32_t, 1);
AL_CHAN(word_tray, uint32_t, ROOM);
AL_CHAN(wide_in, struct wide, ROOM);
AL_CHAN(wide_out, struct wide, 1);
AL_CHAN(wide_tray, struct wide, ROOM);

static const char *volatile wrong;

static void blame(const char *what)
{
    if (wrong == NULL) {
        wrong = what;
    }
}

/* What went into a channel, or a pipe, and came out of it, by sender; counted
 * by the senders and by whoever receives. Handlers nest. */
struct traffic {
    volatile uint32_t sent[SENDERS];
    volatile uint32_t got[SENDERS];
    volatile uint32_t refused;
};

static struct traffic pipes[2];
static struct traffic trays[2];

static void count(volatile uint32_t *n)
{
    (void)__atomic_fetch_add(n, 1, __ATOMIC_RELAXED);
}

static uint32_t number(const struct traffic *traffic, unsigned sender)
{
    return sender << 24 | traffic->sent[sender];
}

static struct wide widen(uint32_t item)
{
    struct wide wide = {item, ~item, item * 3};

    return wide;
}

static uint32_t narrow(struct wide wide)
{
    if (wide.inverted != ~wide.item || wide.sum != wide.item * 3) {
        blame("a torn item");
    }
    return wide.item;
}

/* The only receiver of a pipe: no gaps. */
static void arrived(struct traffic *traffic, uint32_t item)
{
    unsigned sender = item >> 24;

    if (sender >= SENDERS || (item & 0xffffff) != traffic->got[sender]) {
        blame("an item lost, doubled, or out of order");
        return;
    }
    traffic->got[sender]++;
}

/* One of several receivers: what it gets from one sender rises. */
static void taken(struct traffic *traffic, uint32_t *last, uint32_t item)
{
    unsigned sender = item >> 24;

    if (sender >= SENDERS || (item & 0xffffff) < last[sender] ||
            (item & 0xffffff) >= traffic->sent[sender] + 1) {
        blame("an item doubled, or out of order");
        return;
    }
    last[sender] = (item & 0xffffff) + 1;
    count(&traffic->got[sender]);
}

/* Of each receiver of a tray. */
static uint32_t last_word[SENDERS][SENDERS];
static uint32_t last_wide[SENDERS][SENDERS];

/* ---- handlers ---- */

static volatile bool ran[3];
static volatile uint32_t second; /* distance of the second handler */
static volatile uint32_t met[3]; /* who held the lock at the first */

static void sent(struct traffic *traffic, unsigned n, al_status status)
{
    if (status == AL_OK) {
        traffic->sent[n]++;
    } else if (status == AL_E_FULL) {
        count(&traffic->refused);
    } else {
        blame("neither sent nor full");
    }
}

static void irq_send_all(unsigned n)
{
    sent(&pipes[0], n, al_irq_chan_send(&word_in, number(&pipes[0], n)));
    sent(&pipes[1], n, al_irq_chan_send(&wide_in, widen(number(&pipes[1], n))));
}

static void irq_tray(unsigned n)
{
    uint32_t item = 0;
    struct wide wide = {0, 0, 0};

    if (al_irq_chan_recv(&word_tray, &item) == AL_OK) {
        taken(&trays[0], last_word[n], item);
    }
    sent(&trays[0], n, al_irq_chan_send(&word_tray, number(&trays[0], n)));
    sent(&trays[1], n,
            al_irq_chan_send(&wide_tray, widen(number(&trays[1], n))));
    if ((second & 2) != 0) {
        sent(&trays[1], n,
                al_irq_chan_send(&wide_tray, widen(number(&trays[1], n))));
    }
    if (al_irq_chan_recv(&wide_tray, &wide) == AL_OK) {
        taken(&trays[1], last_wide[n], narrow(wide));
    }
    sent(&trays[0], n, al_irq_chan_send(&word_tray, number(&trays[0], n)));
}

/* Nobody interrupts this. */
#define EXACT(tray, traffic, last, make, open)                                 \
  do {                                                                         \
    uint32_t before_ = al_chan_count(tray);                                    \
    al_status status_ = al_irq_chan_send(tray, make(number(traffic, 2)));      \
    bool fits_ = before_ < ROOM;                                               \
    __typeof__(*(tray)->al.item) got_;                                         \
    if (before_ > ROOM || status_ != (fits_ ? AL_OK : AL_E_FULL) ||            \
            al_chan_count(tray) != before_ + fits_) {                          \
      blame("a status that is not exact");                                     \
    }                                                                          \
    sent(traffic, 2, status_);                                                 \
    if (al_irq_chan_recv(tray, &got_) != AL_OK ||                              \
            al_chan_count(tray) != before_ + fits_ - 1) {                      \
      blame("an item that is not there");                                      \
    } else {                                                                   \
      taken(traffic, last, open(got_));                                        \
    }                                                                          \
    if (before_ + fits_ == 1 && al_irq_chan_recv(tray, &got_) != AL_E_EMPTY) { \
      blame("an item that was never sent");                                    \
    }                                                                          \
  } while (0)

#define SAME(x) (x)

static void act_third(unsigned n, const struct rig_hit *hit)
{
    (void)hit;
    ran[n] = true;
    irq_send_all(n);
    EXACT(&word_tray, &trays[0], last_word[2], SAME, SAME);
    EXACT(&wide_tray, &trays[1], last_wide[2], widen, narrow);
}

static void act_second(unsigned n, const struct rig_hit *hit)
{
    (void)hit;
    ran[n] = true;
    if ((second & 1) != 0) {
        rig_pend(2, act_third);
    } else {
        rig_arm(2, second * 3, act_third);
    }
    irq_tray(n);
    irq_send_all(n);
}

static void act_first(unsigned n, const struct rig_hit *hit)
{
    ran[n] = true;
    met[!hit->locked ? 0 : hit->in == PENDSV ? 2 : 1]++;
    rig_arm(1, second, act_second);
    irq_send_all(n);
    irq_tray(n);
}

/* ---- tasks ---- */

static void word_stage_main(void)
{
    for (;;) {
        uint32_t item = 0;

        if (al_chan_recv(&word_in, &item) != AL_OK ||
                al_chan_send(&word_out, item) != AL_OK) {
            blame("a status in the pipe");
        }
    }
}

AL_TASK(word_stage, word_stage_main, 12, 1536);

static void wide_stage_main(void)
{
    for (;;) {
        struct wide item = {0, 0, 0};

        if (al_chan_recv(&wide_in, &item) != AL_OK ||
                al_chan_send(&wide_out, item) != AL_OK) {
            blame("a status in the pipe");
        }
    }
}

AL_TASK(wide_stage, wide_stage_main, 13, 1536);

static bool is_through(const struct traffic *traffic)
{
    for (unsigned n = 0; n < SENDERS; n++) {
        if (traffic->sent[n] != traffic->got[n]) {
            return false;
        }
    }
    return true;
}

static void pipe_send(void)
{
    if (al_chan_send(&word_in, number(&pipes[0], TASK)) != AL_OK) {
        blame("not sent");
    }
    pipes[0].sent[TASK]++;
    if (al_chan_send_until(&wide_in, widen(number(&pipes[1], TASK)),
                al_in(1000)) != AL_OK) {
        blame("not sent");
    }
    pipes[1].sent[TASK]++;
}

static void pipe_recv(void)
{
    uint32_t item = 0;
    struct wide wide = {0, 0, 0};

    if (al_chan_recv(&word_out, &item) != AL_OK) {
        blame("not received");
    }
    arrived(&pipes[0], item);
    if (al_chan_recv(&wide_out, &wide) != AL_OK) {
        blame("not received");
    }
    arrived(&pipes[1], narrow(wide));
}

static void tray_task(void)
{
    uint32_t item = 0;
    struct wide wide = {0, 0, 0};

    sent(&trays[0], TASK,
            al_chan_try_send(&word_tray, number(&trays[0], TASK)));
    sent(&trays[1], TASK,
            al_chan_try_send(&wide_tray, widen(number(&trays[1], TASK))));
    if (al_chan_try_recv(&word_tray, &item) == AL_OK) {
        taken(&trays[0], last_word[TASK], item);
    }
    if (al_chan_try_recv(&wide_tray, &wide) == AL_OK) {
        taken(&trays[1], last_wide[TASK], narrow(wide));
    }
}

/* A pipe holds four: two of the first go to wait in its second half. */
static void operations(void)
{
    pipe_send();
    pipe_recv();
    tray_task();
    rig_pend_switch();
}

static void drain(void)
{
    uint32_t item = 0;
    struct wide wide = {0, 0, 0};

    while (!is_through(&pipes[0])) {
        if (al_chan_try_recv(&word_out, &item) != AL_OK) {
            blame("an item that did not come");
            return;
        }
        arrived(&pipes[0], item);
    }
    while (!is_through(&pipes[1])) {
        if (al_chan_try_recv(&wide_out, &wide) != AL_OK) {
            blame("an item that did not come");
            return;
        }
        arrived(&pipes[1], narrow(wide));
    }
    while (al_chan_try_recv(&word_tray, &item) == AL_OK) {
        taken(&trays[0], last_word[TASK], item);
    }
    while (al_chan_try_recv(&wide_tray, &wide) == AL_OK) {
        taken(&trays[1], last_wide[TASK], narrow(wide));
    }
    if (!is_through(&trays[0]) || !is_through(&trays[1])) {
        blame("a tray that lost an item");
    }
}

/* One end of each is waited at: the first of each pipe, by its stage. */
static bool is_at_rest(const struct al_chan *chan, int waiting_end)
{
    return chan->waiters[!waiting_end].head == NULL &&
           chan->post.pending == 0 && chan->head % 2 == 1 &&
           chan->tail % 2 == (chan->waiters[AL_CHAN_RECEIVER].head == NULL) &&
           (chan->head | 1) == (chan->tail | 1);
}

static void look(void)
{
    const char *kernel;

    drain();
    kernel = rig_check();
    if (kernel != NULL) {
        blame(kernel);
    }
    if (!is_at_rest(&word_in.al.chan, AL_CHAN_RECEIVER) ||
            !is_at_rest(&wide_in.al.chan, AL_CHAN_RECEIVER) ||
            !is_at_rest(&word_out.al.chan, AL_CHAN_RECEIVER) ||
            !is_at_rest(&word_tray.al.chan, AL_CHAN_RECEIVER) ||
            !is_at_rest(&wide_tray.al.chan, AL_CHAN_RECEIVER)) {
        blame("a channel that is not at rest");
    }
}

static void sweep(void)
{
    for (uint32_t delay = 0; wrong == NULL; delay++) {
        ran[0] = false;
        ran[1] = false;
        ran[2] = false;
        rig_arm(0, delay, act_first);
        operations();
        rig_disarm(0);
        if (!ran[0]) {
            return;
        }
        while (!ran[1] || !ran[2]) {
            /* The others come by themselves, each at some distance. */
        }
        look();
    }
}

static void judge_main(void)
{
    static const char *const names[] = {
            "level 2", "level 5", "level 8", "task"};

    rig_start();
    word_tray.al.chan.head = 0xffffff01u; /* they wrap on the way */
    word_tray.al.chan.tail = 0xffffff01u;
    wide_tray.al.chan.head = 0xffffff01u;
    wide_tray.al.chan.tail = 0xffffff01u;
    for (second = 0; second < 90 && wrong == NULL; second += 7) {
        sweep();
    }
    CHECK(wrong == NULL, "channels: %s", wrong != NULL ? wrong : "right");
    for (unsigned n = 0; n < SENDERS; n++) {
        CHECK(pipes[0].got[n] > 1000 && pipes[1].got[n] > 1000 &&
                        trays[0].got[n] > 300 && trays[1].got[n] > 100,
                "%s: %u and %u items through the pipes, %u and %u trays",
                names[n], (unsigned)pipes[0].got[n], (unsigned)pipes[1].got[n],
                (unsigned)trays[0].got[n], (unsigned)trays[1].got[n]);
    }
    CHECK(pipes[0].refused > 100 && trays[0].refused > 100 &&
                    trays[1].refused > 100,
            "refused: %u, %u, %u", (unsigned)pipes[0].refused,
            (unsigned)trays[0].refused, (unsigned)trays[1].refused);
    CHECK(met[0] > 100 && met[1] > 100 && met[2] > 20,
            "met nobody %u times, a task in the lock %u, the switch %u",
            (unsigned)met[0], (unsigned)met[1], (unsigned)met[2]);
    test_done();
}

AL_TASK(judge, judge_main, 10, 3072);

RIG_WATCH();
