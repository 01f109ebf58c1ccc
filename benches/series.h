/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the bench measured: REPEAT figures for each key, and how they are
 * printed. tools/alula-bench reads
 *
 *     bench KEY min median max      instructions
 *     # done N                      N lines of that kind
 */

#include <alula/types.h>

#define REPEAT 16

/* SERIES(key, name in the results); docs/numbers.md says what each counts. */
#define SERIES_KEYS(SERIES)                        \
  SERIES(YIELD_SWITCH, yield_switch)               \
  SERIES(SEM_GIVE_WAKE, sem_give_wake)             \
  SERIES(SEM_TAKE_BLOCK, sem_take_block)           \
  SERIES(SEM_ROUND_TRIP, sem_round_trip)           \
  SERIES(SEM_GIVE, sem_give)                       \
  SERIES(SEM_TAKE, sem_take)                       \
  SERIES(MUTEX_LOCK, mutex_lock)                   \
  SERIES(MUTEX_UNLOCK, mutex_unlock)               \
  SERIES(MUTEX_INHERIT, mutex_inherit)             \
  SERIES(MUTEX_HANDOVER, mutex_handover)           \
  SERIES(QUEUE_SEND, queue_send)                   \
  SERIES(QUEUE_RECV, queue_recv)                   \
  SERIES(IRQ_ENTRY, irq_entry)                     \
  SERIES(IRQ_RETURN, irq_return)                   \
  SERIES(IRQ_ENTRY_CHECKED, irq_entry_checked)     \
  SERIES(IRQ_RETURN_CHECKED, irq_return_checked)   \
  SERIES(IRQ_TO_TASK, irq_to_task)                 \
  SERIES(IRQ_ROUND_TRIP, irq_round_trip)           \
  SERIES(TICK_IDLE, tick_idle)                     \
  SERIES(TICK_WAKE, tick_wake)                     \
  SERIES(TASK_CREATE, task_create)                 \
  SERIES(DEFER, defer)                             \
  SERIES(UNWIND_FRAME, unwind_frame)               \
  SERIES(UNWIND_SCOPE, unwind_scope)               \
  SERIES(PANIC_TO_RESTART, panic_to_restart)       \
  SERIES(FAULT_TO_RESTART, fault_to_restart)       \
  SERIES(OVERFLOW_TO_RESTART, overflow_to_restart) \
  SERIES(IRQ_PANIC_RETURN, irq_panic_return)       \
  SERIES_OF_KILLS(SERIES)

/* In an image of its own: a death costs more where tasks are killed. */
#ifdef BENCH_KILLS
#  define SERIES_OF_KILLS(SERIES)            \
    SERIES(KILL_TO_RESTART, kill_to_restart) \
    SERIES(KILL_BUSY_TO_RESTART, kill_busy_to_restart)
#else
#  define SERIES_OF_KILLS(SERIES)
#endif

#define SERIES_ENUM_(key, name) key,
enum series_key {
    SERIES_KEYS(SERIES_ENUM_) SERIES_COUNT
};

/* Notes one figure; of those after the first REPEAT of its key, none. */
void series_add(enum series_key key, uint32_t insns);

/* The same for what was counted since COUNT_OPEN(). */
void series_close(enum series_key key, uint32_t to);

/* Prints all; ends the program if one is not measured REPEAT times. */
void series_report(void);
