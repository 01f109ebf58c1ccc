/* SPDX-License-Identifier: MIT */
/*
 * Channels, condition variables and event sets with n tasks that wait, and n
 * timers. See scale.h.
 */
#include "scale.h"

AL_CHAN(channel, uint32_t, 4);
static struct al_event events = AL_EVENT_INIT;
static struct al_mutex guard = AL_MUTEX_INIT;
static struct al_cond changed = AL_COND_INIT;

static void receive(struct worker *self)
{
    uint32_t item;
    al_status status = al_chan_recv(&channel, &item);

    (void)self;
    AL_ASSERT(status == AL_OK);
}

/* An item goes to the most urgent of n receivers. */
void scale_chan_send(unsigned n)
{
    workers_start(n, receive);
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        (void)al_chan_send(&channel, i);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

static void wait_for_change(struct worker *self)
{
    al_status status = al_mutex_lock(&guard);

    (void)self;
    AL_ASSERT(status == AL_OK);
    status = al_cond_wait(&changed, &guard);
    AL_ASSERT(status == AL_OK);
    al_mutex_unlock(&guard);
}

/* Waking the most urgent of n that wait for a condition. */
void scale_cond_signal(unsigned n)
{
    workers_start(n, wait_for_change);
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        al_cond_signal(&changed);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

static void wait_for_bit(struct worker *self)
{
    al_status status =
            al_event_wait(&events, 1, AL_EVENT_ANY, AL_FOREVER, NULL);

    (void)self;
    AL_ASSERT(status == AL_OK);
}

/* A bit that n wait for, and one of them gets. */
void scale_event_set(unsigned n)
{
    workers_start(n, wait_for_bit);
    scale_urgent(true);
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        al_event_set(&events, 1);
        scale_note(COUNT_CLOSE());
    }
    scale_urgent(false);
}

static struct al_sem never = AL_SEM_INIT(0, 1);
static struct al_timer timers[SCALE_MOST];

/* Of n timers, those of the second half are measured; their order is none. */
static void timers_start(unsigned n, void (*note)(uint32_t to))
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t to;

        al_timer_init_sem(&timers[i], &never);
        COUNT_OPEN();
        (void)al_timer_start(&timers[i], 5000 + i * 7919u % n, 0);
        to = COUNT_CLOSE();
        if (i >= n / 2) {
            note(to);
        }
    }
}

static void timers_stop(unsigned n, void (*note)(uint32_t to))
{
    for (unsigned i = 0; i < n; i++) {
        COUNT_OPEN();
        (void)al_timer_stop(&timers[i]);
        note(COUNT_CLOSE());
    }
    for (unsigned i = 0; i < n; i++) {
        al_timer_destroy(&timers[i]);
    }
}

static void ignore(uint32_t to)
{
    (void)to;
}

void scale_timer_start(unsigned n)
{
    timers_start(n, scale_note);
    timers_stop(n, ignore);
}

void scale_timer_stop(unsigned n)
{
    timers_start(n, ignore);
    timers_stop(n, scale_note);
}
