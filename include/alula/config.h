/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Configuration of one image: sizes and counts. An application overrides a
 * default in a file alula_config.h on its include path.
 */

#if __has_include("alula_config.h")
#  include "alula_config.h"
#endif

/* Crash records kept; 2 .. 64; 232 bytes of RAM each. */
#ifndef AL_CFG_CRASH_RECORDS
#  define AL_CFG_CRASH_RECORDS 8
#endif
#if AL_CFG_CRASH_RECORDS < 2 || AL_CFG_CRASH_RECORDS > 64
#  error "AL_CFG_CRASH_RECORDS must be 2 to 64: set it in alula_config.h"
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
 * Bytes of a task's stack that its cleanups may use below what it may use
 * itself, so that a task that overflowed can still clean up; 64 .. 1024, a
 * multiple of 8.
 */
#ifndef AL_CFG_CLEANUP_STACK
#  define AL_CFG_CLEANUP_STACK 128
#endif
#if AL_CFG_CLEANUP_STACK < 64 || AL_CFG_CLEANUP_STACK > 1024 || \
        AL_CFG_CLEANUP_STACK % 8 != 0
#  error "AL_CFG_CLEANUP_STACK must be 64 to 1024, a multiple of 8"
#endif

/* Bytes of the interrupt stack, all nested handlers together; 512 .. 65536. */
#ifndef AL_CFG_IRQ_STACK
#  define AL_CFG_IRQ_STACK 2048
#endif
#if AL_CFG_IRQ_STACK < 512 || AL_CFG_IRQ_STACK > 65536 || \
        AL_CFG_IRQ_STACK % 8 != 0
#  error "AL_CFG_IRQ_STACK must be 512 to 65536, a multiple of 8"
#endif
