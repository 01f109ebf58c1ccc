/* SPDX-License-Identifier: MIT */
/*
 * Concurrent restart. A task has two control blocks and two stacks, of which one
 * lives and the other is free, or dying:
 *
 *                live      dying
 *                first     -          as the task was made
 *     death ->   second    first      hand_over(): cleaned up at priority 1
 *     ... ->     second    -          the first is free
 *     death ->   first     second
 *
 * Each block has a definition of its own, in RAM, which names its stack; it says
 * as well what the block belongs to (AL_FLAG_CONCURRENT), and, while it is dying,
 * that it ends after its cleanups. So recovery, unwinding and kills treat both as
 * any other task. Names stay with the first block; task_instance() leads from
 * there to the one that lives.
 *
 * The crash record of one that is dying is taken out of the ring, since what
 * dies slowly may see others take its place there, and is put back when it is
 * whole.
 *
 * It takes the place of functions of recover.c and task.c that are weak.
 */
#include <alula/concurrent.h>

#include "arch.h"
#include "crash.h"
#include "inherit.h"
#include "panic.h"
#include "recover.h"
#include "sched.h"
#include "softlock.h"
#include "stat.h"
#include "stray.h"
#include "task.h"

#include <alula/config.h>

const struct al_restart_policy al_restart_replaced = {
        .exhausted = AL_EXHAUSTED_STOP,
};

#if AL_CFG_RECOVERY

#  define DYING_PRIO 1u

/* Of the linker script. */
extern const struct al_concurrent_def __al_concurrent_low[];
extern const struct al_concurrent_def __al_concurrent_high[];

static struct al_concurrent *concurrent_of(const struct al_task *task)
{
    if ((task->flags & AL_FLAG_CONCURRENT) == 0) {
        return NULL;
    }
    return ((const struct al_instance *)(const void *)task->def)->of;
}

static struct al_task *first_of(const struct al_concurrent *c)
{
    return c->origin->task;
}

/* The block that `task` is not. */
static struct al_task *other(
        struct al_concurrent *c, const struct al_task *task)
{
    return task == &c->second ? first_of(c) : &c->second;
}

static struct al_task_def *def_of(
        struct al_concurrent *c, const struct al_task *task)
{
    return &c->instances[task == &c->second].def;
}

struct al_task *task_named(struct al_task *task)
{
    const struct al_concurrent *c = concurrent_of(task);

    return c == NULL ? task : first_of(c);
}

struct al_task *task_second(struct al_task *named)
{
    struct al_concurrent *c = concurrent_of(named);

    return c == NULL ? NULL : &c->second;
}

struct al_task *task_instance(struct al_task *named)
{
    const struct al_concurrent *c = concurrent_of(named);

    return c == NULL ? named : c->live;
}

const struct al_task_def *task_origin(const struct al_task *task)
{
    const struct al_concurrent *c = concurrent_of(task);

    return c == NULL ? task->def : c->origin;
}

void task_tell_more(const struct al_task *task, struct al_task_info *info)
{
    struct al_concurrent *c = concurrent_of(task);

    if (c == NULL) {
        return;
    }
    softlock_take();
    info->heap_bytes = c->second.heap_bytes + first_of(c)->heap_bytes;
    if (c->dying != NULL) {
        info->unwinding = c->record.cause;
    }
    softlock_leave();
}

/* ---- becoming one ---- */

static void def_copy(struct al_task_def *to, const struct al_task_def *from)
{
    to->task = from->task;
    to->name = from->name;
    to->entry = from->entry;
    to->args = from->args;
    to->args_bytes = from->args_bytes;
    to->stack = from->stack;
    to->stack_bytes = from->stack_bytes;
    to->prio = from->prio;
    to->policy = from->policy;
}

/* Two definitions, one for each block and stack. */
static void fill(
        struct al_concurrent *c, const struct al_task_def *origin, char *stack)
{
    for (unsigned i = 0; i < 2; i++) {
        c->instances[i].of = c;
        def_copy(&c->instances[i].def, origin);
    }
    c->instances[1].def.task = &c->second;
    c->instances[1].def.stack = stack;
    c->origin = origin;
    c->live = origin->task;
    c->dying = NULL;
    c->awaited = false;
}

/* From here on the block's definition says whose it is. */
static void mark(struct al_task *first, struct al_concurrent *c)
{
    first->def = &c->instances[0].def;
    AL_BARRIER();
    first->flags |= AL_FLAG_CONCURRENT;
}

/* A task of the image is looked for when it dies for the first time. */
static struct al_concurrent *adopt(struct al_task *self)
{
    const struct al_concurrent_def *def = __al_concurrent_low;

    while (def < __al_concurrent_high && def->origin->task != self) {
        def++;
    }
    if (def == __al_concurrent_high) {
        return NULL;
    }
    fill(def->concurrent, def->origin, def->stack);
    softlock_take();
    mark(self, def->concurrent);
    softlock_leave();
    return def->concurrent;
}

al_status al_task_restart_concurrent(
        struct al_task_id id, struct al_concurrent *memory, char *stack)
{
    struct al_task *task = id.task;
    al_status status = AL_OK;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    CALLER_MUST(TASK, 5, stack != NULL && (uintptr_t)stack % 8 == 0);
    CALLER_MUST(TASK, 6, memory->origin == NULL);
    fill(memory, task_origin(task), stack);
    softlock_take();
    if (!task_id_lives(id)) {
        status = AL_E_STALE;
    } else if ((task->flags & AL_FLAG_CONCURRENT) != 0 || task->crash != NULL ||
               task->state >= AL_TASK_HELD_BACK) {
        status = AL_E_STATE;
    } else {
        mark(task, memory);
    }
    softlock_leave();
    if (status != AL_OK) {
        memory->origin = NULL;
    }
    return status;
}

/* ---- a death ---- */

static void stat_begin(struct al_task *next, const struct al_task *self)
{
    if (STAT_ON) {
        stat_of(next)->sp_low = next->stack_high;
        stat_of(next)->missed = stat_of(self)->missed;
        stat_of(next)->run = stat_of(self)->run;
    }
}

/* Lay down the block that is free as the task's next instance: not what others
 * may write to meanwhile (who joins, wakes and posts), nor what counts on. */
static void prepare(struct al_concurrent *c, struct al_task *next,
        const struct al_task *self, void (*entry)(void *))
{
    struct al_task_def *def = def_of(c, next);
    uintptr_t sp;

    def->prio = c->origin->prio;
    def->policy = c->origin->policy;
    next->def = def;
    next->next = next;
    next->prev = next;
    next->prio = (uint8_t)def->prio;
    next->base_prio = (uint8_t)def->prio;
    next->state = AL_TASK_READY;
    next->phase = 0;
    next->flags = (next->flags & (AL_FLAG_SPAWNED | AL_FLAG_HEAP)) |
                  AL_FLAG_CONCURRENT;
    next->window_restarts = self->window_restarts;
    next->window_start = self->window_start;
    next->timer.kind = AL_KIND_TASK;
    next->post.tag = AL_TAG(AL_KIND_TASK);
    next->stack_low = (uintptr_t)def->stack;
    next->stack_high = (uintptr_t)def->stack + def->stack_bytes;
    next->limit = task_limit(def);
    next->scopes = NULL;
    next->cause = AL_CAUSE_NONE;
    next->text = NULL;
    next->generation = self->generation;
    next->restarts = self->restarts;
    stat_begin(next, self);
    sp = task_copy_args(def);
    arch_task_prepare(next, sp, entry, (void *)sp);
}

/* The dying one's record leaves the ring, where a whole one stays that says what
 * is known by now. */
static struct al_crash_record *record_leave(
        struct al_concurrent *c, struct al_task *self)
{
    struct al_crash_record *shown = self->crash;

    crash_copy(&c->record, shown);
    self->crash = &c->record;
    AL_BARRIER();
    shown->heap_left = self->heap_bytes;
    crash_close(shown);
    return shown;
}

/* Names lead to `next` from here on, and so do wakes that have come. A handler
 * that comes in between wakes either: both are kept. */
static void rename_held(
        struct al_concurrent *c, struct al_task *next, struct al_task *self)
{
    *(struct al_task *volatile *)&c->live = next;
    AL_BARRIER();
    if (*(volatile uint32_t *)&self->woken != 0) {
        self->woken = 0;
        next->woken = 1;
    }
    c->dying = self;
}

/* `next` is the first of its level: a restart is no reason to queue up. */
static void begin_held(struct al_task *next)
{
    sched_insert_held(next);
    *sched_level_held(next->prio) = next;
}

/* The dying task, whose record is open, goes on as the one that was replaced, if
 * it may be. */
static void hand_over(struct al_task *self)
{
    struct al_concurrent *c = concurrent_of(self);
    struct al_crash_record *shown;
    struct al_task_def *def;
    struct al_task *next;

    if (c == NULL) {
        c = adopt(self);
    }
    if (c == NULL || c->dying != NULL || (self->flags & AL_FLAG_END) != 0 ||
            !recover_counts(self)) {
        return;
    }
    next = other(c, self);
    def = def_of(c, self);
    prepare(c, next, self, c->origin->entry);
    next->generation++;
    next->restarts++;
    shown = record_leave(c, self);
    softlock_take();
    if ((self->flags & AL_FLAG_END) != 0) {
        softlock_leave();
        shown->magic = 0; /* it is open again */
        self->crash = shown;
        return;
    }
    def->prio = DYING_PRIO;
    def->policy = &al_restart_replaced;
    rename_held(c, next, self);
    self->base_prio = DYING_PRIO;
    begin_held(next);
    inherit_update_held(self);
    softlock_clear();
    /* Not by a call: where a stack check trapped in a cleanup, this task has
     * floating-point registers that calls do not keep. */
    arch_pend_switch();
}

void recover_open(struct al_task *self, uint32_t phase, uintptr_t from)
{
    recover_open_alone(self, phase, from);
    hand_over(self);
}

/* ---- the end ---- */

/* The current task, an instance of `c`, is free from here on. */
AL_NORETURN static void leave_held(
        struct al_concurrent *c, struct al_task *self)
{
    kill_ends_held(self);
    sched_remove_held(self);
    self->prio = self->base_prio;
    self->state = AL_TASK_STOPPED;
    c->dying = NULL;
    /* It may be awake: it was told to end. */
    if (c->awaited && c->live->state == AL_TASK_HELD_BACK) {
        c->awaited = false;
        sched_wake_held(c->live);
    }
    (void)sched_give_way_held(AL_OK);
    __builtin_unreachable();
}

/* The instance that lives waits until the other is gone, which has its priority
 * meanwhile. */
static void await_dying(struct al_concurrent *c, struct al_task *self)
{
    softlock_take();
    while (c->dying != NULL) {
        def_of(c, c->dying)->prio = self->prio;
        c->dying->base_prio = self->prio;
        c->awaited = true;
        sched_remove_held(self);
        self->state = AL_TASK_HELD_BACK;
        inherit_update_held(c->dying);
        (void)sched_give_way_held(AL_OK);
        softlock_take();
    }
    softlock_leave();
}

static void end_first(void *args)
{
    (void)args;
    task_end();
}

/* Names, and who joins, are the first block's: the end is its. */
AL_NORETURN static void end_as_first(
        struct al_concurrent *c, struct al_task *self)
{
    struct al_task *first = first_of(c);

    prepare(c, first, self, end_first);
    softlock_take();
    first->flags |= AL_FLAG_END;
    rename_held(c, first, self);
    begin_held(first);
    leave_held(c, self);
}

/* `c` and the second stack are the application's again. */
static void unmark(struct al_concurrent *c, struct al_task *first)
{
    softlock_take();
    first->flags &= (uint8_t)~AL_FLAG_CONCURRENT;
    first->def = c->origin;
    c->origin = NULL;
    softlock_leave();
    softlock_forget(&c->second.post);
}

AL_NORETURN void task_end(void)
{
    struct al_task *self = al_core.current;
    struct al_concurrent *c = concurrent_of(self);

    if (c == NULL) {
        task_end_alone();
    }
    if (c->dying == self) {
        stray_end(self);
        crash_complete(&c->record);
        softlock_take();
        leave_held(c, self);
    }
    await_dying(c, self);
    if (self != first_of(c)) {
        stray_end(self);
        end_as_first(c, self);
    }
    unmark(c, self);
    task_end_alone();
}

#endif
