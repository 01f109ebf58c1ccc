/* SPDX-License-Identifier: MIT */
/*
 * Lending and getting back. Two scopes: the newer one stops the transfer and,
 * when stop() has come back, frees the lease; the older one finds it freed, or
 * lost. `hold` says whose it is, so that who did not get it ends nothing.
 *
 * Checked code: it calls the application's stop(). What is done about lost
 * memory is the kernel's: lib/services/lost.c.
 */
#include <alula/lease.h>

al_status al_lease_begin(struct al_lease_hold *hold, void *buffer, size_t bytes,
        void (*stop)(void *arg), void *arg)
{
    struct al_lease *lease = hold->lease;

    do {
        if (arch_load_linked(&lease->hold) != 0) {
            return lease->state == AL_LEASE_LOST ? AL_E_STATE : AL_E_BUSY;
        }
    } while (!arch_store_if(&lease->hold, (uintptr_t)hold));
    lease->buffer = buffer;
    lease->bytes = bytes;
    lease->stop = stop;
    lease->arg = arg;
    AL_BARRIER();
    /* From here on a handler may write, and say that it is done. */
    *(volatile uint32_t *)&lease->state = AL_LEASE_LENT;
    return AL_OK;
}

/* Ours to stop? No: it is done, or was never lent. */
static bool stopping(struct al_lease *lease)
{
    do {
        if (arch_load_linked(&lease->state) != AL_LEASE_LENT) {
            return false;
        }
    } while (!arch_store_if(&lease->state, AL_LEASE_STOPPING));
    return true;
}

void __al_lease_stop(void *memory)
{
    struct al_lease_hold *hold = (struct al_lease_hold *)memory;
    struct al_lease *lease = hold->lease;

    if (lease->hold != hold) {
        return;
    }
    if (stopping(lease)) {
        lease->stop(lease->arg);
    }
    *(volatile uint32_t *)&lease->state = AL_LEASE_IDLE;
    AL_BARRIER();
    *(struct al_lease_hold *volatile *)&lease->hold = NULL;
}

void __al_lease_judge(void *memory)
{
    struct al_lease_hold *hold = (struct al_lease_hold *)memory;

    if (hold->lease->hold != hold) {
        return;
    }
    al_lease_lose(hold->lease);
}
