/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Killing tasks: a death that another task decides. Everything that the task
 * registered is undone, as after any other death, and its crash record has the
 * cause AL_CAUSE_KILLED.
 *
 * Where it dies:
 *
 *   it waits, or sleeps     at that wait, which ends without effect: what was
 *                           given before the kill is the task's, and then it
 *                           dies as one that is ready
 *   it is ready             at the next function that it enters, but for leaf
 *                           functions without a frame; calls of the kernel are
 *                           let finish
 *   it enters none          after AL_CFG_KILL_GRACE ticks, where it is; up to
 *                           eight times that, if it is in a cleanup each time
 *                           (ticks that meet it preempted do not count)
 *   it is dying already     nothing more happens; a cleanup that does not
 *                           return for AL_CFG_KILL_GRACE ticks is abandoned,
 *                           and the next one goes on
 *   its restart is held     AL_KILL_END: it ends at once, else nothing happens
 *   back
 *   it is suspended         it is resumed, to die
 *   it has not begun        before its first instruction
 *
 * Landing pads (of C++ destructors, of plain cleanup attributes) are not run
 * where a task is stopped after the grace; what is registered is undone.
 *
 * Not here: killing in an interrupt handler: wake a task that does it.
 */

#include <alula/task.h>

AL_EXTERN_C_BEGIN

/* What becomes of the task. */
enum al_kill {
    AL_KILL_RESTART, /* as after a crash: its policy decides */
    AL_KILL_END,     /* it ends: who joins it wakes, its memory goes back */
};

/**
 * Kill a task. It may take a while to die: al_task_join() waits for the end.
 * Two kills are as one; an AL_KILL_END among them ends the task.
 *
 * @param[in] id   whom; the caller itself: it dies here
 * @param[in] how  what comes after its death
 * @context   task; may switch
 * @return    AL_OK       it dies, or did so already
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task, or the idle task
 * @panics    TASK.7  `how` is neither of the two
 * @unwind    the killed task's scopes are undone by itself, at its own priority
 * @cost      constant; of a task that waits for an event set or a mailbox, what
 *            its deadline would cost
 */
al_status al_task_kill(struct al_task_id id, enum al_kill how);

AL_EXTERN_C_END
