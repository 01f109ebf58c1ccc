/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of the bench. Each measures in functions of its own, so that
 * arguments come from where the compiler puts them in plain code. Operations
 * and counting points are those by which other kernels were measured
 * (docs/numbers.md); where those figures hold a marker of one instruction
 * inside, there is BENCH_MARKER() here.
 */

#include <alula/alula.h>

#include "count.h"
#include "say.h"
#include "series.h"

#define MEASURES       __attribute__((noinline))
#define BENCH_MARKER() __asm__ volatile("nop")

/* One round of each; by the conductor. */
void bench_interrupts(int i);
void bench_deaths(int i);

/* Enables the interrupt lines; before the first round. */
void bench_interrupts_start(void);

/* The trivial function of a scope: one instruction. */
__attribute__((naked, unused)) static void bench_nothing(void *arg)
{
    (void)arg;
    __asm__ volatile("@alula: unchecked 0\n\tbx lr");
}
