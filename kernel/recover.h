/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * From death to restart. The port captures the machine state of a death in
 * task->death and calls in here, in the dying task, on its own stack.
 */

#include "panic.h"

#include <alula/task.h>

/* What recovery does next; kept in task->phase, because user code that it runs
 * comes back by a fresh call of recover_continue(). */
enum recover_phase {
    RECOVER_WALK,  /* at the innermost frame that is left */
    RECOVER_LEAVE, /* the same, past its landing pad */
    RECOVER_UNDO,  /* undo what was opened in frames that are left by now */
    RECOVER_REST,  /* no more frames: undo what is left */
    RECOVER_DONE,  /* nothing: the record is being closed, and not kill.c's */
};

/* Set in task->phase while user code runs for recovery. */
#define RECOVER_USER 8u

/*
 * A task died: task->death is filled in. Recovery begins with `phase`:
 * RECOVER_WALK; RECOVER_LEAVE where nothing of the innermost function has run;
 * RECOVER_REST when the stack pointer makes no sense.
 */
AL_NORETURN void recover_begin(struct al_task *self, enum recover_phase phase);

/*
 * The first part of it: the record is opened, mutexes that were taken at `from`
 * or above are poisoned. For a task in a cleanup that is let finish first, with
 * task->death as its caller's frame left it: recover_continue() follows, or
 * recover_nested().
 */
void recover_open(struct al_task *self, uint32_t phase, uintptr_t from);

/* For concurrent.c, which an image without it has not, but this one instead: the
 * part of it that is every task's. And: may the task restart at once, by its
 * policy? It is counted. */
void recover_open_alone(struct al_task *self, uint32_t phase, uintptr_t from);
bool recover_counts(struct al_task *self);

/*
 * User code that recovery ran died in turn, at `sp`: it alone is given up, and
 * what it opened is undone. Runs at `sp`, over the dead frames that hold what
 * it opened; recover_continue() is to be called at task->recover_sp next.
 */
void recover_nested(uintptr_t sp);

/* Go on where the phase says. */
AL_NORETURN void recover_continue(void);

/* The running task ends itself; `text` is constant text of the image, or NULL.
 * From a handler, or in the kernel lock, it is the kernel stop. The port's. */
AL_NORETURN void recover_panic(
        uint32_t cause, uint32_t a, uint32_t b, const char *text);

/*
 * For kill.c, which an image without kills has not (weak.h). The
 * current task's recovery begins, and is over: the task lives again, or, if it
 * was to end, this does not come back.
 */
void kill_begins(struct al_task *self);
void kill_is_over(struct al_task *self);

/* The kernel stops: interrupts are masked, the interrupt stack is in use. */
AL_NORETURN void recover_kernel_stop(enum panic_site site);
