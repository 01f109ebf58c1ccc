/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Concurrent restart: a task that dies begins anew at once, on a second stack,
 * before what its dead instance held is given back.
 *
 *     AL_TASK(control, control_main, 6, 1024);
 *     AL_RESTART_CONCURRENT(control);
 *
 *   death -> the new instance begins, with a fresh copy of the arguments and at
 *            the task's own priority, as the first of its equals
 *         -> the dead one falls to priority 1, is cleaned up, newest scope
 *            first, and is gone
 *
 * Clean up first, in place and at the task's own priority, as without this:
 *   - the instance before has not been cleaned up yet: at most two at a time;
 *   - the policy allows no restart at once now (task.h);
 *   - the task is to end (AL_KILL_END).
 *
 * What the two share, and what that means:
 *   - Static variables, what the arguments point to, and objects. The new
 *     instance finds them as the dead one left them, and the dead one's cleanups
 *     use them while the new one runs, or after it has used them.
 *   - What the dead one holds stays held until it is given back: a mutex is
 *     poisoned at the death and locked until its scope is undone, units of a
 *     semaphore and scoped heap blocks are missing for as long. Who waits for
 *     such a mutex, the new instance for one, lends its priority to the cleanup.
 *     What is no mutex lends nothing: a task that waits for it waits for
 *     priority 1. A cleanup that waits for the new instance, and the new
 *     instance for it, wait for each other.
 *   - Peers of a channel are told when its end is given back, hence later than
 *     the first that they hear of the new instance.
 *   - AL_TASK_STATE: the new instance takes the last checkpoint while cleanups
 *     of the dead one may still run. They must not touch the state: what they
 *     write is lost, or mixed with the new instance's. Whoever begins a state,
 *     or makes a checkpoint, in such a cleanup dies in it.
 *   - Guards (guard.h) of the dead one have no effect any more. Statistics are
 *     the task's, but for what the dead one runs after it has been replaced.
 *
 * Names (al_task_id, the label) are the task's: they lead to the instance that
 * lives. No name leads to a dead one: it cannot be killed, suspended or woken.
 * al_task_info.unwinding tells of it. Joining waits for the task, and a task has
 * ended when both instances have: one that ends lends its priority to the other
 * and waits. In an image that kills, cleanups are given up as always, but ticks
 * in which the dead one only was not its turn do not count.
 *
 * The crash record can be read at once: cause, registers, generation. The
 * backtrace, what was left behind, and deaths in cleanups are filled in when the
 * dead one is gone, if the record has not been overwritten by then.
 *
 * An image in which nothing restarts so has no byte of this.
 */

#include <alula/crash.h>
#include <alula/task.h>

AL_EXTERN_C_BEGIN

/* A definition, and whose it is. */
struct al_instance {
    struct al_task_def def;
    struct al_concurrent *of;
};

/*
 * The second instance of a task. Fields belong to the kernel, under its lock
 * where no line says otherwise. All zeros at the beginning.
 */
struct al_concurrent {
    struct al_task second;
    struct al_instance instances[2]; /* of the task's own block, of `second` */
    const struct al_task_def
            *origin;               /* the task's definition; NULL: not used */
    struct al_task *live;          /* what names lead to */
    struct al_task *dying;         /* NULL: there is none */
    bool awaited;                  /* the other one ends when it is gone */
    struct al_crash_record record; /* the dying one's alone */
};

/* How a task comes to its second instance; in flash. */
struct al_concurrent_def {
    const struct al_task_def *origin;
    struct al_concurrent *concurrent;
    char *stack; /* as large as the task's first */
    const struct al_restart_policy *dying;
};

/* The policy of an instance that has been replaced: it ends. */
extern const struct al_restart_policy al_restart_replaced;

/**
 * Is the caller a dead instance whose successor runs already? True in cleanups
 * only.
 *
 * @context   task; in an interrupt handler: the interrupted task
 * @cost      a few instructions
 */
AL_INLINE bool al_task_is_replaced(void)
{
    const struct al_task *self = al_task_self();

    return (self->flags & AL_FLAG_CONCURRENT) != 0 &&
           ((const struct al_instance *)(const void *)self->def)->of->dying ==
                   self;
}

/**
 * Let a task restart concurrently: at file scope, behind its definition by
 * AL_TASK, AL_TASK_POLICY, AL_TASK_ARGS or AL_SUPERVISED. Costs a second stack
 * and about 600 bytes of RAM. Its policy holds as ever: it says how often.
 *
 * @param label  the task's
 */
#define AL_RESTART_CONCURRENT(label)                                       \
  static char AL_CONCAT(                                                   \
          label, _second_stack)[sizeof(AL_CONCAT(label, _stack))]          \
          __attribute__((aligned(8), section(".noinit.alula.stacks")));    \
  static struct al_concurrent AL_CONCAT(label, _concurrent)                \
          __attribute__((section(".bss.alula.tasks")));                    \
  static const struct al_concurrent_def AL_CONCAT(label, _concurrent_def)  \
          __attribute__((section(".alula.concurrent"), used)) = {          \
                  &AL_CONCAT(label, _def), &AL_CONCAT(label, _concurrent), \
                  AL_CONCAT(label, _second_stack), &al_restart_replaced}

/**
 * The same for a task that was made at run time, before it dies.
 *
 * @param[in] id       of a task that lives
 * @param[out] memory  all zeros, or of a task that has ended; the task's until
 *                     it ends
 * @param[in] stack    8-aligned, as large as the task's own; the task's until
 *                     it ends
 * @context   task
 * @return    AL_OK       from now on
 * @return    AL_E_STATE  it does so already, or is dying
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @panics    TASK.5  the stack makes no sense
 * @panics    TASK.6  the memory is that of a task that lives
 * @cost      constant
 */
AL_MUST_USE al_status al_task_restart_concurrent(
        struct al_task_id id, struct al_concurrent *memory, char *stack);

AL_EXTERN_C_END
