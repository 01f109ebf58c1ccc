/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Leases: memory that a task lends to what goes on without it, a DMA channel or
 * an interrupt handler, and gets back before anybody uses it again.
 *
 *     static struct al_lease rx;                 of the driver, all zeros
 *     static void rx_stop(void *uart);           ends the transfer, surely
 *
 *     AL_LEASE_SCOPED(&rx, status, line, sizeof(line), rx_stop, uart);
 *     ... start the transfer, wait for the semaphore that the handler gives
 *
 *   idle -> lent -> done -> idle           the handler says that it is done
 *           lent -> stopping -> idle       the block ends, or the task dies in it
 *                   stopping -> lost       stop() does not come back
 *
 * At the end of the block, however it comes, stop(arg) is called if the handler
 * has not said before that it is done: before all that the task opened earlier,
 * so before its heap blocks are freed and its stack is used again. Handler and
 * task agree at one instruction which of the two it was.
 *
 * If stop() dies, or is given up as other cleanups are, hardware may write to the
 * memory for ever. Then it is not used again: a heap block stays out of the heap
 * (freeing it is HEAP.2); a task whose stack it lies in ends instead of
 * restarting, and a stack from the heap stays out of it. Whoever uses memory of
 * its own for another task's stack asks al_lease_is_lost() first. In an instance
 * that was replaced (concurrent.h), whose stack is the task's next one, nothing
 * can be kept: the board restarts.
 *
 * Not here: caches, alignment for DMA.
 */

#include <alula/scope.h>
#include <alula/status.h>
#include <alula/types.h>

#include <arch/port.h>

AL_EXTERN_C_BEGIN

enum al_lease_state {
    AL_LEASE_IDLE = 0,
    AL_LEASE_LENT,
    AL_LEASE_DONE,
    AL_LEASE_STOPPING,
    AL_LEASE_LOST, /* for ever */
};

struct al_lease;

/* In the frame of who lends. */
struct al_lease_hold {
    struct al_lease *lease;
};

/* Belongs to the driver and outlives every task; all zeros is an idle one.
 * Fields belong to lib/lease.c. */
struct al_lease {
    struct al_lease_hold *hold; /* atomic; who has lent it; NULL: nobody */
    uint32_t state;             /* atomic; enum al_lease_state */
    void *buffer;               /* these are the lender's while it is lent */
    size_t bytes;
    void (*stop)(void *arg);
    void *arg;
    struct al_lease *next; /* of those that are lost; under the kernel lock */
};

/**
 * Lend. AL_LEASE_SCOPED() is its usual form: it opens the scopes that end it.
 *
 * @param[in,out] hold  in the caller's frame, its scopes are open
 * @param[in] buffer    in the caller's stack, a heap block's begin, or static
 * @param[in] stop      ends the transfer; when it has returned nobody writes
 * @context   task
 * @return    AL_OK       lent: start the transfer now
 * @return    AL_E_BUSY   it is lent already
 * @return    AL_E_STATE  it is lost
 * @unwind    stopped
 * @cost      constant
 */
AL_MUST_USE al_status al_lease_begin(struct al_lease_hold *hold, void *buffer,
        size_t bytes, void (*stop)(void *arg), void *arg);

/**
 * Does a lost lease reach into this memory?
 *
 * @context   task
 * @panics    TASK.1  called from an interrupt handler
 * @cost      a step per lost lease
 */
bool al_lease_is_lost(const void *memory, size_t bytes);

/* The kernel's share, for lib/lease.c: stop() has not come back. */
void al_lease_lose(struct al_lease *lease);

/* What the macro's scopes call. */
void __al_lease_stop(void *hold);
void __al_lease_judge(void *hold);

/**
 * Say, in a handler of any priority, raw or not, that the memory is not used any
 * more.
 *
 * @context   irq
 * @return    AL_OK       it is not stopped any more
 * @return    AL_E_STATE  it was not lent, or is stopped: others have it
 * @cost      constant
 */
AL_INLINE al_status al_irq_raw_lease_done(struct al_lease *lease)
{
    do {
        if (arch_load_linked(&lease->state) != AL_LEASE_LENT) {
            return AL_E_STATE;
        }
    } while (!arch_store_if(&lease->state, AL_LEASE_DONE));
    return AL_OK;
}

/**
 * The memory, in a handler that itself writes to it; valid until the handler
 * returns.
 *
 * @context   irq
 * @return    NULL: it is not lent
 * @cost      constant
 */
AL_INLINE void *al_irq_raw_lease_buffer(const struct al_lease *lease)
{
    return *(const volatile uint32_t *)&lease->state == AL_LEASE_LENT
                   ? lease->buffer
                   : NULL;
}

/**
 * Lend memory until the end of the enclosing block, or the death of the task.
 *
 * @param lease   struct al_lease *
 * @param status  al_status variable: as al_lease_begin()
 */
#define AL_LEASE_SCOPED(lease, status, buffer, bytes, stop, arg)              \
  struct al_lease_hold AL_UNIQUE(al_hold_) = {lease};                         \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE(         \
          al_judge_);                                                         \
  al_scope_open(                                                              \
          &AL_UNIQUE(al_judge_), __al_lease_judge, &AL_UNIQUE(al_hold_));     \
  __attribute__((cleanup(al_scope_close))) struct al_scope AL_UNIQUE(         \
          al_stop_);                                                          \
  al_scope_open(&AL_UNIQUE(al_stop_), __al_lease_stop, &AL_UNIQUE(al_hold_)); \
  status = al_lease_begin(&AL_UNIQUE(al_hold_), buffer, bytes, stop, arg)

AL_EXTERN_C_END
