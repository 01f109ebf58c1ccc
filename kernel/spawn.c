/* SPDX-License-Identifier: MIT */
/*
 * Tasks made at run time, and waiting for the end of a task.
 *
 * A control block from the heap is never given back: it stands in a list of
 * free ones and becomes a task again. So an id, a block's address and a count,
 * can always be looked at, whatever became of the task it named. The stack is
 * given back by the task itself, as the last thing it does.
 *
 * Not here: ending another task.
 */
#include "arch.h"
#include "core/wait.h"
#include "heap.h"
#include "inherit.h"
#include "panic.h"
#include "sched.h"
#include "softlock.h"
#include "stat.h"
#include "task.h"
#include "time.h"

static struct {
    struct al_spawn *first; /* that live; under the lock */
    struct al_spawn *last;
    struct al_spawn *free; /* from the heap, linked by `next`; under the lock */
} spawned __attribute__((section(".bss.alula.state")));

/* The most that the heap has in one block: sums with it do not wrap. */
#define STACK_MOST 0x800000u

static struct al_spawn *spawn_of(struct al_task *task)
{
    return (struct al_spawn *)(void *)task;
}

struct al_task *spawn_next(const struct al_task *before)
{
    struct al_spawn *next = spawned.first;

    if (before != NULL && (before->flags & AL_FLAG_SPAWNED) != 0) {
        if (before->state == AL_TASK_STOPPED) {
            return NULL; /* its link is that of the free ones */
        }
        next = ((const struct al_spawn *)(const void *)before)->next;
    }
    return next == NULL ? NULL : &next->task;
}

static void enlist_held(struct al_spawn *spawn)
{
    spawn->next = NULL;
    spawn->prev = spawned.last;
    if (spawned.last != NULL) {
        spawned.last->next = spawn;
    } else {
        spawned.first = spawn;
    }
    spawned.last = spawn;
}

static void delist_held(struct al_spawn *spawn)
{
    if (spawn->prev != NULL) {
        spawn->prev->next = spawn->next;
    } else {
        spawned.first = spawn->next;
    }
    if (spawn->next != NULL) {
        spawn->next->prev = spawn->prev;
    } else {
        spawned.last = spawn->prev;
    }
    spawn->next = NULL;
}

static void memory_return_held(struct al_spawn *spawn)
{
    delist_held(spawn);
    if ((spawn->task.flags & AL_FLAG_HEAP) != 0) {
        (void)heap_free_held(spawn->block);
        spawn_empty_held(&spawn->task);
    }
}

/* Who finds the id stale may make another task in this memory: nobody runs who
 * could, before all of it has ended. */
void spawn_ends_held(struct al_task *self)
{
    sched_set_prio_held(self, AL_PRIO_LEVELS - 1);
}

void spawn_end_held(struct al_task *self)
{
    struct al_task *joiner;

    softlock_leave(); /* task_end() made it the most urgent one */
    do {
        softlock_take();
        joiner = wait_first_held(&self->joiners);
        if (joiner != NULL) {
            wait_remove_held(joiner);
            sched_wake_held(joiner);
        }
        (void)softlock_leave_and_switch(AL_OK);
    } while (joiner != NULL);
    softlock_take();
    if ((self->flags & AL_FLAG_SPAWNED) != 0) {
        self->state = AL_TASK_STOPPED;
        memory_return_held(spawn_of(self));
    }
}

/* What a task left on the heap names its control block as the owner: that waits
 * for the last of it. */
void spawn_empty_held(struct al_task *task)
{
    struct al_spawn *spawn = spawn_of(task);

    if (task->heap_bytes == 0 && task->state == AL_TASK_STOPPED &&
            (task->flags & AL_FLAG_HEAP) != 0) {
        spawn->next = spawned.free;
        spawned.free = spawn;
    }
}

/* Clears the control block, but for the counts that ids and records go by, and
 * what a task that had this memory left on the heap. */
static void clear(struct al_spawn *spawn)
{
    uint32_t spawns = spawn->task.spawns;
    uint32_t generation = spawn->task.generation;
    uint32_t heap_bytes = spawn->task.heap_bytes;

    arch_clear(spawn, sizeof(*spawn));
    spawn->task.spawns = spawns;
    spawn->task.generation = generation;
    spawn->task.heap_bytes = heap_bytes;
}

static void begin(struct al_spawn *spawn, const struct al_task_params *params,
        const void *args, char *stack, uint8_t flags)
{
    struct al_task_def *def = &spawn->def;

    def->task = &spawn->task;
    def->name = params->name == NULL ? "?" : params->name;
    def->entry = params->entry;
    def->args = args;
    def->args_bytes = params->args_bytes;
    def->stack = stack;
    def->stack_bytes = params->stack_bytes;
    def->prio = params->prio;
    def->policy = params->policy == NULL ? &al_restart_default : params->policy;
    spawn->task.flags = flags | AL_FLAG_SPAWNED;
    task_prepare(&spawn->task, def);
}

/* The task is whole: let it run, unless it is to begin suspended. */
static struct al_task_id release(struct al_spawn *spawn, bool suspended)
{
    struct al_task_id id = {&spawn->task, spawn->task.spawns};

    softlock_take();
    enlist_held(spawn);
    if (suspended) {
        spawn->task.flags |= AL_FLAG_SUSPENDED;
    } else {
        sched_insert_held(&spawn->task);
    }
    (void)softlock_leave_and_switch(AL_OK);
    return id;
}

static void must_be_right(const struct al_task_params *params)
{
    size_t least = arch_stack_reserve() + STAT_BYTES + AL_CFG_CLEANUP_STACK +
                   params->args_bytes + AL_STACK_LEAST_USE;

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 4, params->prio > 0 && params->prio < AL_PRIO_LEVELS);
    CALLER_MUST(TASK, 5,
            params->entry != NULL && params->stack_bytes % 8 == 0 &&
                    params->stack_bytes <= STACK_MOST &&
                    params->args_bytes <= params->stack_bytes &&
                    (params->args_bytes == 0 || params->args != NULL) &&
                    params->stack_bytes >= least);
}

void al_task_create(struct al_spawn *memory,
        const struct al_task_params *params, struct al_task_id *id)
{
    struct al_task_id made;

    must_be_right(params);
    CALLER_MUST(TASK, 5,
            params->stack != NULL && (uintptr_t)params->stack % 8 == 0);
    CALLER_MUST(TASK, 6,
            memory->task.spawns % 2 == 0 || !task_is_known(&memory->task));
    clear(memory);
    begin(memory, params, params->args, params->stack, 0);
    made = release(memory, params->suspended);
    if (id != NULL) {
        *id = made;
    }
}

/* A control block: one that was used before, or a new one. */
static struct al_spawn *block_take(void)
{
    struct al_spawn *spawn;

    softlock_take();
    spawn = spawned.free;
    if (spawn != NULL) {
        spawned.free = spawn->next;
    }
    softlock_leave();
    if (spawn == NULL) {
        spawn = heap_alloc(NULL, sizeof(*spawn));
        if (spawn != NULL) {
            spawn->task.spawns = 0;
            spawn->task.generation = 0;
            spawn->task.heap_bytes = 0;
        }
    }
    return spawn;
}

static void block_return(struct al_spawn *spawn)
{
    softlock_take();
    spawn->next = spawned.free;
    spawned.free = spawn;
    softlock_leave();
}

al_status al_task_spawn(
        const struct al_task_params *params, struct al_task_id *id)
{
    uint32_t args_room;
    struct al_spawn *spawn;
    struct al_task_id made;
    const volatile char *from;
    char *block;

    must_be_right(params);
    CALLER_MUST(TASK, 5, params->stack == NULL);
    args_room = (params->args_bytes + 7) & ~7u;
    from = (const volatile char *)params->args;
    /* Arguments that are no memory end the caller here: nothing is taken yet. */
    for (uint32_t i = 0; i < params->args_bytes; i++) {
        (void)from[i];
    }
    spawn = block_take();
    if (spawn == NULL) {
        return AL_E_MEMORY;
    }
    block = heap_alloc(NULL, params->stack_bytes + args_room);
    if (block == NULL) {
        block_return(spawn);
        return AL_E_MEMORY;
    }
    for (uint32_t i = 0; i < params->args_bytes; i++) {
        block[i] = from[i];
    }
    clear(spawn);
    spawn->block = block;
    begin(spawn, params, block, block + args_room, AL_FLAG_HEAP);
    made = release(spawn, params->suspended);
    if (id != NULL) {
        *id = made;
    }
    return AL_OK;
}

bool spawn_cancel_held(struct al_task *task)
{
    wait_remove_held(task);
    return true;
}

al_status al_task_join(struct al_task_id id, al_time deadline)
{
    bool past = deadline != AL_FOREVER && time_is_past(deadline);

    CALLER_MUST(TASK, 1, !arch_in_handler());
    CALLER_MUST(TASK, 3, task_id_is_sane(id));
    CALLER_MUST(TASK, 6,
            id.task != task_named(al_core.current) || !task_id_lives(id));
    softlock_take();
    if (!task_id_lives(id) || past) {
        bool lives = task_id_lives(id);

        softlock_leave();
        return lives ? AL_E_TIMEOUT : AL_OK;
    }
    time_wait_held(&id.task->joiners, AL_KIND_JOIN, deadline);
    return sched_give_way_held(AL_OK);
}
