/* SPDX-License-Identifier: MIT */
/*
 * Letting go of the kernel lock, and the inbox.
 *
 * Posts of two kinds come off it. Most are done at once, oldest first. The
 * clock, a look at an event set and a chain of holders go on in steps, the most
 * urgent first, and with each step what has come meanwhile is taken in. When
 * the most urgent ready task is more urgent than whatever they may wake or
 * move, they go back on the inbox, marked SCHED_LEFT, and it is switched to.
 *
 * They are gone on with before any task runs that is not more urgent than they
 * are: a switch by call looks at the inbox before the task's first instruction,
 * the switch exception before it chooses; who changes a priority, or posts what
 * is on the inbox, takes the mark away, and the lock's holder looks.
 *
 * The inbox is a stack of posts; each is on it at most once, because only who
 * moves `pending` off 0 pushes. Draining takes the whole stack by one exchange
 * and turns it round, so that equal wakers come in their order. A post's link
 * is read before its flag is cleared: from then on an interrupt may push it
 * again and overwrite the link. The flag is cleared before the object is looked
 * at: whatever comes after that look pushes again.
 */
#include "softlock.h"

#include "panic.h"
#include "weak.h"

/* What a switch request that met a taken lock leaves: a look, and no more. */
struct al_post al_resched_post __attribute__((section(".bss.alula.state")));

AL_STATIC_ASSERT((int)AL_KIND_NONE == 0, "cleared memory is such a post");

/* For images without the module. */
SHARED_VALUE(void, settle_none, struct al_post, )

#define SETTLE_NONE __attribute__((weak, alias("settle_none")))

void sem_settle_held(struct al_post *post) SETTLE_NONE;
void chan_settle_held(struct al_post *post) SETTLE_NONE;
void mailbox_settle_held(struct al_post *post) SETTLE_NONE;
void timer_settle_held(struct al_post *post) SETTLE_NONE;
void park_settle_held(struct al_post *post) SETTLE_NONE;
void inherit_settle_held(struct al_post *post) SETTLE_NONE;
WEAK_VALUE(bool, event_step_held, struct al_post, false)
WEAK_VALUE(int, event_urgency_held, struct al_post, SOFTLOCK_NOW)
WEAK_VALUE(int, inherit_urgency_held, struct al_post, SOFTLOCK_NOW)

NOT_LINKED(event)
NOT_LINKED(inherit)
NOT_LINKED(chan)

/* Is the clock all that goes on in steps? Asked where it leaves less code. */
AL_INLINE bool is_clock_alone(void)
{
    return SCHED_SMALL && !event_is_linked() && !inherit_is_linked();
}

/*
 * Without handlers of the application's nobody comes in while the inbox is
 * drained, for the tick is no more urgent; and what is posted is the clock, a
 * channel in which two tasks met, what goes on in steps, or a look. Where it is
 * the clock and a look, the order is nothing to them.
 */
AL_INLINE bool is_undisturbed(void)
{
    return !SOFTLOCK_HANDLERS && is_clock_alone() && !chan_is_linked();
}

/* What a link, or the inbox, says beside SCHED_LEFT. */
static struct al_post *post_at(uintptr_t link)
{
    return (struct al_post *)(link & ~SCHED_LEFT);
}

#define INBOX offsetof(struct al_core, inbox)

/* What is on the inbox, oldest first. */
static inline struct al_post *inbox_take(void)
{
    struct al_post *oldest = NULL;
    struct al_post *newest;
    uintptr_t link;

    do {
        link = arch_load_linked_at(&al_core, INBOX);
    } while (!arch_store_if_at(&al_core, INBOX, 0));
    newest = post_at(link);
    while (newest != NULL) {
        struct al_post *next = post_at((uintptr_t)newest->next);

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

/* False: something has come meanwhile. */
static bool inbox_leave(struct al_post *left)
{
    do {
        if (arch_load_linked_at(&al_core, INBOX) != 0) {
            return false;
        }
    } while (!arch_store_if_at(&al_core, INBOX, (uintptr_t)left | SCHED_LEFT));
    return true;
}

static inline void seen_held(struct al_post *post)
{
    AL_BARRIER();
    *(volatile uint32_t *)&post->pending = 0;
    AL_BARRIER();
}

static bool is_in_steps(const struct al_post *post)
{
    return post->tag == AL_TAG(AL_KIND_CLOCK) ||
           (!is_clock_alone() && (post->tag == AL_TAG(AL_KIND_EVENT) ||
                                         post->tag == AL_TAG(AL_KIND_TASK)));
}

#define SETTLE(kind, function) \
  case AL_TAG(AL_KIND_##kind): \
    (function)(post);          \
    return

static inline void look_held(struct al_post *post)
{
    seen_held(post);
    switch (post->tag) {
        SETTLE(CHAN, chan_settle_held);
        SETTLE(MAILBOX, mailbox_settle_held);
        SETTLE(TIMER, timer_settle_held);
        SETTLE(TASK, park_settle_held);
    case AL_TAG(AL_KIND_EVENT): /* nothing of events is in the image */
    case AL_KIND_NONE: /* a look is all it wanted; or it was destroyed */
        return;
    default:
        kernel_stop(PANIC_SOFTLOCK_1);
    }
}

/* Takes what is on the inbox and does what is not in steps, oldest first; the
 * rest goes on top of `left`. The usual comes first. */
__attribute__((noinline)) static struct al_post *take_held(struct al_post *left)
{
    struct al_post *oldest = inbox_take();

    while (oldest != NULL) {
        struct al_post *post = oldest;

        oldest = post->next;
        if (SOFTLOCK_HANDLERS && post->tag == AL_TAG(AL_KIND_SEM)) {
            seen_held(post);
            sem_settle_held(post);
        } else if (is_in_steps(post)) {
            post->next = left;
            left = post;
        } else {
            look_held(post);
        }
    }
    return left;
}

static inline int urgency_held(struct al_post *post)
{
    if (is_clock_alone() ||
            __builtin_expect(post->tag == AL_TAG(AL_KIND_CLOCK), 1)) {
        return time_urgency_held();
    }
    switch (post->tag) {
    case AL_TAG(AL_KIND_EVENT):
        return event_urgency_held(post);
    case AL_TAG(AL_KIND_TASK):
        return inherit_urgency_held(post);
    default: /* destroyed */
        return SOFTLOCK_NOW;
    }
}

/* A step; true: there is more to do. */
static inline bool step_held(struct al_post *post)
{
    seen_held(post);
    switch (is_clock_alone() ? AL_TAG(AL_KIND_CLOCK) : post->tag) {
    case AL_TAG(AL_KIND_CLOCK):
        return time_step_held();
    case AL_TAG(AL_KIND_EVENT):
        return event_step_held(post);
    case AL_TAG(AL_KIND_TASK):
        inherit_settle_held(post);
        park_settle_held(post);
    }
    return false;
}

/* False: it is on the inbox again. */
static inline bool post_keep(struct al_post *post)
{
    do {
        if (arch_load_linked(&post->pending) != 0) {
            return false;
        }
    } while (!arch_store_if(&post->pending, 1));
    return true;
}

/* The link to the most urgent of what is left, which is something, and alone
 * if it is the clock's; NULL: the most urgent task goes before all of it. */
static inline struct al_post **first_held(struct al_post **left)
{
    int most = sched_top_held()->prio;
    struct al_post **first = NULL;

    do {
        int urgency = urgency_held(*left);

        if (urgency >= most) {
            most = urgency;
            first = left;
        }
        left = &(*left)->next;
    } while (!is_clock_alone() && *left != NULL);
    return first;
}

__attribute__((noinline)) static void go_on_held(struct al_post *left)
{
    do {
        struct al_post **first = first_held(&left);

        /* Looked at as late as can be: a step is long. */
        if (!softlock_inbox_is_empty()) {
            left = take_held(left);
        } else if (first != NULL) {
            struct al_post *post = *first;

            *first = post->next;
            if (step_held(post) && post_keep(post)) {
                post->next = left;
                left = post;
            }
        } else if (inbox_leave(left)) {
            return;
        }
    } while (left != NULL);
}

/* All of it, in plain loads and stores: see is_undisturbed(). */
static inline void drain_undisturbed_held(void)
{
    struct al_post *post = post_at((uintptr_t)al_core.inbox);
    struct al_post *clock = NULL;

    al_core.inbox = NULL;
    for (; post != NULL; post = post_at((uintptr_t)post->next)) {
        seen_held(post);
        if (post->tag != AL_KIND_NONE) {
            KERNEL_MUST(SOFTLOCK, 1, post->tag == AL_TAG(AL_KIND_CLOCK));
            clock = post;
        }
    }
    if (clock == NULL) {
        return;
    }
    while (time_urgency_held() >= (int)sched_top_held()->prio) {
        if (!time_step_held() || clock->pending != 0) {
            return;
        }
    }
    clock->pending = 1;
    al_core.inbox = (struct al_post *)((uintptr_t)clock | SCHED_LEFT);
}

void softlock_drain_held(void)
{
    struct al_post *left;

    if (is_undisturbed()) {
        drain_undisturbed_held();
        return;
    }
    left = take_held(NULL);

    if (left != NULL) {
        go_on_held(left);
    }
    /* Who comes in from here on is seen when the lock has been let go of. */
}

void softlock_look(void)
{
    if (softlock_inbox_is_new()) {
        arch_pend_switch();
    }
}

void softlock_look_again(void)
{
    uintptr_t link;

    do {
        link = arch_load_linked(&al_core.inbox);
    } while (!arch_store_if(&al_core.inbox, link & ~SCHED_LEFT));
}

extern inline void softlock_clear(void);
extern inline bool softlock_inbox_is_empty(void);
extern inline bool softlock_inbox_is_new(void);
extern inline void softlock_leave(void);
extern inline al_status softlock_leave_and_switch(al_status result);

void softlock_irq_post(struct al_post *post)
{
    struct al_post *newest;

    for (;;) {
        if (arch_load_linked(&post->pending) == 0) {
            if (arch_store_if(&post->pending, 1)) {
                break;
            }
        } else if (post == &al_resched_post) {
            return;
        } else {
            post = &al_resched_post; /* it may have been left behind */
        }
    }
    do {
        newest = (struct al_post *)arch_load_linked(&al_core.inbox);
        post->next = newest;
        AL_BARRIER();
    } while (!arch_store_if(&al_core.inbox, (uintptr_t)post));
}

void softlock_forget(const struct al_post *post)
{
    /* A post is delivered as soon as the lock is let go of. */
    while (*(const volatile uint32_t *)&post->pending != 0) {
        softlock_take();
        sched_look_again_held(); /* it may have been left behind */
        softlock_leave();
    }
}
