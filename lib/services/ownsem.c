/* SPDX-License-Identifier: MIT */
/*
 * A unit that is taken and noted in one step: a kill lets the kernel's code
 * finish, and what was given before it is the task's. A file of its own, so that
 * an image has it only where it is used.
 */
#include <alula/own.h>

al_status al_sem_own(struct al_sem_hold *hold, al_time deadline)
{
    al_status status = al_sem_take_until(hold->sem, deadline);

    if (status == AL_OK) {
        hold->units = 1;
    }
    return status;
}
