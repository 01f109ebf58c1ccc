/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A rig for tests of recovery: a victim task that runs what the judge (the
 * test's own task, less urgent) hands it, dies of it, and comes back to wait
 * for more. Whenever the judge runs, the victim waits.
 *
 * Take it in by `sources: ../support/recover.c` in the test's head comment.
 */

#include <alula/alula.h>

#include "test.h"

#define RIG_PRIO 5 /* the victim's; the judge's must be lower */
#ifndef RIG_STACK  /* a test's flags may say more */
#  define RIG_STACK 2048
#endif

extern struct al_task rig_victim;

/* The victim runs `body`; returns how often it died of it: 1, or 0 when body
 * came back. rig_record is then the newest crash record. */
uint32_t rig_run(void (*body)(void));

extern struct al_crash_record rig_record;

/* How often the victim has begun, and how often a body came back. */
extern volatile uint32_t rig_starts;
extern volatile uint32_t rig_returns;

/* Notes in order, one character each; rig_run() starts afresh. */
void rig_note(char what);
const char *rig_log(void);
bool rig_log_is(const char *expected);

/* The same as a cleanup for AL_DEFER: the argument is RIG_MARK('x'). */
#define RIG_MARK(character) ((void *)(uintptr_t)(character))
void rig_mark(void *character);

/* A scope with a name of the test's choice, where AL_DEFER would need a line of
 * its own. */
#define RIG_SCOPE(name, function, argument)                      \
  __attribute__((cleanup(al_scope_close))) struct al_scope name; \
  al_scope_open(&(name), function, argument)

/* Whether it was poisoned does not matter here. */
AL_INLINE void rig_lock(struct al_mutex *mutex)
{
    al_status status = al_mutex_lock(mutex);

    (void)status;
}

/* Live heap bytes, all tasks. */
size_t rig_heap_used(void);

/* Does `pc` lie in the small function `fn`, or right behind its end, as the
 * return address of a call that never returns does? */
bool rig_within(uint32_t pc, const void *fn);

/* Go on in `fn` with a stack pointer that may be any; fn must not return. */
AL_NORETURN void rig_call_at(uintptr_t sp, void (*fn)(void));

/*
 * Plays precompiled code that calls back: calls fn(argument) with `r9` in the
 * limit register; returns what fn did; *after is r9 when it came back.
 */
uint32_t rig_precompiled(uint32_t (*fn)(uint32_t), uint32_t argument,
        uint32_t r9, uint32_t *after);

/* Addresses that no board answers at, and that no access is allowed at. */
#define RIG_NOWHERE ((volatile uint32_t *)0x30000000u)
#define RIG_NULL    ((volatile uint32_t *)0)

/* A task less urgent than the victim, which kills it each time that killer_go is
 * given; the victim waits then. */
#define RIG_KILLER()                                                   \
  static struct al_sem killer_go = AL_SEM_INIT(0, 1);                  \
  static void killer_main(void)                                        \
  {                                                                    \
    for (;;) {                                                         \
      al_sem_take(&killer_go);                                         \
      (void)al_task_kill(al_task_id_of(&rig_victim), AL_KILL_RESTART); \
    }                                                                  \
  }                                                                    \
  AL_TASK(killer, killer_main, RIG_PRIO - 1, 1024)
