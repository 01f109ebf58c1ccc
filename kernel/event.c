/* SPDX-License-Identifier: MIT */
/*
 * Event sets. `bits` is written by everybody, by load-linked and
 * store-conditional. The queue belongs to the kernel lock.
 *
 * An event set is settled when no waiter is satisfied by the bits. Whenever a
 * task runs that does not hold the lock, every event set is settled: who sets
 * bits while tasks wait, or may be about to, looks at the waiters, or posts. So
 * a task that takes bits, which it does without the lock, takes them from
 * nobody more urgent: if an interrupt sets some meanwhile, its store fails.
 *
 * A look passes the waiters in their order, letting posts through between two
 * of them. It goes on where it was if that is still right: bits that have come
 * since may satisfy who was passed, hence `seen`, the bits that all of those
 * were judged by. Nobody is queued meanwhile, for no task runs; deadlines that
 * are dealt with may take waiters out, and priorities that were inherited end:
 * a waiter moves back then, never to the front.
 *
 * A handler never looks itself: that would take as long as there are waiters.
 */
#include <alula/event.h>

#include "arch.h"
#include "core/wait.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "time.h"
#include "weak.h"

#define MODES (AL_EVENT_ALL | AL_EVENT_KEEP)

/* Beside a waiter's mode: its deadline has passed, with bits that may be its,
 * or those of somebody more urgent; the look that is owed decides. */
#define LATE 4u

/* What a task waits for: wanted[0] is the mask, when it is satisfied the bits
 * that it got; wanted[1] the mode. */

static bool is_event(const struct al_event *event)
{
    return *(const volatile uint32_t *)&event->post.tag ==
           AL_TAG(AL_KIND_EVENT);
}

static struct al_event *event_of(struct al_post *post)
{
    return (struct al_event *)(void *)((char *)post -
                                       offsetof(struct al_event, post));
}

static struct al_event *event_of_queue(struct al_waitq *queue)
{
    return (struct al_event *)(void *)((char *)queue -
                                       offsetof(struct al_event, waiters));
}

static uint32_t bits_look(struct al_event *event)
{
    return (uint32_t)arch_load_linked(&event->bits);
}

static bool bits_store(struct al_event *event, uint32_t bits)
{
    return arch_store_if(&event->bits, bits);
}

static uint32_t bits_now(const struct al_event *event)
{
    return *(const volatile uint32_t *)&event->bits;
}

static struct al_task *first_now(const struct al_event *event)
{
    return *(struct al_task *const volatile *)&event->waiters.head;
}

/* The bits that satisfy a wait; 0: it is not satisfied. */
static uint32_t hit_of(uint32_t bits, uint32_t mask, uint32_t mode)
{
    uint32_t hit = bits & mask;

    return (mode & AL_EVENT_ALL) != 0 && hit != mask ? 0 : hit;
}

/* Satisfies a wait, if the bits do, and consumes them; *judged is what it was
 * judged by. */
static uint32_t take(
        struct al_event *event, uint32_t mask, uint32_t mode, uint32_t *judged)
{
    uint32_t bits;
    uint32_t hit;

    do {
        bits = bits_look(event);
        *judged = bits;
        hit = hit_of(bits, mask, mode);
        if (hit == 0) {
            return 0;
        }
    } while (!bits_store(
            event, (mode & AL_EVENT_KEEP) != 0 ? bits : bits & ~hit));
    return hit;
}

void al_event_init(struct al_event *event)
{
    event->bits = 0;
    event->waiters.head = NULL;
    event->next = NULL;
    event->hurry = 0;
    event->seen = 0;
    event->post.next = NULL;
    event->post.pending = 0;
    event->post.tag = AL_TAG(AL_KIND_EVENT);
}

/* ---- waiting ---- */

/* The look that is under way, or begins, ends before the current task goes on. */
static void hurry_held(struct al_event *event)
{
    if (event->hurry < al_core.current->prio) {
        event->hurry = al_core.current->prio;
    }
}

static void settle(struct al_event *event)
{
    if (*(const volatile uint32_t *)&event->post.pending != 0 &&
            !arch_in_handler()) {
        softlock_take();
        hurry_held(event);
        softlock_irq_post(&event->post);
        softlock_leave();
    }
}

al_status al_event_wait(struct al_event *event, uint32_t mask, uint32_t mode,
        al_time deadline, uint32_t *got)
{
    struct al_task *self = al_core.current;
    bool past = deadline != AL_FOREVER && time_is_past(deadline);
    uint32_t bits;
    uint32_t hit;
    al_status status;

    CALLER_MUST(EVENT, 1, !arch_in_handler());
    CALLER_MUST(EVENT, 2, is_event(event));
    CALLER_MUST(EVENT, 3, mask != 0 && (mode & ~MODES) == 0);
    settle(event);
    for (;;) {
        hit = take(event, mask, mode, &bits);
        if (hit != 0 || past) {
            status = hit != 0 ? AL_OK : AL_E_TIMEOUT;
            break;
        }
        softlock_take();
        if (!is_event(event)) {
            softlock_leave();
            status = AL_E_DESTROYED;
            break;
        }
        if (hit_of(bits_now(event), mask, mode) == 0) {
            /* A handler that sets bits from here on posts. */
            self->wanted[0] = mask;
            self->wanted[1] = mode;
            event->next = NULL; /* it may come in before */
            time_wait_held(&event->waiters, AL_KIND_EVENT, deadline);
            status = sched_give_way_held(AL_OK);
            hit = status == AL_OK ? self->wanted[0] : 0;
            break;
        }
        /* Bits have come just now: those who wait are first. */
        softlock_leave();
    }
    if (got != NULL) {
        *got = hit;
    }
    return status;
}

/* ---- the look ---- */

static void wake_held(struct al_task *waiter)
{
    wait_remove_held(waiter);
    sched_wake_held(waiter);
}

/* It is this waiter's turn. */
static void judge_held(struct al_event *event, struct al_task *waiter)
{
    uint32_t bits;
    uint32_t hit = take(event, waiter->wanted[0], waiter->wanted[1], &bits);

    event->seen &= bits;
    if (hit != 0) {
        waiter->wanted[0] = hit;
        wake_held(waiter);
    } else if ((waiter->wanted[1] & LATE) != 0) {
        arch_set_result(waiter, AL_E_TIMEOUT);
        wake_held(waiter);
    }
}

/* Who is to be looked at next: see the head. */
static struct al_task *resume_held(struct al_event *event)
{
    uint32_t bits = bits_now(event);

    if (event->next == NULL || (bits & ~event->seen) != 0) {
        event->next = wait_first_held(&event->waiters);
        event->seen = bits;
    }
    return event->next;
}

int event_urgency_held(struct al_post *post)
{
    struct al_event *event = event_of(post);
    const struct al_task *waiter = resume_held(event);

    if (waiter == NULL) {
        return SOFTLOCK_NOW;
    }
    return waiter->prio > event->hurry ? waiter->prio : (int)event->hurry;
}

/* Is the most urgent task more urgent than the rest of the look, which goes on
 * at `next`? Nothing changes that from one waiter to its equal. */
static inline bool is_behind(
        const struct al_event *event, const struct al_task *next)
{
    int most;

    if (__builtin_expect(!wait_is_first_held(next), 1)) {
        return false;
    }
    most = sched_top_held()->prio;
    return next->prio < most && (int)event->hurry < most;
}

bool event_step_held(struct al_post *post)
{
    struct al_event *event = event_of(post);
    struct al_task *waiter = resume_held(event);

    while (waiter != NULL) {
        struct al_task *next = wait_next_held(waiter);

        judge_held(event, waiter);
        event->next = next;
        if (next != NULL &&
                (!softlock_inbox_is_empty() || is_behind(event, next))) {
            return true; /* others first, then the rest */
        }
        waiter = next;
    }
    event->hurry = 0;
    return false;
}

/* A waiter has moved, or come, perhaps past the next one to be looked at. */
void event_moved_held(struct al_waitq *queue)
{
    event_of_queue(queue)->next = NULL;
}

/* Its deadline passed. */
bool event_cancel_held(struct al_task *task)
{
    struct al_event *event = event_of_queue(task->waitq);

    if (hit_of(bits_now(event), task->wanted[0], task->wanted[1]) != 0) {
        /* So a look is owed. It decides, with the bits that are left then. */
        task->wanted[1] |= LATE;
        return false;
    }
    if (event->next == task) {
        event->next = NULL; /* the look that is under way begins again */
    }
    wait_remove_held(task);
    return true;
}

/* ---- setting and clearing ---- */

/* Tasks wait, or no event set, at the look. */
void al_event_set_slow(struct al_event *event, uint32_t bits);

__attribute__((noinline)) void al_event_set_slow(
        struct al_event *event, uint32_t bits)
{
    CALLER_MUST(EVENT, 1, !arch_in_handler());
    CALLER_MUST(EVENT, 2, is_event(event));
    softlock_take();
    while (!bits_store(event, bits_look(event) | bits)) {
    }
    hurry_held(event);
    if (event_step_held(&event->post)) {
        softlock_irq_post(&event->post);
    }
    (void)softlock_leave_and_switch(AL_OK);
}

void al_event_set(struct al_event *event, uint32_t bits)
{
    uint32_t before;

    do {
        before = bits_look(event);
        if (__builtin_expect(!is_event(event), 0) ||
                __builtin_expect(first_now(event) != NULL, 0) ||
                __builtin_expect(arch_in_handler(), 0)) {
            al_event_set_slow(event, bits);
            return;
        }
    } while (__builtin_expect(!bits_store(event, before | bits), 0));
}

/* A software timer sets; it has looked that this is an event set. The waiters
 * are looked at when the lock is let go of. */
bool event_set_held(struct al_event *event, uint32_t bits)
{
    while (!bits_store(event, bits_look(event) | bits)) {
    }
    softlock_irq_post(&event->post);
    return true;
}

al_status al_irq_event_set(struct al_event *event, uint32_t bits)
{
    bool taken = softlock_is_taken();

    if (!is_event(event)) {
        return AL_E_DESTROYED;
    }
    while (!bits_store(event, bits_look(event) | bits)) {
    }
    if (taken) {
        softlock_irq_post(&event->post); /* somebody may be about to wait */
    } else if (first_now(event) != NULL) {
        softlock_irq_post(&event->post);
        arch_pend_switch_irq();
    }
    return AL_OK;
}

uint32_t al_event_clear(struct al_event *event, uint32_t bits)
{
    uint32_t before;

    if (!is_event(event)) {
        CALLER_MUST(EVENT, 2, arch_in_handler());
        return 0;
    }
    settle(event);
    do {
        before = bits_look(event);
    } while (!bits_store(event, before & ~bits));
    return before;
}

uint32_t al_event_get(const struct al_event *event)
{
    return bits_now(event);
}

/* ---- ending ---- */

void al_event_destroy(struct al_event *event)
{
    struct al_task *waiter;

    CALLER_MUST(EVENT, 1, !arch_in_handler());
    CALLER_MUST(EVENT, 2, is_event(event));
    event->post.tag = 0; /* nobody new waits, and no post does anything */
    AL_BARRIER();
    do {
        softlock_take();
        waiter = wait_first_held(&event->waiters);
        if (waiter != NULL) {
            arch_set_result(waiter, AL_E_DESTROYED);
            wake_held(waiter);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (waiter != NULL);
    softlock_forget(&event->post);
}

LINKED(event)
