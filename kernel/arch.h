/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The port contract: all that the portable kernel asks of a processor. A port
 * lies in arch/<name>/ and supplies <arch/port.h> (types and inlines marked
 * "port.h" below) and the functions. Requirements are numbered; the tests in
 * tests/system name them.
 *
 * R1  Every interrupt that an application may enable preempts the kernel at
 *     any instruction; the kernel is preempted by nothing else.
 * R2  Handlers nest strictly: the one that preempts ends first.
 * R3  No function here masks an interrupt, but for boot, restart and stop.
 */

#include <alula/crash.h>
#include <alula/status.h>
#include <alula/task.h>

#include <arch/port.h>

/*
 * port.h: struct arch_death       machine state of a task that died; recovery
 *                                 walks the stack in it
 * port.h: arch_death_pc(death), arch_death_bound(death), arch_death_run_sp(death)
 *                                 where the walk stands: program counter of the
 *                                 innermost frame that is left; the stack
 *                                 address below which everything belongs to
 *                                 frames that are done with; the stack pointer
 *                                 at which their cleanups may run
 * port.h: ARCH_IRQ_LEVELS         interrupt priorities below the fault entries
 * port.h: arch_scope_write/read()  a scope's four words; compiler barriers
 * port.h: arch_scope_closing()    compiler barrier; the next call is that of a
 *                                 cleanup, which may need more than the stack
 * port.h: ARCH_STACK_...          notes for alula-stack (stack.h)
 * port.h: arch_entry_sp()         stack pointer at the entry of this function
 * port.h: arch_sp()               the stack pointer
 * port.h: arch_in_handler()       true in an interrupt or fault handler
 * port.h: arch_pend_switch_irq()  arch_pend_switch() in a handler, where it
 *                                 has time until the last one ends
 * port.h: arch_set_result(t, v)   what arch_switch() is to return in a task
 *                                 that waits
 * port.h: arch_is_static(at)      true: no stack, and no heap block, lies there
 * port.h: arch_clear(from, bytes) store zeros; a multiple of 4
 * port.h: arch_copy_four(to, from)  copy four words
 * port.h: arch_copy_constant(to, from)  true: three words were copied; false:
 *                                 there is no constant of the image at `from`,
 *                                 or its code is to be short
 * port.h: arch_sum(sum, from)     turn `sum` right by 7 bits and add a word,
 *                                 ARCH_SUM_WORDS times: 1 or 4
 * port.h: arch_stack_reserve()    bytes of a stack below its floor that belong
 *                                 to the kernel
 * port.h: arch_build_id()         first two words of the image's build id
 * port.h: arch_set_apart(word)    a hint to the register allocator
 * port.h: arch_never_walked()     no stack walk comes through this function,
 *                                 which is inlined nowhere
 * port.h: arch_load_linked(p)     read a word and watch it
 * port.h: arch_store_if(p, v)     write it if nothing came between: true; any
 *                                 interrupt since the read makes it false
 * port.h: arch_load_linked_at(object, offset), arch_store_if_at(object, offset,
 *         v)                      the same at a constant offset in an object
 */

/**
 * Make a task's first saved context: it will call `entry(args)` at `sp`.
 *
 * @param[in,out] task  stack_low, stack_high, limit are set
 * @param[in] sp        8-aligned, inside the task's stack
 */
void arch_task_prepare(
        struct al_task *task, uintptr_t sp, void (*entry)(void *), void *args);

/**
 * Lay down fresh thread-local variables for a task that starts, below `top` in
 * its stack. In an image that uses none it is weak, and lays down none.
 *
 * @return    the stack's new top
 */
uintptr_t arch_tls_start(const struct al_task_def *def, uintptr_t top);

/**
 * Save the running task as one that called, make `next` current, resume it and
 * let go of the kernel lock; asks for the switch exception if there are posts.
 *
 * @param result  what this returns when the caller is resumed and nobody
 *                stored another word with arch_set_result()
 * @context   task, kernel lock held
 * @cost      constant; the processor's share of every switch
 */
al_status arch_switch(al_status result, struct al_task *next);

/**
 * Ask for the switch exception: as soon as the lock is free and no handler
 * runs, it takes the lock, drains the inbox and switches to the most urgent
 * task. In a task that means before the next instruction.
 *
 * @context   any
 */
void arch_pend_switch(void);

/**
 * Leave the boot stack for the most urgent ready task; lets go of the lock.
 *
 * @context   boot, kernel lock held
 */
AL_NORETURN void arch_start_first(struct al_task *first);

/**
 * Wait for an interrupt; returns after any.
 *
 * @context   task
 */
void arch_idle(void);

/* How many lines there are: numbers below it may be enabled. */
uint32_t arch_irq_lines(void);

/**
 * Set a line's priority and enable it, or disable it.
 *
 * @param line   below arch_irq_lines()
 * @param level  0 .. ARCH_IRQ_LEVELS-1, higher is more urgent
 */
void arch_irq_enable(uint32_t line, uint32_t level);
void arch_irq_disable(uint32_t line);

/**
 * Let interrupts come: start-up held them off until memory and the kernel's lists
 * are set up. The kernel lock is held.
 *
 * @context   boot
 */
void arch_boot_open(void);

/**
 * Start the tick: time_start() is called once, then time_tick() AL_TICK_HZ times
 * a second, in a handler that every interrupt of an application preempts. Both
 * get a 32-bit counter that runs on whatever is masked, with the tick's own
 * clock or one of the same source: ticks that were missed are found by it.
 *
 * @context   boot
 */
void arch_boot_tick(void);

/*
 * In the tick's handler: is it the emulator that slept through ticks? On real
 * processors never: a processor that waits loses none.
 */
bool arch_overslept(void);

/* Have the tick's handler run, beside the ticks that come by themselves. */
void arch_pend_tick(void);

/*
 * The port also supplies the ways for a task to end itself, because they must
 * capture its registers: al_panic(), al_assert_failed(), panic_caller() and
 * recover_panic() write down cause, details and machine state, then go on in
 * recover_begin() or recover_nested(). From a handler, or with the kernel lock
 * held, they are the kernel stop.
 *
 * And kernel_stop(): masks interrupts, leaves the task's stack, and goes on in
 * recover_kernel_stop().
 */

/* What the stack walk found. */
enum arch_frame {
    ARCH_FRAME_END,  /* the outermost frame, or no table makes sense */
    ARCH_FRAME_PAD,  /* a landing pad is to run first; still at the frame */
    ARCH_FRAME_LEFT, /* the walk stands at the caller's frame */
};

/**
 * Look at the innermost frame that is left, and leave it: `death` then says
 * what it said at the call. The frame's stack pointer becomes the place to run
 * cleanups at.
 *
 * @param[in,out] death  where the walk stands
 * @param high      one past the highest byte of the stack
 * @param past_pad  1: its landing pad has run, only leave it; else 0
 * @context   any
 * @cost      logarithmic in the image's functions, linear in the call sites
 *            of this one
 */
enum arch_frame arch_unwind_next(
        struct arch_death *death, uintptr_t high, uint32_t past_pad);

/* Does memory that a program may write to hold all of [at, at + bytes)? */
bool arch_is_ram(uintptr_t at, size_t bytes);

/**
 * Run the landing pad that arch_unwind_next() found; its end comes back in
 * recover_continue().
 */
AL_NORETURN void arch_recover_pad(struct al_task *task);

/**
 * Call fn(arg) at stack pointer `sp` and come back in recover_continue() at
 * that stack pointer: the caller's own frame is given up.
 */
AL_NORETURN void arch_recover_call(void (*fn)(void *), void *arg, uintptr_t sp);

/**
 * Start a task that died again: drop its floating-point state, then
 * entry(args) at `sp`. Masks that it left are cleared by then.
 *
 * @context   the dying task
 */
AL_NORETURN void arch_restart(
        struct al_task *task, uintptr_t sp, void (*entry)(void *), void *args);

/* Fill in what the processor knows of a death: registers, fault, cause. */
void arch_death_describe(
        const struct arch_death *death, struct al_crash_record *record);

/*
 * How long a task has run, in counts of the counter that time_tick() gets: what
 * the switches have counted (kernel/stat.h), and for the current task the time
 * since. A task that runs for more than 2^32 counts at a stretch is counted
 * modulo that. In the image only with AL_CFG_STAT_RUNTIME.
 */
uint64_t arch_run_counts(const struct al_task *task);

/* Restart the board. */
AL_NORETURN void arch_reset(void);

/* The board's last word after a kernel stop (boards/board.h). */
AL_NORETURN void board_stop(void);
/* The board's own start-up: clocks, console; before any task runs. */
void board_start(void);
