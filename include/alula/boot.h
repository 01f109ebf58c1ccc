/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Safe mode: a board that restarts again and again starts with less.
 *
 *     AL_BOOT_GUARD(3, 10000);
 *     AL_TASK_UNSAFE(radio, radio_main, 5, 2048, &al_restart_default);
 *
 * Each start of the board is counted, in memory that survives a reset; a stable
 * run of so many ticks makes the count 0. When more starts than the guard allows
 * followed each other without one, the board is in safe mode until its next
 * start, and tasks that are defined with AL_TASK_UNSAFE do not begin.
 *
 * Starts are counted, not resets: whatever led to one counts, a policy, a
 * supervisor, the kernel stop, a watchdog that gives no warning, a reset line.
 * Who restarts the board on purpose calls al_boot_is_well() before. The count is
 * lost with the memory's power. A board that dies before its first task, in
 * board_start() or a handler, has not counted that start.
 */

#include <alula/task.h>

AL_EXTERN_C_BEGIN

enum al_boot {
    AL_BOOT_NORMAL,
    AL_BOOT_SAFE,
};

/**
 * Tell the mode of this start. It does not change until the next one.
 *
 * @context   any
 * @return    the mode; normal also without an AL_BOOT_GUARD, and before its task
 *            has run
 */
enum al_boot al_boot_mode(void);

/**
 * Count the starts in a row, this one included, without a stable run.
 *
 * @context   any
 * @return    0 after a stable run
 */
uint32_t al_boot_count(void);

/**
 * Forget the starts so far, as a stable run does.
 *
 * @context   any
 */
void al_boot_is_well(void);

struct al_boot_limits {
    uint32_t starts;
    uint32_t stable_ticks;
};

/* Where the guard's task starts. */
void __al_boot_guard(struct al_boot_limits *limits);

/**
 * Guard against starts in a loop, once per image. Costs a task of 640 bytes of
 * stack at the highest priority, which ends after the stable run: leave that
 * level to it, so that nothing runs before the start is counted.
 *
 * @param starts        in a row without a stable run; one more is safe mode
 * @param stable_ticks  of a stable run
 */
#define AL_BOOT_GUARD(starts, stable_ticks)                             \
  AL_TASK_ARGS(al_boot_guard, __al_boot_guard, AL_PRIO_LEVELS - 1, 640, \
          &al_restart_default, struct al_boot_limits, {starts, stable_ticks})

/* As AL_TASK_POLICY, for a task that does not begin in safe mode: it has ended
 * as soon as it is its turn. */
#define AL_TASK_UNSAFE(label, function, prio, stack_bytes, policy) \
  static void AL_CONCAT(label, _unless_safe)(void)                 \
  {                                                                \
    if (al_boot_mode() == AL_BOOT_NORMAL) {                        \
      function();                                                  \
    }                                                              \
  }                                                                \
  AL_TASK_POLICY(                                                  \
          label, AL_CONCAT(label, _unless_safe), prio, stack_bytes, policy)

AL_EXTERN_C_END
