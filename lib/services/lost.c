/* SPDX-License-Identifier: MIT */
/*
 * Memory that hardware may write to for ever (lease.h): it is kept out of use.
 */
#include <alula/concurrent.h>
#include <alula/kill.h>
#include <alula/lease.h>

#include "arch.h"
#include "heap.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"

/* An image without a heap has none to keep a block from. */
extern void heap_keep(void *payload) __attribute__((weak));

static struct al_lease *lost __attribute__((section(".bss.alula.state")));

static bool overlaps(const struct al_lease *lease, uintptr_t low, size_t bytes)
{
    uintptr_t at = (uintptr_t)lease->buffer;

    return at < low + bytes && low < at + lease->bytes;
}

bool al_lease_is_lost(const void *memory, size_t bytes)
{
    const struct al_lease *lease;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    /* One that is lost stays so: only the first is under the lock. */
    softlock_take();
    lease = lost;
    softlock_leave();
    while (lease != NULL && !overlaps(lease, (uintptr_t)memory, bytes)) {
        lease = lease->next;
    }
    return lease != NULL;
}

void al_lease_lose(struct al_lease *lease)
{
    struct al_task *self = al_core.current;
    bool stack = overlaps(
            lease, self->stack_low, self->stack_high - self->stack_low);

    lease->state = AL_LEASE_LOST;
    if (heap_keep != NULL) {
        heap_keep(lease->buffer);
    }
    softlock_take();
    lease->next = lost;
    lost = lease;
    if (stack) {
        self->flags &= (uint8_t)~AL_FLAG_HEAP;
    }
    softlock_leave();
    if (!stack) {
        return;
    }
    if (al_task_is_replaced()) {
        arch_reset();
    }
    /* It is dying: this is its last word, and it ends. */
    (void)al_task_kill(al_task_id_self(), AL_KILL_END);
}
