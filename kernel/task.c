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
#include "stat.h"
#include "weak.h"

#include <alula/config.h>
#include <alula/scope.h>

const struct al_restart_policy al_restart_default = {
        .budget = 16,
        .back_off = AL_TICK_HZ / 10,
        .window = AL_TICK_HZ,
        .exhausted = AL_EXHAUSTED_BACK_OFF,
};

static struct {
    struct task_list list; /* written at boot */
} tasks __attribute__((section(".bss.alula.state")));

/* Where no task restarts concurrently, each has one block (task.h). */
WEAK_VALUE(struct al_task *, task_named, struct al_task, thing)
WEAK_VALUE(struct al_task *, task_instance, struct al_task, thing)
WEAK_VALUE(const struct al_task_def *, task_origin, const struct al_task,
        thing->def)

__attribute__((weak)) void task_tell_more(
        const struct al_task *task, struct al_task_info *info)
{
    (void)task;
    (void)info;
}

WEAK_VALUE(struct al_task *, spawn_next, const struct al_task, NULL)
WEAK(spawn_ends_held, struct al_task)
WEAK(spawn_end_held, struct al_task)
WEAK(kill_ends_held, struct al_task)
WEAK(stray_end, struct al_task)

uintptr_t task_copy_args(const struct al_task_def *def)
{
    uintptr_t sp =
            arch_tls_start(def, (uintptr_t)def->stack + def->stack_bytes);
    const volatile char *from = (const volatile char *)def->args;
    char *to;

    sp = (sp - def->args_bytes) & ~(uintptr_t)7;
    to = (char *)sp;
    for (uint32_t i = 0; i < def->args_bytes; i++) {
        to[i] = from[i];
    }
    return sp;
}

void task_prepare(struct al_task *task, const struct al_task_def *def)
{
    uintptr_t sp = task_copy_args(def);

    task->def = def;
    task->next = task;
    task->prev = task;
    task->prio = (uint8_t)def->prio;
    task->base_prio = (uint8_t)def->prio;
    task->state = AL_TASK_READY;
    task->timer.kind = AL_KIND_TASK;
    task->post.tag = AL_TAG(AL_KIND_TASK);
    task->stack_low = (uintptr_t)def->stack;
    task->stack_high = (uintptr_t)def->stack + def->stack_bytes;
    task->limit = task_limit(def);
    if (STAT_ON) {
        stat_of(task)->sp_low = task->stack_high;
        stat_of(task)->missed = 0;
        stat_of(task)->run = 0;
    }
    task->generation++;
    task->spawns++;
    arch_task_prepare(task, sp, def->entry, (void *)sp);
}

void task_boot_all_held(struct task_list list)
{
    tasks.list = list;
    for (const struct al_task_def *def = list.first - 1; def < list.end;
            def++) {
        struct al_task *task = def->task;

        __asm__("" : "+r"(def)); /* or compilers count by something else */
        task_prepare(task, def);
        sched_insert_held(task);
    }
}

struct al_task *task_next(const struct al_task *before)
{
    const struct al_task_def *def = tasks.list.first;

    if (before != NULL && (before->flags & AL_FLAG_SPAWNED) == 0) {
        def = task_origin(before) + 1;
    } else if (before != NULL) {
        def = tasks.list.end;
    }
    if (def < tasks.list.end) {
        return def->task;
    }
    return spawn_next(before);
}

struct al_task *al_task_next(const struct al_task *before)
{
    CALLER_MUST(TASK, 3, before == NULL || task_is_known(before));
    return task_next(before);
}

/* Is it where definitions lie: the image's, or one made at run time? */
static bool is_def(const struct al_task_def *def)
{
    return (def >= tasks.list.first && def < tasks.list.end) ||
           arch_is_ram((uintptr_t)def, sizeof(*def));
}

bool task_is_known(const struct al_task *task)
{
    uintptr_t at = (uintptr_t)task;

    return at % sizeof(uintptr_t) == 0 && arch_is_ram(at, sizeof(*task)) &&
           task->post.tag == AL_TAG(AL_KIND_TASK) && is_def(task->def) &&
           task->def->task == task;
}

WEAK_VALUE(bool, task_is_mutex_scope, const struct al_scope, false)

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
    uintptr_t sp = arch_entry_sp();

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_is_known(task));
    if (task != al_core.current) {
        task = task_instance((struct al_task *)(uintptr_t)task);
        sp = task == al_core.current ? sp : (uintptr_t)task->sp;
    }
    info->name = task->def->name;
    info->prio = task->prio;
    info->base_prio = task->base_prio;
    info->state = (enum al_task_state)task->state;
    if ((task->flags & AL_FLAG_SUSPENDED) != 0) {
        info->state = AL_TASK_SUSPENDED;
    }
    info->stack_used = task->stack_high - sp;
    info->stack_limit = task->stack_high - task_floor(task->def);
    info->restarts = task->restarts;
    info->generation = task->generation;
    info->heap_bytes = task->heap_bytes;
    info->mutexes = mutexes_of(task);
    info->run_counts = AL_CFG_STAT_RUNTIME ? arch_run_counts(task) : 0;
    info->stack_peak = 0;
    if (AL_CFG_STAT_STACK) {
        info->stack_peak = task->stack_high - stat_of(task)->sp_low;
        if (info->stack_peak < info->stack_used) {
            info->stack_peak = info->stack_used;
        }
    }
    info->missed = AL_CFG_STAT_DEADLINES ? stat_of(task)->missed : 0;
    info->unwinding = AL_CAUSE_NONE;
    task_tell_more(task, info);
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
    (void)arch_switch(AL_OK, next);
}

struct al_task_id al_task_id_of(const struct al_task *task)
{
    struct al_task *named;

    CALLER_MUST(TASK, 3, task_is_known(task));
    named = task_named((struct al_task *)(uintptr_t)task);
    return (struct al_task_id){named, named->spawns};
}

struct al_task_id al_task_id_self(void)
{
    return al_task_id_of(al_core.current);
}

/* The count is odd while the task lives: an id that was made of one that had
 * ended is stale from the beginning. */
bool task_id_lives(struct al_task_id id)
{
    return id.spawn == id.task->spawns && id.spawn % 2 != 0;
}

bool task_id_is_sane(struct al_task_id id)
{
    return task_is_known(id.task) && id.spawn - 1 < id.task->spawns;
}

AL_NORETURN void task_end_alone(void)
{
    struct al_task *self = al_core.current;

    stray_end(self);
    softlock_take();
    spawn_ends_held(self);
    self->spawns++; /* from here on its id is stale */
    kill_ends_held(self);
    spawn_end_held(self);
    sched_remove_held(self);
    self->prio = self->base_prio;
    self->state = AL_TASK_STOPPED;
    (void)sched_give_way_held(AL_OK);
    __builtin_unreachable();
}

AL_NORETURN void task_end(void) __attribute__((weak, alias("task_end_alone")));

AL_NORETURN void task_returned(void)
{
    CALLER_MUST(TASK, 2, al_core.current->scopes == NULL);
    task_end();
}
