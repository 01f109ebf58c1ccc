/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Configuration of one image: sizes and counts. An application overrides a
 * default in a file alula_config.h on its include path, whose first line is
 *
 *     #define AL_CFG_VERSION 1
 *
 * or one by one by alula_firmware(... OPTIONS AL_CFG_X=n). Each option says
 * its unit, its range and what it costs; docs/config.md lists them (generated
 * from here by tools/registry). Structures of the public headers have the same
 * layout whatever is set.
 */

/* Raised when an option changes its meaning: such a file is looked through. */
#define AL_CFG_VERSION_EXPECTED 1

#if __has_include("alula_config.h")
#  include "alula_config.h"
#  ifndef AL_CFG_VERSION
#    error "alula_config.h does not say for which version of Alula's options it was written: put '#define AL_CFG_VERSION 1' into it"
#  elif AL_CFG_VERSION != AL_CFG_VERSION_EXPECTED
#    error "alula_config.h was written for other options: compare it with docs/config.md, then set its AL_CFG_VERSION to 1"
#  endif
#endif

/* Ticks a second; 10 .. 10000. Costs one interrupt per tick. */
#ifndef AL_CFG_TICK_HZ
#  define AL_CFG_TICK_HZ 1000
#endif
#if AL_CFG_TICK_HZ < 10 || AL_CFG_TICK_HZ > 10000
#  error "AL_CFG_TICK_HZ must be 10 to 10000: set it in alula_config.h"
#endif

/*
 * Priority levels, idle's included; 2 .. 256. Costs 4 bytes of RAM each, and
 * above 32 another 36 bytes and a few instructions per wake and switch.
 */
#ifndef AL_CFG_PRIO_LEVELS
#  define AL_CFG_PRIO_LEVELS 32
#endif
#if AL_CFG_PRIO_LEVELS < 2 || AL_CFG_PRIO_LEVELS > 256
#  error "AL_CFG_PRIO_LEVELS must be 2 to 256: set it in alula_config.h"
#endif

/*
 * Ticks after which a task gives way to a ready one of the same priority;
 * 0 .. 60000; 0: never. Costs 10 instructions a tick where not 0.
 */
#ifndef AL_CFG_TIME_SLICE
#  define AL_CFG_TIME_SLICE 0
#endif
#if AL_CFG_TIME_SLICE < 0 || AL_CFG_TIME_SLICE > 60000
#  error "AL_CFG_TIME_SLICE must be 0 to 60000 ticks: set it in alula_config.h"
#endif

/*
 * Bytes of the idle task's stack, which an idle hook uses, too; 512 .. 65536,
 * a multiple of 8.
 */
#ifndef AL_CFG_IDLE_STACK
#  define AL_CFG_IDLE_STACK 640
#endif
#if AL_CFG_IDLE_STACK < 512 || AL_CFG_IDLE_STACK > 65536 || \
        AL_CFG_IDLE_STACK % 8 != 0
#  error "AL_CFG_IDLE_STACK must be 512 to 65536, a multiple of 8: set it in alula_config.h"
#endif

/* Bytes of the interrupt stack, all nested handlers together; 1024 .. 65536. The
 * link says when the image's handlers may need more. */
#ifndef AL_CFG_IRQ_STACK
#  define AL_CFG_IRQ_STACK 2560
#endif
#if AL_CFG_IRQ_STACK < 1024 || AL_CFG_IRQ_STACK > 65536 || \
        AL_CFG_IRQ_STACK % 8 != 0
#  error "AL_CFG_IRQ_STACK must be 1024 to 65536, a multiple of 8: set it in alula_config.h"
#endif

/*
 * Interrupt lines that may be enabled; 0 .. 496; all of the chip's where more.
 * Beyond them the vector table is cut off: a handler for such a line does not
 * link, al_irq_enable() panics, and one that is enabled past Alula runs into
 * what follows the table. With 0 no handler, not even the NMI's, may call
 * al_irq_*(): what one posts is lost, or ends in the kernel stop SOFTLOCK.1.
 * Costs 4 bytes of flash each.
 */
#ifndef AL_CFG_IRQ_LINES
#  define AL_CFG_IRQ_LINES 496
#endif
#if AL_CFG_IRQ_LINES < 0 || AL_CFG_IRQ_LINES > 496
#  error "AL_CFG_IRQ_LINES must be 0 to 496: set it in alula_config.h"
#endif

/*
 * Bytes of a task's stack that its cleanups may use below what it may use
 * itself, so that a task that overflowed can still clean up; 64 .. 1024, a
 * multiple of 8. Costs as much of each stack.
 */
#ifndef AL_CFG_CLEANUP_STACK
#  define AL_CFG_CLEANUP_STACK 128
#endif
#if AL_CFG_CLEANUP_STACK < 64 || AL_CFG_CLEANUP_STACK > 1024 || \
        AL_CFG_CLEANUP_STACK % 8 != 0
#  error "AL_CFG_CLEANUP_STACK must be 64 to 1024, a multiple of 8: set it in alula_config.h"
#endif

/*
 * What becomes of a task that dies; 1: it cleans up and starts again; 0: the
 * kernel stops, with the crash record of that death. Costs about 3000 bytes of
 * flash where 1.
 */
#ifndef AL_CFG_RECOVERY
#  define AL_CFG_RECOVERY 1
#endif
#if AL_CFG_RECOVERY < 0 || AL_CFG_RECOVERY > 1
#  error "AL_CFG_RECOVERY must be 0 or 1: set it in alula_config.h"
#endif

/*
 * Ticks after which a task that was killed is stopped where it is, if it has
 * entered no function until then, and a dying task's cleanup abandoned, if it
 * has not returned; 1 .. 10000. Costs nothing.
 */
#ifndef AL_CFG_KILL_GRACE
#  define AL_CFG_KILL_GRACE 2
#endif
#if AL_CFG_KILL_GRACE < 1 || AL_CFG_KILL_GRACE > 10000
#  error "AL_CFG_KILL_GRACE must be 1 to 10000 ticks: set it in alula_config.h"
#endif

/* Regions of the heap, at most; 1 .. 16. Costs 32 bytes of RAM each. */
#ifndef AL_CFG_HEAP_REGIONS
#  define AL_CFG_HEAP_REGIONS 4
#endif
#if AL_CFG_HEAP_REGIONS < 1 || AL_CFG_HEAP_REGIONS > 16
#  error "AL_CFG_HEAP_REGIONS must be 1 to 16: set it in alula_config.h"
#endif

/* Crash records kept; 2 .. 64. Costs 232 bytes of RAM each. */
#ifndef AL_CFG_CRASH_RECORDS
#  define AL_CFG_CRASH_RECORDS 8
#endif
#if AL_CFG_CRASH_RECORDS < 2 || AL_CFG_CRASH_RECORDS > 64
#  error "AL_CFG_CRASH_RECORDS must be 2 to 64: set it in alula_config.h"
#endif

/*
 * Deaths of one line's handler within a second after which the line is disabled;
 * 1 .. 200. Costs nothing.
 */
#ifndef AL_CFG_IRQ_DEATHS
#  define AL_CFG_IRQ_DEATHS 8
#endif
#if AL_CFG_IRQ_DEATHS < 1 || AL_CFG_IRQ_DEATHS > 200
#  error "AL_CFG_IRQ_DEATHS must be 1 to 200: set it in alula_config.h"
#endif

/*
 * Count how long each task runs; 0 or 1. Costs where 1: 16 bytes of each stack,
 * once for all three AL_CFG_STAT options, and 10 to 12 instructions a switch.
 */
#ifndef AL_CFG_STAT_RUNTIME
#  define AL_CFG_STAT_RUNTIME 0
#endif
#if AL_CFG_STAT_RUNTIME < 0 || AL_CFG_STAT_RUNTIME > 1
#  error "AL_CFG_STAT_RUNTIME must be 0 or 1: set it in alula_config.h"
#endif

/*
 * Keep the lowest stack pointer that a task was seen with at a switch, a sample
 * and no bound; 0 or 1. Costs where 1: 16 bytes of each stack, once, and 5 to
 * 7 instructions a switch.
 */
#ifndef AL_CFG_STAT_STACK
#  define AL_CFG_STAT_STACK 0
#endif
#if AL_CFG_STAT_STACK < 0 || AL_CFG_STAT_STACK > 1
#  error "AL_CFG_STAT_STACK must be 0 or 1: set it in alula_config.h"
#endif

/*
 * Count each task's waits that ended with AL_E_TIMEOUT, and its releases that
 * were missed; 0 or 1. Costs where 1: 16 bytes of each stack, once, and 3
 * instructions for each that is counted.
 */
#ifndef AL_CFG_STAT_DEADLINES
#  define AL_CFG_STAT_DEADLINES 0
#endif
#if AL_CFG_STAT_DEADLINES < 0 || AL_CFG_STAT_DEADLINES > 1
#  error "AL_CFG_STAT_DEADLINES must be 0 or 1: set it in alula_config.h"
#endif
