/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is counted of a task, where an option asks for it: in the lowest bytes
 * of its stack, below what anybody uses, so that control blocks look the same
 * whatever is counted. The port knows the offsets.
 */

#include <alula/task.h>

#define STAT_ON \
  (AL_CFG_STAT_RUNTIME || AL_CFG_STAT_STACK || AL_CFG_STAT_DEADLINES)

struct stat {
    uintptr_t sp_low; /* lowest stack pointer at a switch */
    uint32_t missed;  /* waits whose deadline passed, releases missed */
    uint64_t run;     /* counts of the port's counter, up to its last switch */
};

#define STAT_BYTES (STAT_ON ? sizeof(struct stat) : 0u)

static inline struct stat *stat_of(const struct al_task *task)
{
    return (struct stat *)task->stack_low;
}

static inline void stat_missed(struct al_task *task, uint32_t n)
{
    if (AL_CFG_STAT_DEADLINES) {
        stat_of(task)->missed += n;
    }
}
