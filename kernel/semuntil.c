/* SPDX-License-Identifier: MIT */
/*
 * Taking a unit until a deadline. A file of its own: an image in which nobody
 * does has nothing of it, nor of what a deadline that passes asks for.
 */
#include "sem.h"

#include "time.h"

void sem_wait_held(struct al_sem *sem, al_time deadline)
{
    time_wait_held(&sem->waiters, AL_KIND_SEM, deadline);
}

al_status al_sem_take_until(struct al_sem *sem, al_time deadline)
{
    int32_t count;

    do {
        count = sem_count_look(sem);
        if (count <= 0) {
            return al_sem_take_slow(sem, deadline);
        }
    } while (!sem_count_store(sem, count - 1));
    return AL_OK;
}
