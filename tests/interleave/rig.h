/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The rig of the injection tests: timers that interrupt a chosen number of
 * instructions later, and a checker of all that the kernel holds.
 *
 * Time: under -icount one instruction lasts BOARD_INSN_NS of the timers' time,
 * at least one count of each, so a delay names an instruction exactly. SysTick
 * counts freely from 2^24 down and interrupts no more: the kernel's clock moves
 * only where a test pends its interrupt.
 *
 * Levels: rig timer 0 is the least urgent, timer 2 the most urgent, all above
 * the tick.
 */

#include <alula/alula.h>

#include <board.h>

#define RIG_TIMERS 3

/* What an injected interrupt hit. */
struct rig_hit {
    uint32_t pc;   /* of the interrupted code */
    uint32_t psp;  /* the thread's stack pointer, its frame on it */
    uint32_t time; /* rig_time() in the handler */
    uint32_t in;   /* exception number of the interrupted code; 0: a task */
    bool nested;   /* it interrupted a handler */
    bool locked;   /* the kernel lock was taken */
};

/* Runs in the handler of timer `n`. */
typedef void (*rig_action)(unsigned n, const struct rig_hit *hit);

/* Take SysTick and the timers over; once. */
void rig_start(void);

/* Timer `n` interrupts `steps` steps from now, once, and runs `action`; one
 * instruction is at least one step. */
void rig_arm(unsigned n, uint32_t steps, rig_action action);
void rig_disarm(unsigned n);

/* A step of rig_arm() in nanoseconds; an instruction lasts BOARD_INSN_NS. */
extern const uint32_t rig_step_ns;

/* The clock, and the instructions between two of its readings. */
uint32_t rig_time(void);
uint32_t rig_elapsed(uint32_t from, uint32_t to);

/* Have a tick, a switch exception, or timer n's handler, as soon as can be: in
 * a task, before the next instruction. */
void rig_pend_tick(void);
void rig_pend_switch(void);
void rig_pend(unsigned n, rig_action action);

/*
 * Calls fn() with known values in r4-r8, r10 and r11, and with `fpu` in s16-s31
 * and FPSCR as well, and compares them afterwards. Returns 0, or bits that name
 * what differs: bit n for rn, bit 12 for FPSCR, bit n for sn.
 */
uint32_t rig_guard(void (*fn)(void), uint32_t seed, uint32_t fpu);

/*
 * Spins until *go is not 0, with known values in r2-r8, r10-r12, lr and the
 * flags, and with `fpu` in s0-s31 and FPSCR as well, and compares them
 * afterwards. Returns 0, or bits: bit n for rn, bit 0 for the flags, bit 16 + n
 * modulo 16 for sn.
 */
uint32_t rig_spin(const volatile uint32_t *go, uint32_t seed, uint32_t fpu);

/*
 * For tests in which somebody is always ready: the least urgent task, which
 * never runs unless a wake-up is lost. Ends the test then. Needs test.h.
 */
#define RIG_WATCH()                                              \
  static void watch_main(void)                                   \
  {                                                              \
    CHECK(false, "nobody is ready any more: a wake-up is lost"); \
    test_done();                                                 \
  }                                                              \
  AL_TASK(watch, watch_main, 1, 1024)

/*
 * Walks all that the kernel holds and returns NULL, or what is wrong, in
 * words. Called by a task, from where all handlers have ended: the lock is free
 * and nothing is in the inbox but what the caller goes before; rings and bitmap
 * agree; each task is in one place; the timers are in order; each stack pointer
 * lies in its stack and each saved context has its task's limit.
 */
const char *rig_check(void);
/* No waiter is satisfied by the bits, but who is left behind the caller. */
const char *rig_check_event(const struct al_event *event);
/* The part that holds whenever the lock is free, also in a handler. */
const char *rig_check_unlocked(void);
