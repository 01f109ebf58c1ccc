/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How a task, or a handler, ends itself. A panic ends the calling task, not the device: what
 * it registered is undone, newest first, and it starts again as its policy
 * says. Stack overflow, faults and the compiler's own checks take the same way.
 */

#include <alula/types.h>

AL_EXTERN_C_BEGIN

/**
 * End the calling task.
 *
 * @param[in] why  for humans, ends up in the crash record; must be constant
 *                 text in flash
 * @context   task, irq: in a handler made by AL_IRQ or AL_IRQ_RAW, it ends that
 *            handler alone (irq.h)
 * @unwind    this is how it begins
 */
AL_NORETURN void al_panic(const char *why);

/**
 * Restart the board.
 *
 * @context   any
 */
AL_NORETURN void al_reset(void);

/* What a failed AL_ASSERT calls; `where` is "file:line: condition". */
AL_NORETURN void al_assert_failed(const char *where);

#define AL_STRING_(x) #x
#define AL_STRING(x)  AL_STRING_(x)

/**
 * End the calling task unless `cond` holds. Stays in release builds.
 */
#define AL_ASSERT(cond)                                              \
  do {                                                               \
    if (!(cond)) {                                                   \
      al_assert_failed(__FILE__ ":" AL_STRING(__LINE__) ": " #cond); \
    }                                                                \
  } while (0)

AL_EXTERN_C_END
