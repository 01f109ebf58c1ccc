/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The two kinds of broken rule, by whose mistake it is. CALLER_MUST ends the
 * calling task; KERNEL_MUST stops the kernel. Both stay in release builds.
 * Sites are named MODULE.n in panics.def.
 */

#include <alula/status.h>
#include <alula/types.h>

enum panic_module {
#define PANIC_MODULE(name, number) PANIC_##name = number,
#define PANIC_DEF(module, number, rule, look)
#include "panics.def"
#undef PANIC_MODULE
#undef PANIC_DEF
};

/* Each site as a constant, so that a site that is not in the list, or in it
 * twice, does not compile. Those of the first modules fit in a short instruction. */
enum panic_site {
    PANIC_DEATH = 0, /* no rule: a task died, and nothing recovers it */
#define PANIC_MODULE(name, number)
#define PANIC_DEF(module, number, rule, look) \
  PANIC_##module##_##number = PANIC_##module << 4 | number,
#include "panics.def"
#undef PANIC_MODULE
#undef PANIC_DEF
};

#define CALLER_MUST(module, number, cond)      \
  do {                                         \
    if (__builtin_expect(!(cond), 0)) {        \
      panic_caller(PANIC_##module##_##number); \
    }                                          \
  } while (0)

#define KERNEL_MUST(module, number, cond)     \
  do {                                        \
    if (__builtin_expect(!(cond), 0)) {       \
      kernel_stop(PANIC_##module##_##number); \
    }                                         \
  } while (0)

/* The calling task broke a rule: it dies with AL_CAUSE_CALLER. */
AL_NORETURN void panic_caller(enum panic_site site);

/*
 * The same, declared as if it returned a status: `return panic_misuse(...)` is
 * a jump, for which a short function need not save its return address. The
 * death is then its caller's, which is where the mistake is.
 */
al_status panic_misuse(enum panic_site site) __asm__("panic_caller");

/*
 * The kernel cannot go on: one defined end. Writes a crash record, masks every
 * interrupt, and hands over to the board.
 */
AL_NORETURN void kernel_stop(enum panic_site site);
