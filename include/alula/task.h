/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Tasks: defined at build time with AL_TASK, started at boot, restarted when
 * they die.
 *
 *   ready <-> running -> waiting -> ready        while it lives
 *   running -> recovering -> ready               it died; its scopes are undone
 *   recovering -> held back -> ready             its restart budget is spent
 *   recovering -> stopped                        its policy says so, or its
 *                                                entry returned
 *
 * The entry gets a fresh copy of its original arguments at each start. What it
 * keeps in static variables outlives it; what it registered (scope.h, mutex.h,
 * heap.h) does not.
 */

#include <alula/status.h>
#include <alula/time.h>
#include <alula/types.h>
#include <alula/wait.h>

#include <arch/port.h>

AL_EXTERN_C_BEGIN

struct al_scope;
struct al_mutex;
struct al_crash_record;

enum al_task_state {
    AL_TASK_READY = 0, /* in the ready queue; the first one runs */
    AL_TASK_WAITING,   /* for an object, or asleep */
    AL_TASK_HELD_BACK, /* died too often; restarts after its back-off */
    AL_TASK_STOPPED,   /* entry returned, or its policy gave it up */
    AL_TASK_SUSPENDED, /* as al_task_read() tells it: see al_task_suspend */
    AL_TASK_RECOVERING = 8, /* died; its scopes are being undone */
};

/* What happens when a task dies more often than its policy allows at once. */
enum al_exhausted {
    AL_EXHAUSTED_BACK_OFF, /* wait back_off ticks, doubled each time, then go on */
    AL_EXHAUSTED_STOP,     /* the task stays stopped */
    AL_EXHAUSTED_RESET,    /* the board restarts */
};

/* How often a task may restart at once, and what comes then. */
struct al_restart_policy {
    uint16_t budget; /* restarts at once per window; 0xfff9 or more: no limit */
    uint16_t back_off; /* ticks of the first back-off; doubles up to 64 times */
    uint32_t window;   /* ticks */
    uint32_t exhausted; /* enum al_exhausted */
};

/* The policy of a task that states none: 16 in a second, then 100 ticks. */
extern const struct al_restart_policy al_restart_default;

/* A node of the timer tree; belongs to the kernel. */
struct al_timer_node {
    al_time when;                 /* absolute, ticks */
    struct al_timer_node *up;     /* NULL at the root, and outside the tree */
    struct al_timer_node *sub[2]; /* due no earlier than this one */
    uint32_t kind; /* enum al_kind of what it is part of; const */
};

/* What a task is made of at build time; in flash. */
struct al_task_def {
    struct al_task *task;
    const char *name;
    void (*entry)(void *args);
    const void *args; /* original arguments; copied at each start */
    uint32_t args_bytes;
    char *stack; /* lowest byte; 8-aligned */
    uint32_t stack_bytes;
    al_prio prio;
    const struct al_restart_policy *policy;
};

/* Bits of a task's flags. */
#define AL_FLAG_TIMED     1u  /* its timer is in the tree */
#define AL_FLAG_SUSPENDED 2u  /* kept from running, whatever its state */
#define AL_FLAG_SPAWNED   4u  /* made at run time */
#define AL_FLAG_HEAP      8u  /* its memory goes back to the heap at its end */
#define AL_FLAG_END       16u /* it ends instead of a restart */
#define AL_FLAG_DOOMED    32u /* killed, or dying: kernel/kill.c looks after it */
#define AL_FLAG_CONCURRENT \
  64u /* its definition is part of a struct al_instance (concurrent.h) */

/*
 * The control block. Fields belong to the kernel; read them through
 * al_task_read(). Where no line says otherwise: written under the kernel lock.
 */
struct al_task {
    struct al_timer_node timer; /* its sleep, deadline, or back-off */

    uint8_t prio;      /* effective; the level it is queued at */
    uint8_t base_prio; /* its own, without inheritance */
    uint8_t state;     /* enum al_task_state */
    uint8_t phase;     /* enum recover_phase, RECOVER_USER; its own alone */
    uint8_t wait;      /* enum al_kind of what it waits for, or waited */
    uint8_t flags;     /* AL_FLAG_... */

    /* Restart policy: restarts in the window that began at window_start, and
     * when they are exhausted, back-offs in a row. */
    uint16_t window_restarts;

    /* The port's assembly knows these by their offset. */
    void *sp;                /* saved context; stale while the task runs */
    uintptr_t limit;         /* stack limit while it runs; the task's alone */
    struct al_scope *scopes; /* newest scope or lock; the task's alone */
    uintptr_t stack_low;     /* lowest byte of the stack; const */
    uintptr_t stack_high;    /* one past the highest; const */

    const struct al_task_def *def;

    /* Ready ring or waiting ring: a task is in exactly one, or in none. */
    struct al_task *next;
    struct al_task *prev;
    struct al_waitq *waitq;    /* what it waits in; NULL: none */
    struct al_task *ring_next; /* first of the next less urgent ring */
    struct al_task *
            *ring_link; /* what points to it if it is a first; or NULL */

    struct al_crash_record *crash; /* being written; NULL: not dying */
    uintptr_t recover_sp;          /* where recovery goes on after user code */
    uint32_t heap_bytes;           /* in live blocks that it allocated */
    uint32_t generation;           /* starts so far */
    uint32_t restarts;             /* starts after a death */
    uint32_t spawns; /* times this block was made a task; of its id */

    struct al_post post; /* it is to be woken from where it parks */

    /* What a panic says of itself; moves into the crash record. */
    uint32_t cause; /* enum al_cause; NONE: the processor knows better */
    uint32_t detail[2];
    const char *text;

    /* What many functions use is above, within reach of short instructions. */
    struct arch_death death; /* machine state at its death, and stack walk */

    struct al_mutex *wants;     /* mutex it waits for; NULL: none */
    struct al_mutex *contended; /* it holds, others wait; most urgent first */
    uintptr_t wanted[2];        /* what it waits for, in its object's terms */
    uint32_t woken;             /* atomic; 1: parking returns at once */
    struct al_waitq joiners;    /* tasks that wait for its end */
    al_time window_start;
    struct al_task *doomed; /* next in the ring of those that are killed, or
                               die; NULL: in no ring */
    uintptr_t tls; /* thread pointer, where the image has thread-local data */
};

/*
 * Memory of a task that is made at run time. Fields belong to the kernel; the
 * definition stands right behind the control block.
 */
struct al_spawn {
    struct al_task task;
    struct al_task_def def;
    struct al_spawn *next; /* of those that live */
    struct al_spawn *prev;
    void *block; /* from the heap: arguments and stack; NULL: not from there */
};

/*
 * Names a task for as long as it lives, restarts included: when it has ended,
 * the id is stale, also if another task has its memory by then. All zeros names
 * no task.
 */
struct al_task_id {
    struct al_task *task;
    uint32_t spawn; /* the task's `spawns` when it was made */
};

/*
 * The kernel's shared words; the port's assembly knows their offsets. In a
 * header because al_task_self() is part of every scope, and a call would cost
 * more than the scope.
 */
struct al_core {
    struct al_task *current; /* the running task, also inside interrupts */
    uint32_t locked;         /* the kernel lock */
    struct al_post *inbox;   /* newest post; atomic */
    uint32_t ready_map;      /* which levels are not empty; locked: sched.h */
    /* First of each level, the most urgent level first; locked. As many as
     * there are levels: no part of the layout that an application sees. */
    __extension__ struct al_task *ready[];
};

extern struct al_core al_core;

/**
 * Name the running task.
 *
 * @context   task; in an interrupt handler: the interrupted task
 * @cost      2 instructions
 */
AL_INLINE struct al_task *al_task_self(void)
{
    return al_core.current;
}

/**
 * Let the next task of the same priority run; the caller queues up behind it.
 *
 * @context   task; may switch
 * @panics    TASK.1  called from an interrupt handler
 * @cost      constant; docs/numbers.md#yield_switch
 */
void al_yield(void);

/**
 * Called by the idle task, again and again, before it waits for an interrupt.
 * The application's to define; there is none by default.
 *
 * @context   idle, on AL_CFG_IDLE_STACK bytes; must not wait
 * @unwind    the idle task starts anew
 */
void al_idle_hook(void);

/**
 * Name a task.
 *
 * @param[in] task  AL_TASK's label, or from al_task_next()
 * @context   task
 * @panics    TASK.3  it is none
 */
struct al_task_id al_task_id_of(const struct al_task *task);

/**
 * Name the calling task.
 *
 * @context   task
 */
struct al_task_id al_task_id_self(void);

/**
 * Change a task's own priority. What it inherits stays.
 *
 * Its place afterwards: the running task is the first of its new level (if it
 * is not the most urgent any more, it is preempted there); one that is ready is
 * the last, but the first if it was the first before; one that waits stands
 * behind its new equals, and whoever holds what it waits for is raised or
 * lowered. A restart begins at the priority of the task's definition, or at the
 * one that is set while the task's policy holds it back.
 *
 * @param[in] prio  1 .. AL_PRIO_LEVELS-1
 * @context   task; may switch
 * @return    AL_OK       changed
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @panics    TASK.4  priority out of range
 * @cost      constant; for one that waits a step per distinct priority, and per
 *            link of the chain of holders
 */
al_status al_task_set_prio(struct al_task_id id, al_prio prio);

/**
 * Keep a task from running, until al_task_resume(). What it waits for may come
 * meanwhile, its deadlines pass, and others inherit from it: it only does not
 * run. It is not counted: two of them end with one al_task_resume().
 *
 * @context   task; may switch (a task may suspend itself)
 * @return    AL_OK       suspended, or was so before
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @unwind    what it holds stays held: suspend no task that holds a lock
 * @cost      constant
 */
al_status al_task_suspend(struct al_task_id id);

/**
 * Let a suspended task run again: as the last of its level, if it is ready.
 *
 * @context   task; may switch
 * @return    AL_OK       it runs when its turn comes
 * @return    AL_E_STATE  it was not suspended
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @cost      constant
 */
al_status al_task_resume(struct al_task_id id);

/**
 * Wait for a word from al_task_wake(). One that came since the last time counts
 * and is used up: a wake is never lost, and two are as one.
 *
 * @param[in] deadline  see time.h
 * @context   task; may switch, waits
 * @return    AL_OK         woken
 * @return    AL_E_TIMEOUT  the deadline passed first
 * @panics    TASK.1  called from an interrupt handler
 * @cost      constant; with a deadline at most 32 steps through the timer tree
 */
al_status al_task_park(al_time deadline);

/**
 * Wake a task from where it parks, or will.
 *
 * @context   task; may switch
 * @return    AL_OK       woken
 * @return    AL_E_STALE  it has ended
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @cost      constant
 */
al_status al_task_wake(struct al_task_id id);

/**
 * The same, from an interrupt handler of any priority at any moment.
 *
 * @context   irq
 * @return    AL_OK       woken
 * @return    AL_E_STALE  it has ended, or is no task
 * @cost      constant
 */
al_status al_irq_task_wake(struct al_task_id id);

/* What a task that is made at run time is made of. */
struct al_task_params {
    const char *name; /* constant text; NULL: "?" */
    void (*entry)(void *args);
    const void *args; /* copied at each start; NULL with args_bytes 0 */
    uint32_t args_bytes;
    char *stack; /* al_task_create(): 8-aligned; al_task_spawn(): NULL */
    uint32_t stack_bytes; /* a multiple of 8, up to 8 MiB; the kernel's reserve
                           * included */
    al_prio prio;         /* 1 .. AL_PRIO_LEVELS-1 */
    bool suspended;       /* begins so: al_task_resume() lets it run */
    const struct al_restart_policy *policy; /* NULL: al_restart_default */
};

/* A stack has at least so much beside the kernel's reserve, the cleanups' part
 * and the arguments. */
#define AL_STACK_LEAST_USE 128u

/**
 * Make a task in memory of the caller's. When its entry returns, or its policy
 * gives it up, it has ended, and the memory may be used again.
 *
 * @param[out] memory   all zeros, or of a task that has ended; the task's until
 *                      it ends
 * @param[in] params    args and stack are used in place until it ends; the rest
 *                      is copied
 * @param[out] id       its name; may be NULL
 * @context   task; may switch
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.4  priority out of range
 * @panics    TASK.5  entry, stack or arguments make no sense
 * @panics    TASK.6  the memory is that of a task that lives
 * @cost      linear in the arguments' bytes; docs/numbers.md#task_create
 */
void al_task_create(struct al_spawn *memory,
        const struct al_task_params *params, struct al_task_id *id);

/**
 * Make a task with a stack from the heap, which has it back when the task ends.
 *
 * @param[in] params  all of it is copied, the arguments' bytes, too
 * @param[out] id     its name; may be NULL
 * @context   task; may switch
 * @return    AL_OK        it runs when its turn comes
 * @return    AL_E_MEMORY  the heap has no such block
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.4  priority out of range
 * @panics    TASK.5  entry, stack or arguments make no sense
 * @unwind    the task does not end with the one that made it; arguments that
 *            are no memory end the caller before anything is taken
 * @cost      linear in the arguments' bytes, two allocations
 */
AL_MUST_USE al_status al_task_spawn(
        const struct al_task_params *params, struct al_task_id *id);

/**
 * Wait until a task has ended: its entry returned, or its policy gave it up. A
 * restart is no end.
 *
 * @param[in] deadline  see time.h
 * @context   task; may switch, waits
 * @return    AL_OK         it has ended, now or long ago
 * @return    AL_E_TIMEOUT  it still lives
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @panics    TASK.6  the caller itself
 * @cost      as al_sem_take_until()
 */
AL_MUST_USE al_status al_task_join(struct al_task_id id, al_time deadline);

struct al_task_info {
    const char *name;
    al_prio prio;      /* effective */
    al_prio base_prio; /* its own */
    enum al_task_state state;
    size_t stack_used;  /* bytes in use when it last gave way, or now */
    size_t stack_limit; /* bytes that it may use */
    uint32_t restarts;
    uint32_t generation;
    uint32_t heap_bytes;
    uint32_t mutexes; /* held now */
    /* Statistics: 0 where the option is off. */
    uint64_t run_counts; /* AL_CFG_STAT_RUNTIME: ran so long, interrupts that
                            came meanwhile included; BOARD_COUNTER_HZ a second */
    size_t stack_peak; /* AL_CFG_STAT_STACK: the most bytes in use at a switch,
                            or now; between two switches it may have been more */
    uint32_t missed; /* AL_CFG_STAT_DEADLINES: waits that ended by AL_E_TIMEOUT,
                        releases that al_period_wait() found missed */
    uint32_t unwinding; /* enum al_cause of the instance before this one, which
                           is being cleaned up still (concurrent.h); or NONE */
};

/**
 * Walk the tasks: the image's, in the order of their definitions, then those
 * made at run time that live, oldest first. One that ends during the walk ends
 * the walk, perhaps early.
 *
 * @param[in] before  NULL for the first
 * @context   any
 * @return    the task after `before`; NULL after the last
 * @panics    TASK.3  `before` is no task
 */
struct al_task *al_task_next(const struct al_task *before);

/**
 * Read a task's state.
 *
 * @param[in]  task  from AL_TASK or al_task_next()
 * @param[out] info  filled in
 * @context   task
 * @panics    TASK.1  called from an interrupt handler
 * @panics    TASK.3  no task
 * @cost      constant, and a step per mutex that the task holds
 */
void al_task_read(const struct al_task *task, struct al_task_info *info);

/* Common part of the AL_TASK macros. */
#define AL_TASK_DEFINE_(label, entry, args, bytes, prio, stack_bytes, policy) \
  AL_STATIC_ASSERT((prio) > 0 && (prio) < AL_PRIO_LEVELS,                     \
          "a task's priority is 1 .. AL_PRIO_LEVELS-1");                      \
  AL_STATIC_ASSERT((stack_bytes) % 8 == 0, "a stack is a multiple of 8");     \
  AL_STATIC_ASSERT((stack_bytes) >= 512,                                      \
          "a stack holds the kernel's reserve: at least 512 bytes");          \
  static char AL_CONCAT(label, _stack)[stack_bytes]                           \
          __attribute__((aligned(8), section(".noinit.alula.stacks")));       \
  struct al_task label __attribute__((section(".bss.alula.tasks")));          \
  extern const struct al_task_def AL_CONCAT(label, _def);                     \
  const struct al_task_def AL_CONCAT(label, _def) __attribute__((             \
          section(".alula.taskdefs"), used)) = {&label, #label, entry, args,  \
          bytes, AL_CONCAT(label, _stack), stack_bytes, prio, policy}

/**
 * Define a task without arguments, started at boot.
 *
 * @param label        the name: of a struct al_task, and for humans
 * @param function     void (*)(void); where it starts and restarts
 * @param prio         1 .. AL_PRIO_LEVELS-1, constant
 * @param stack_bytes  all of its stack, the kernel's reserve included
 */
#define AL_TASK(label, function, prio, stack_bytes) \
  AL_TASK_POLICY(label, function, prio, stack_bytes, &al_restart_default)

/* The same, with a restart policy: const struct al_restart_policy *. */
#define AL_TASK_POLICY(label, function, prio, stack_bytes, policy) \
  static void AL_CONCAT(label, _start)(void *args)                 \
  {                                                                \
    (void)args;                                                    \
    function();                                                    \
  }                                                                \
  AL_TASK_DEFINE_(                                                 \
          label, AL_CONCAT(label, _start), NULL, 0, prio, stack_bytes, policy)

/**
 * Define a task with arguments, started at boot.
 *
 * @param function  void (*)(type *args); gets a fresh copy of the original
 *                  arguments at each start, on its own stack
 * @param type      of the arguments
 * @param ...       their values: a braced initializer of `type`
 */
#define AL_TASK_ARGS(label, function, prio, stack_bytes, policy, type, ...)  \
  static const type AL_CONCAT(label, _args) = __VA_ARGS__;                   \
  static void AL_CONCAT(label, _start)(void *args)                           \
  {                                                                          \
    function((type *)args);                                                  \
  }                                                                          \
  AL_TASK_DEFINE_(label, AL_CONCAT(label, _start), &AL_CONCAT(label, _args), \
          sizeof(type), prio, stack_bytes, policy)

AL_EXTERN_C_END
