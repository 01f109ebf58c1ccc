/* SPDX-License-Identifier: MIT */
/*
 * A task's own priority, changed while it lives. In a file of its own: an image
 * in which no priority ever changes has no code that moves a task from one level
 * to another.
 */
#include "arch.h"
#include "inherit.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "task.h"

al_status al_task_set_prio(struct al_task_id id, al_prio prio)
{
    struct al_task *task;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    CALLER_MUST(TASK, 4, prio > 0 && prio < AL_PRIO_LEVELS);
    softlock_take();
    if (!task_id_lives(id)) {
        softlock_leave();
        return AL_E_STALE;
    }
    task = task_instance(id.task);
    task->base_prio = (uint8_t)prio;
    inherit_update_held(task);
    return softlock_leave_and_switch(AL_OK);
}
