/* SPDX-License-Identifier: MIT */
/*
 * The callbacks run in a task of their own, more urgent than the one that runs
 * commands. One that dies takes that task with it: it starts again, and the
 * timers never stopped.
 */
#include "timers.h"

#include <alula/alula.h>

#include "guests.h"
#include "port.h"
#include "restarts.h"
#include "words.h"

#define TIMERS   4u
#define TICK_MAX 600000u /* ms */

AL_TIMER_SERVICE_POLICY(tick, GUEST_PRIO, 1024, &as_often_as_it_takes);
AL_STACK_SERVES(tick, count);

static struct counter {
    volatile uint32_t calls;
    volatile bool dies; /* the next one */
} counters[TIMERS];

static void count(void *arg)
{
    struct counter *counter = arg;

    counter->calls++;
    if (counter->dies) {
        counter->dies = false;
        al_panic("a callback was told to die");
    }
}

static struct al_timer timers[TIMERS] = {
        AL_TIMER_INIT_CALL(&tick, count, &counters[0]),
        AL_TIMER_INIT_CALL(&tick, count, &counters[1]),
        AL_TIMER_INIT_CALL(&tick, count, &counters[2]),
        AL_TIMER_INIT_CALL(&tick, count, &counters[3]),
};

static void list(void)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        struct al_timer_info info;

        al_timer_read(&timers[i], &info);
        say("timer %u: %s, period %u ms, %u callbacks, %u missed\n",
                (unsigned)i, info.running ? "runs" : "at rest",
                (unsigned)info.period, (unsigned)counters[i].calls,
                (unsigned)info.missed);
    }
}

void timers_end(void)
{
    for (uint32_t i = 0; i < TIMERS; i++) {
        (void)al_timer_stop(&timers[i]);
    }
}

void timers_command(const char *rest)
{
    struct word verb = word_next(&rest);
    uint32_t n;
    uint32_t delay;
    uint32_t period = 0;

    if (verb.length == 0) {
        list();
        return;
    }
    if (word_next_number(&rest, 0, TIMERS - 1, &n)) {
        if (word_is(verb, "start") &&
                word_next_number(&rest, 0, TICK_MAX, &delay) &&
                (word_none(rest) ||
                        word_next_number(&rest, 1, TICK_MAX, &period)) &&
                word_none(rest)) {
            say("%s\n",
                    al_status_name(al_timer_start(&timers[n], delay, period)));
            return;
        }
        if (word_is(verb, "stop") && word_none(rest)) {
            say("%s\n", al_status_name(al_timer_stop(&timers[n])));
            return;
        }
        if (word_is(verb, "crash") && word_none(rest)) {
            counters[n].dies = true;
            say("%s\n", al_status_name(al_timer_start(&timers[n], 0, 0)));
            return;
        }
    }
    say("timers start N MS [PERIOD] | stop N | crash N, N 0 to %u; timers "
        "alone lists them\n",
            TIMERS - 1);
}
