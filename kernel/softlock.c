/* SPDX-License-Identifier: MIT */
/*
 * Letting go of the kernel lock, and the inbox.
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

/* What a switch request that met a taken lock leaves: a look, and no more. */
struct al_post al_resched_post __attribute__((section(".bss.alula.state")));

AL_STATIC_ASSERT((int)AL_KIND_NONE == 0, "cleared memory is such a post");

/* Without the function nobody in the image can wait for such an object, though a
 * raw handler may have changed one. */
#define SETTLE(kind, function) \
  case AL_TAG(AL_KIND_##kind): \
    if ((function) != NULL) {  \
      (function)(post);        \
    }                          \
    return

static struct al_post *inbox_take(void)
{
    struct al_post *newest;
    struct al_post *oldest = NULL;

    do {
        newest = (struct al_post *)arch_load_linked(&al_core.inbox);
    } while (!arch_store_if(&al_core.inbox, 0));
    while (newest != NULL) {
        struct al_post *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void deliver_held(struct al_post *post)
{
    switch (post->tag) {
    case AL_KIND_NONE:
        return; /* to be looked at is all it wanted; or it was destroyed */
    case AL_TAG(AL_KIND_CLOCK):
        time_expire_held();
        return;
        SETTLE(SEM, sem_settle_held);
        SETTLE(COND, cond_settle_held);
        SETTLE(EVENT, event_settle_held);
        SETTLE(CHAN, chan_settle_held);
        SETTLE(MAILBOX, mailbox_settle_held);
        SETTLE(TIMER, timer_settle_held);
        SETTLE(TASK, park_settle_held);
    default:
        break;
    }
    kernel_stop(PANIC_SOFTLOCK_1);
}

void softlock_drain_held(void)
{
    while (!softlock_inbox_is_empty()) {
        struct al_post *post = inbox_take();

        while (post != NULL) {
            struct al_post *next = post->next;

            AL_BARRIER();
            *(volatile uint32_t *)&post->pending = 0;
            AL_BARRIER();
            deliver_held(post);
            post = next;
        }
    }
}

extern inline void softlock_clear(void);
extern inline bool softlock_inbox_is_empty(void);
extern inline void softlock_leave(void);
extern inline uint32_t softlock_leave_and_switch(uint32_t result);

void softlock_irq_post(struct al_post *post)
{
    struct al_post *newest;

    do {
        if (arch_load_linked(&post->pending) != 0) {
            return;
        }
    } while (!arch_store_if(&post->pending, 1));
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
        softlock_leave();
    }
}
