/* SPDX-License-Identifier: MIT */
/*
 * The end of AL_TASK_SCOPED. The child's name is written by the kernel before a
 * kill of its parent takes effect: one that lives has its name here.
 */
#include <alula/own.h>

void __al_own_end(void *memory)
{
    struct al_task_id child = *(const struct al_task_id *)memory;

    if (child.task != NULL && al_task_kill(child, AL_KILL_END) == AL_OK) {
        al_status status = al_task_join(child, AL_FOREVER);

        (void)status;
    }
}
