/* SPDX-License-Identifier: MIT */
/*
 * Claim: with time slices, equals that never give way share the processor by
 * turns of that many ticks, and nothing else changes.
 *   1. three equals that spin: each runs for 2 ticks, in turn
 *   2. a more urgent one that spins is not sliced; nor is one without equals;
 *      those below wait
 *   3. whoever is preempted by a more urgent one goes on first when that is over
 *   4. a turn that is over while the kernel lock is taken ends when it is let go
 *      of; and ends nobody else's turn when the task has given way by then
 * Fails if: a slice lasts a tick more or less, or is taken from who just began.
 * builds: gcc-O2 gcc-O0 clang-O2
 * options: AL_CFG_TIME_SLICE=2
 * sources: ../interleave/rig.c
 */
#define SLICE 2
#include "sched_slice.h"
