/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Deaths from outside; and the port's share in them. The kernel lock is held
 * where no line says otherwise.
 */

#include <alula/crash.h>
#include <alula/kill.h>
#include <alula/task.h>

/* What the record will say of it: cause, detail, text. */
struct kill_reason {
    uint32_t cause; /* enum al_cause */
    uint32_t detail[2];
    const char *text; /* constant text, or NULL */
};

/* Kill `task`, which lives and is not idle. Nothing if it is dying already. */
void kill_held(struct al_task *task, const struct kill_reason *reason);

/*
 * For lib/services/guard.c, which an image without guards has not. The time of one has come:
 * in the switch exception, out of the tree. And, lock free: the current task's
 * stack is used anew, it has no guards any more, also where its chain of scopes
 * was damaged.
 */
void guard_expired_held(struct al_timer_node *node) __attribute__((weak));
void guard_forget(const struct al_task *self) __attribute__((weak));

/*
 * The port. Each is called for a task that does not run, or in the switch
 * exception for the one that it interrupted.
 */

/* Does the switch exception run? */
bool kill_arch_in_switch(void);

/* The task, which has left its wait, is to die as if arch_switch(), in which it
 * stands, were the panic; task->cause and what follows say of what. */
void kill_arch_at_wait(struct al_task *task);

/* Each stack check of the task fails from now on, until its limit is set anew.
 * A task that has not begun dies before it does. To be repeated: code that keeps data in the limit's register is skipped. */
void kill_arch_at_check(struct al_task *task);

/* The task is to go on in its recovery, from the instruction that it has come
 * to. False: not from that one; ask again later. `patient`: nor if that may be
 * one of a cleanup, at the end of a block. */
bool kill_arch_here(struct al_task *task, bool patient);
