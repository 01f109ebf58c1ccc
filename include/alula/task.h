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
    AL_TASK_READY = 0,      /* in the ready queue; the first one runs */
    AL_TASK_WAITING,        /* for an object, or asleep */
    AL_TASK_HELD_BACK,      /* died too often; restarts after its back-off */
    AL_TASK_STOPPED,        /* entry returned, or its policy gave it up */
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
    uint16_t budget;   /* restarts at once per window; 0xffff: no limit */
    uint16_t back_off; /* ticks of the first back-off; doubles up to 64 times */
    uint32_t window;   /* ticks */
    uint32_t exhausted; /* enum al_exhausted */
};

/* The policy of a task that states none: 16 in a second, then 100 ticks. */
extern const struct al_restart_policy al_restart_default;

/* A node of the timer tree; belongs to the kernel. */
struct al_timer {
    al_time when;            /* absolute, ticks */
    struct al_timer *up;     /* NULL at the root, and when not in the tree */
    struct al_timer *sub[2]; /* due no earlier than this one */
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

/*
 * The control block. Fields belong to the kernel; read them through
 * al_task_read(). Where no line says otherwise: written under the kernel lock.
 */
struct al_task {
    /* The port's assembly knows these by their offset. */
    void *sp;                /* saved context; stale while the task runs */
    uintptr_t limit;         /* stack limit while it runs; the task's alone */
    struct al_scope *scopes; /* newest scope or lock; the task's alone */
    uintptr_t stack_low;     /* lowest byte of the stack; const */
    uintptr_t stack_high;    /* one past the highest; const */
    struct arch_death death; /* machine state at its death, and stack walk */

    /* Ready ring or waiting ring: a task is in exactly one, or in none. */
    struct al_task *next;
    struct al_task *prev;
    struct al_waitq *waitq;    /* what it waits in; NULL: none */
    struct al_task *ring_next; /* first of the next less urgent ring */
    struct al_task *
            *ring_link;     /* what points to it if it is a first; or NULL */
    struct al_mutex *wants; /* mutex it waits for; NULL: none */
    struct al_timer timer;  /* its sleep, or its back-off */

    uint8_t prio;      /* effective; the level it is queued at */
    uint8_t base_prio; /* its own, without inheritance; const */
    uint8_t state;     /* enum al_task_state */
    uint8_t phase;     /* enum recover_phase; the task's alone */

    const struct al_task_def *def;
    uint32_t generation; /* starts so far */
    uint32_t restarts;   /* starts after a death */
    uint32_t heap_bytes; /* in live blocks that it allocated */

    /* Restart policy: the window's begin, restarts in it, back-offs in a row. */
    al_time window_start;
    uint16_t window_restarts;
    uint16_t back_offs;
    struct al_crash_record *crash; /* being written; NULL: not dying */

    uintptr_t recover_sp; /* where recovery goes on after user code */

    /* What a panic says of itself; moves into the crash record. */
    uint32_t cause; /* enum al_cause; NONE: the processor knows better */
    uint32_t detail[2];
    const char *text;

    uintptr_t tls; /* thread pointer, where the image has thread-local data */
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
    uint32_t ready_map;      /* bit p set: level p is not empty; locked */
    /* First of each level, the most urgent level first; locked. */
    struct al_task *ready[AL_PRIO_LEVELS];
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
};

/**
 * Walk the image's tasks.
 *
 * @param[in] before  NULL for the first
 * @context   any
 * @return    the task after `before`; NULL after the last
 */
struct al_task *al_task_next(const struct al_task *before);

/**
 * Read a task's state.
 *
 * @param[in]  task  one of the image's
 * @param[out] info  filled in
 * @context   task
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
