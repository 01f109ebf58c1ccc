/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writing crash records: open one at the death, add program counters while the
 * stack is walked, close it when all is undone. A record that was not closed
 * does not count.
 */

#include <alula/crash.h>
#include <alula/task.h>

/* Forget a ring that is not whole: power-up, or another image's. */
void crash_boot(void);

/* Open a record for `task`, which dies now. Never fails: the oldest one goes. */
struct al_crash_record *crash_open(const struct al_task *task);

/* Add the next older program counter. */
static inline void crash_add_pc(struct al_crash_record *record, uintptr_t pc)
{
    uint32_t i = record->pc_count++;

    if (__builtin_expect(i >= AL_CRASH_NEWEST, 0)) {
        i = AL_CRASH_NEWEST + (i - AL_CRASH_NEWEST) % AL_CRASH_OLDEST;
    }
    record->pcs[i] = (uint32_t)pc;
}

/* When it was opened. */
static inline al_time crash_tick(const struct al_crash_record *record)
{
    return (al_time)record->tick[1] << 32 | record->tick[0];
}

/* The record is whole. */
void crash_close(struct al_crash_record *record);

/* For concurrent.c: copy a record; and put what was written to a copy since into
 * the ring, if its place there has not been taken. */
void crash_copy(struct al_crash_record *to, const struct al_crash_record *from);
void crash_complete(const struct al_crash_record *record);
