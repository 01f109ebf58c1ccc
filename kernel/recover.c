/* SPDX-License-Identifier: MIT */
/*
 * Recovery. It runs in the dying task, at its priority, on its own stack.
 *
 *     death -> begin -> [look -> pad] -> step -> undo ... -> rest -> restart
 *
 * Walking out frame by frame, it runs each frame's landing pad as far as the
 * compiler kept one, then undoes the scopes that were opened in that frame, at
 * that frame's stack pointer: what lies below is dead. Because user code then
 * overwrites recovery's own frames, nothing of recovery's state lies on the
 * stack: task->phase and task->death say where it stands, and each piece of
 * user code comes back through recover_continue(). If it dies instead, it comes
 * back through recover_nested(), and the next one goes on.
 *
 * What a scope is: a record in a frame, or a part of a mutex. Both stand in one
 * chain, newest first, and belong to the frame whose stack addresses enclose
 * the record, or the stack pointer at which the mutex was taken. The chain lies
 * in memory that the dead task may have overwritten: each link is checked
 * before it is used, and a chain that makes no sense is dropped.
 *
 * Not here: handlers that die, deaths from outside. Nor anything at all where
 * AL_CFG_RECOVERY is 0: then a death is the kernel stop.
 */
#include "recover.h"

#include "arch.h"
#include "crash.h"
#include "inherit.h"
#include "mutex.h"
#include "panic.h"
#include "sched.h"
#include "scope.h"
#include "softlock.h"
#include "task.h"
#include "time.h"
#include "weak.h"

#include <alula/config.h>
#include <alula/panic.h>

#if AL_CFG_RECOVERY

#  define BACK_OFF_DOUBLINGS 6u

WEAK_VALUE(bool, mutex_poison, struct al_scope, false)
WEAK_VALUE(bool, mutex_abandon, struct al_scope, false)
WEAK(inherit_end, struct al_task)
WEAK(kill_begins, struct al_task)
WEAK(kill_is_over, struct al_task)
WEAK(stray_begin, struct al_task)

/* Where the scope was opened: an address in its frame. */
static uintptr_t opened_at(const struct al_scope *scope)
{
    return scope->fn != NULL ? (uintptr_t)scope : (uintptr_t)scope->arg;
}

/* Poison every mutex that the task took at `from` or above, and forget the
 * records that lie below `lowest`; returns how many scopes are open, as far as
 * the chain makes sense. */
static uint32_t take_stock(
        struct al_task *self, uintptr_t from, uintptr_t lowest)
{
    struct al_scope **link = &self->scopes;
    struct al_scope *scope;
    uint32_t count = 0;

    while ((scope = *link) != NULL && count < TASK_SCOPES_MAX &&
            task_scope_is_sane(self, scope)) {
        if (scope->fn == NULL && opened_at(scope) >= from &&
                !mutex_poison(scope)) {
            break;
        }
        count++;
        if (scope->fn != NULL && (uintptr_t)scope < lowest) {
            *link = scope->prev;
        } else {
            link = &scope->prev;
        }
    }
    return count;
}

/*
 * Undo the scopes that were opened below `bound`, newest first. Comes back only
 * when no function of the user's is left to call; else recovery goes on with
 * `phase`.
 */
static void undo_below(struct al_task *self, uintptr_t bound, uint32_t phase)
{
    while (self->scopes != NULL) {
        struct al_scope *scope = self->scopes;
        uintptr_t run_sp = arch_death_run_sp(&self->death);
        uintptr_t opened;

        if (!task_scope_is_sane(self, scope)) {
            self->scopes = NULL;
            return;
        }
        opened = opened_at(scope);
        if (opened >= bound) {
            return;
        }
        if (opened >= run_sp) {
            self->recover_sp = run_sp; /* the dead cleanups' is done with */
        }
        scope = scope_pop(self);
        if (scope == NULL) {
            return;
        }
        if (scope->fn != NULL) {
            self->phase = (uint8_t)(phase | RECOVER_USER);
            arch_recover_call(scope->fn, scope->arg, self->recover_sp);
        }
        if (!mutex_abandon(scope)) {
            self->scopes = NULL;
        }
    }
}

/* Count a restart in the present window; false when it is one too many. */
static bool count_restart(
        struct al_task *self, const struct al_restart_policy *policy)
{
    al_time now = crash_tick(self->crash);

    if (now - self->window_start >= policy->window) {
        self->window_start = now;
        self->window_restarts = 0;
    }
    if (self->window_restarts >= policy->budget) {
        return false;
    }
    self->window_restarts++;
    return true;
}

bool recover_counts(struct al_task *self)
{
    const struct al_restart_policy *policy = self->def->policy;

    return policy->budget == UINT16_MAX || count_restart(self, policy);
}

/* Sleep for the back-off. */
static void back_off(
        struct al_task *self, const struct al_restart_policy *policy)
{
    uint32_t doublings = (uint32_t)self->window_restarts - policy->budget;
    uint32_t ticks = (uint32_t)policy->back_off << doublings;

    if (doublings < BACK_OFF_DOUBLINGS) {
        self->window_restarts++;
    }
    softlock_take();
    sched_remove_held(self);
    self->state = AL_TASK_HELD_BACK;
    time_sleep_held(time_now() + ticks);
    /* A death within a window from now backs off again, twice as long. */
    self->window_start = time_now();
}

static void obey_policy(struct al_task *self)
{
    const struct al_restart_policy *policy = self->def->policy;

    if (policy->budget >= UINT16_MAX - BACK_OFF_DOUBLINGS ||
            count_restart(self, policy)) {
        return;
    }
    switch ((enum al_exhausted)policy->exhausted) {
    case AL_EXHAUSTED_BACK_OFF:
        back_off(self, policy);
        return;
    case AL_EXHAUSTED_STOP:
        self->crash = NULL;
        task_end();
    case AL_EXHAUSTED_RESET:
        arch_reset();
    }
}

AL_NORETURN static void restart(struct al_task *self)
{
    uintptr_t sp;

    self->base_prio = (uint8_t)self->def->prio;
    if (self->contended != NULL || self->prio != self->base_prio) {
        inherit_end(self);
    }
    self->phase = RECOVER_DONE;
    AL_BARRIER();
    self->crash->heap_left = self->heap_bytes;
    crash_close(self->crash);
    if ((self->flags & AL_FLAG_END) == 0) {
        obey_policy(self);
    }
    stray_end(self);
    self->cause = AL_CAUSE_NONE;
    self->text = NULL;
    self->limit = task_limit(self->def);
    self->generation++;
    self->restarts++;
    self->state = AL_TASK_READY;
    sp = task_copy_args(self->def);
    self->crash = NULL;
    kill_is_over(self);
    arch_restart(self, sp, self->def->entry, (void *)sp);
}

AL_NORETURN void recover_continue(void)
{
    struct al_task *self = al_core.current;
    uint8_t phase = self->phase & (uint8_t)~RECOVER_USER;

    arch_never_walked();
    self->state = AL_TASK_RECOVERING; /* again, if a cleanup has waited */
    self->phase = phase;
    for (; phase != RECOVER_REST; phase = RECOVER_WALK) {
        if (phase != RECOVER_UNDO) {
            enum arch_frame frame =
                    arch_unwind_next(&self->death, self->stack_high, phase);

            if (frame == ARCH_FRAME_PAD) {
                self->phase = RECOVER_LEAVE | RECOVER_USER;
                arch_recover_pad(self);
            }
            if (frame == ARCH_FRAME_END) {
                break;
            }
            crash_add_pc(self->crash, arch_death_pc(&self->death));
        }
        if (self->scopes != NULL) {
            undo_below(self, arch_death_bound(&self->death), RECOVER_UNDO);
        }
    }
    if (self->scopes != NULL) {
        undo_below(self, UINTPTR_MAX, RECOVER_REST);
    }
    restart(self);
}

void recover_open_alone(struct al_task *self, uint32_t phase, uintptr_t from)
{
    self->crash = crash_open(self);
    self->limit = task_recovery_limit(self->def);
    self->phase = (uint8_t)phase;
    kill_begins(self);
    self->recover_sp = arch_death_run_sp(&self->death);
    self->crash->scopes_undone = take_stock(self, from, 0);
    stray_begin(self);
}

void recover_open(struct al_task *self, uint32_t phase, uintptr_t from)
        __attribute__((weak, alias("recover_open_alone")));

AL_NORETURN void recover_begin(struct al_task *self, enum recover_phase phase)
{
    recover_open(self, (uint32_t)phase, 0);
    recover_continue();
}

void recover_nested(uintptr_t sp)
{
    struct al_task *self = al_core.current;
    uintptr_t lowest = task_recovery_limit(self->def);

    KERNEL_MUST(RECOVER, 1, (self->phase & RECOVER_USER) != 0);
    self->crash->nested++;
    self->cause = AL_CAUSE_NONE;
    /* Recovery needs the room below, and so would their functions. */
    (void)take_stock(self, 0, lowest);
    if (sp < lowest) {
        sp = lowest;
    }
    if (sp < self->recover_sp) {
        self->recover_sp = sp;
    }
}

#else

AL_NORETURN void recover_begin(struct al_task *self, enum recover_phase phase)
{
    (void)self;
    (void)phase;
    kernel_stop(PANIC_DEATH);
}

#endif
