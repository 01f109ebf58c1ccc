/* SPDX-License-Identifier: MIT */
/*
 * The end of AL_SEM_SCOPED. A full semaphore has been given what was missing by
 * somebody else.
 */
#include <alula/own.h>

void __al_own_give(void *memory)
{
    const struct al_sem_hold *hold = (const struct al_sem_hold *)memory;

    if (hold->units != 0) {
        (void)al_sem_give(hold->sem);
    }
}
