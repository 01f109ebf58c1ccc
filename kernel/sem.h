/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files of the semaphore share.
 */

#include <alula/sem.h>

#include "arch.h"

static inline int32_t sem_count_look(struct al_sem *sem)
{
    return (int32_t)arch_load_linked(&sem->count);
}

static inline bool sem_count_store(struct al_sem *sem, int32_t count)
{
    return arch_store_if(&sem->count, (uint32_t)count);
}

/* There was no unit at the look: goes on behind the stack check. */
al_status al_sem_take_slow(struct al_sem *sem, al_time deadline);

/* The current task waits, until `deadline`; the lock is held. */
void sem_wait_held(struct al_sem *sem, al_time deadline);
