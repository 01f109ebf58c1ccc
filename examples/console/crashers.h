/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The commands that end their task, each by what its name says, and what is
 * needed to see that nothing of it stays.
 */

#include <alula/mutex.h>

/* What `lock` dies with. */
extern struct al_mutex vault_lock;

/* Take `bytes` bytes of stack in calls of 64 bytes each; come back if it fits. */
void crash_overflow(uint32_t bytes);
void crash_overflow_endless(void);

/* Take `bytes` bytes of stack in one variable frame. */
void crash_vla(uint32_t bytes);

void crash_null(void);
void crash_bus(void);
void crash_undef(void);
void crash_div0(void);
void crash_align(void);
void crash_oob(void);
void crash_assert(void);
void crash_lock(void);

/* Run for ever, under a watch that is not fed. */
void crash_spin(void);

/* Take the whole heap, in blocks that are given back, and ask for more. */
void crash_oom(void);
