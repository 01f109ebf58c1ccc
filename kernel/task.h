/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Making tasks, and starting them again.
 */

#include <alula/config.h>
#include <alula/scope.h>
#include <alula/task.h>

#include "arch.h"
#include "stat.h"

/* Tasks of the image, as the linker gathers them: the boot code's to pass. */
struct task_list {
    const struct al_task_def *first;
    const struct al_task_def *end;
};

/* Remember the image's tasks, make them ready, and idle, whose definition is in
 * front of them; kernel lock held, at boot. */
void task_boot_all_held(struct task_list list);

/* Lay down one control block, cleared but for its counts of starts; queued by
 * the caller. */
void task_prepare(struct al_task *task, const struct al_task_def *def);

/*
 * Copy the original arguments to the top of the stack. Returns the first stack
 * pointer of the task, 8-aligned; the arguments lie at it.
 */
uintptr_t task_copy_args(const struct al_task_def *def);

#define TASK_SLACK 64u

/* Lowest address that checked code of the task may store to. */
static inline uintptr_t task_floor(const struct al_task_def *def)
{
    return (uintptr_t)def->stack +
           (STAT_BYTES + AL_CFG_CLEANUP_STACK + arch_stack_reserve());
}

/* Limit of the task while it is well, and while it recovers. */
static inline uintptr_t task_limit(const struct al_task_def *def)
{
    return (uintptr_t)def->stack + (STAT_BYTES + AL_CFG_CLEANUP_STACK +
                                           TASK_SLACK + arch_stack_reserve());
}

static inline uintptr_t task_recovery_limit(const struct al_task_def *def)
{
    return (uintptr_t)def->stack +
           (STAT_BYTES + TASK_SLACK + arch_stack_reserve());
}

/* Is, or was, this a task? Of any address; idle is none of them. */
bool task_is_known(const struct al_task *task);

/* Does this id name a task that is, or was; and one that has not ended? */
bool task_id_is_sane(struct al_task_id id);
bool task_id_lives(struct al_task_id id);

/*
 * For spawn.c, which an image without tasks made at run time has not (weak.h):
 * the task after `before`, or the first if that is not one of them; the current
 * task's id is about to be stale, nobody may run who finds it so; who waits
 * for the current task's end, which nobody new does, is woken, and its memory
 * goes back, lock held, but let go of in between; and a task, ended or not, has
 * no block on the heap any more, lock held.
 */
struct al_task *spawn_next(const struct al_task *before);
void spawn_ends_held(struct al_task *self);
void spawn_end_held(struct al_task *self);
void spawn_empty_held(struct al_task *task);

/* As al_task_next(); `before` is a task, and lives, or is of the image. */
struct al_task *task_next(const struct al_task *before);

/*
 * For lib/services/stray.c, which time_wait_held() brings in (weak.h): the
 * current task begins to die, its scopes are still open; and its stack is about
 * to be used anew, or given back. The lock is free.
 */
void stray_begin(struct al_task *self);
void stray_end(struct al_task *self);

/* For kill.c, in the same way: the current task, whose id is stale, is looked
 * after no more; the lock is held, but let go of in between. */
void kill_ends_held(struct al_task *self);

/* The current task ends: it holds nothing any more. The second is what the first
 * does in an image without concurrent.c. */
AL_NORETURN void task_end(void);
AL_NORETURN void task_end_alone(void);

/*
 * A task may have two control blocks (concurrent.h): the one that names lead to,
 * of either; the one that lives, of the one that is named, constant while the
 * lock is held; its definition as it was made; and what al_task_read() tells
 * beyond one block. An image without concurrent.c has weak ones, for which there
 * is one block.
 */
struct al_task *task_named(struct al_task *task);
struct al_task *task_instance(struct al_task *named);
const struct al_task_def *task_origin(const struct al_task *task);
void task_tell_more(const struct al_task *task, struct al_task_info *info);

/* Is this memory that a scope without a function may lie in? */
bool task_is_mutex_scope(const struct al_scope *scope);

/*
 * May this link of the task's chain of scopes be followed? A record lies in the
 * task's stack, a mutex anywhere in memory. The chain lies in memory that a
 * task may have overwritten: each link is checked before it is used, and since
 * a damaged chain may be a loop, whoever only reads it stops after
 * TASK_SCOPES_MAX links.
 */
static inline bool task_scope_is_sane(
        const struct al_task *task, const struct al_scope *scope)
{
    uintptr_t at = (uintptr_t)scope - task->stack_low;
    uintptr_t last = task->stack_high - sizeof(*scope) - task->stack_low;

    if ((uintptr_t)scope % sizeof(uintptr_t) != 0) {
        return false;
    }
    return at <= last || task_is_mutex_scope(scope);
}

#define TASK_SCOPES_MAX 1024u

/* Where a task comes back to when its entry returns. */
AL_NORETURN void task_returned(void);
