/* SPDX-License-Identifier: MIT */
/*
 * Control blocks and stacks. A stack, from its highest byte down:
 *
 *   thread-locals | arguments | what checked code may use | slack | ...
 *                                                         ^limit  ^floor
 *   ... cleanups | kernel's reserve
 *
 * Checked code never stores below the floor. Cleanups of a task that dies may
 * go on for AL_CFG_CLEANUP_STACK bytes; what lies below holds an exception
 * frame, the saved context and the deepest kernel call, and is computed by
 * tools/alula-stack for each image.
 */
#include "task.h"

#include "arch.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"

#include <alula/config.h>
#include <alula/scope.h>

#define SLACK 64u

const struct al_restart_policy al_restart_default = {
        .budget = 16,
        .back_off = AL_TICK_HZ / 10,
        .window = AL_TICK_HZ,
        .exhausted = AL_EXHAUSTED_BACK_OFF,
};

static struct {
    struct task_list list; /* written at boot */
} tasks __attribute__((section(".bss.alula.state")));

uintptr_t task_floor(const struct al_task_def *def)
{
    return (uintptr_t)def->stack + arch_stack_reserve() + AL_CFG_CLEANUP_STACK;
}

uintptr_t task_limit(const struct al_task_def *def)
{
    return task_floor(def) + SLACK;
}

uintptr_t task_recovery_limit(const struct al_task_def *def)
{
    return task_limit(def) - AL_CFG_CLEANUP_STACK;
}

uintptr_t task_copy_args(const struct al_task_def *def)
{
    uintptr_t sp = (uintptr_t)def->stack + def->stack_bytes;
    const volatile char *from = (const volatile char *)def->args;
    char *to;

    if (arch_tls_start != NULL) {
        sp = arch_tls_start(def, sp);
    }
    sp = (sp - def->args_bytes) & ~(uintptr_t)7;
    to = (char *)sp;
    for (uint32_t i = 0; i < def->args_bytes; i++) {
        to[i] = from[i];
    }
    return sp;
}

void task_prepare(const struct al_task_def *def)
{
    struct al_task *task = def->task;
    uintptr_t sp = task_copy_args(def);

    task->def = def;
    task->next = task;
    task->prev = task;
    task->prio = (uint8_t)def->prio;
    task->base_prio = (uint8_t)def->prio;
    task->state = AL_TASK_READY;
    task->stack_low = (uintptr_t)def->stack;
    task->stack_high = (uintptr_t)def->stack + def->stack_bytes;
    task->limit = task_limit(def);
    task->generation = 1;
    arch_task_prepare(task, sp, def->entry, (void *)sp);
}

void task_boot_all_held(struct task_list list)
{
    tasks.list = list;
    for (const struct al_task_def *def = list.first; def < list.end; def++) {
        task_prepare(def);
        sched_insert_held(def->task);
    }
}

struct al_task *al_task_next(const struct al_task *before)
{
    const struct al_task_def *def = tasks.list.first;

    if (before != NULL) {
        def = before->def + 1;
    }
    return def < tasks.list.end ? def->task : NULL;
}

bool task_is_known(const struct al_task *task)
{
    uintptr_t at = (uintptr_t)task;

    if (at % sizeof(uintptr_t) != 0 || !arch_is_ram(at, sizeof(*task))) {
        return false;
    }
    return task->def >= tasks.list.first && task->def < tasks.list.end &&
           task->def->task == task;
}

bool task_scope_is_sane(
        const struct al_task *task, const struct al_scope *scope)
{
    uintptr_t at = (uintptr_t)scope;

    if (at % sizeof(uintptr_t) != 0 || !arch_is_ram(at, sizeof(*scope))) {
        return false;
    }
    return scope->fn == NULL ||
           (at >= task->stack_low && at + sizeof(*scope) <= task->stack_high);
}

static uint32_t mutexes_of(const struct al_task *task)
{
    const struct al_scope *s;
    uint32_t n = 0;

    softlock_take();
    s = task->scopes;
    for (uint32_t i = 0; i < TASK_SCOPES_MAX && s != NULL; i++) {
        if (!task_scope_is_sane(task, s)) {
            break;
        }
        n += s->fn == NULL;
        s = s->prev;
    }
    softlock_leave();
    return n;
}

void al_task_read(const struct al_task *task, struct al_task_info *info)
{
    uintptr_t sp =
            task == al_core.current ? arch_entry_sp() : (uintptr_t)task->sp;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    info->name = task->def->name;
    info->prio = task->prio;
    info->base_prio = task->base_prio;
    info->state = (enum al_task_state)task->state;
    info->stack_used = task->stack_high - sp;
    info->stack_limit = task->stack_high - task_floor(task->def);
    info->restarts = task->restarts;
    info->generation = task->generation;
    info->heap_bytes = task->heap_bytes;
    info->mutexes = mutexes_of(task);
}

void al_yield(void)
{
    struct al_task *self = al_core.current;
    struct al_task *next;

    if (arch_in_handler()) {
        (void)panic_misuse(PANIC_TASK_1);
        return;
    }
    softlock_take();
    next = self->next;
    if (next == self) {
        softlock_leave();
        return;
    }
    *sched_level_held(self->prio) = next;
    (void)arch_switch(0, next);
}

AL_NORETURN void task_returned(void)
{
    struct al_task *self = al_core.current;

    CALLER_MUST(TASK, 2, self->scopes == NULL);
    softlock_take();
    sched_remove_held(self);
    self->state = AL_TASK_STOPPED;
    (void)arch_switch(0, sched_top_held());
    __builtin_unreachable();
}
