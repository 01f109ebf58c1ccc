/* SPDX-License-Identifier: MIT */
/*
 * Claim: with 256 levels the most urgent task runs, whichever groups of 32 the
 * levels are in.
 *   1. a task at each of all levels below the judge's, made at run time and let
 *      go at once: they run in the order of their priorities, the most urgent
 *      first, in whichever order they became ready
 *   2. of any two levels, neighbours or across groups, the more urgent one
 *      preempts the other when it is woken, and not the other way round
 *   3. a task moved through all levels, ready, has its bits right at each
 * Fails if: the bit of a group stays when its last level is empty, or goes when
 * another is not.
 * builds: gcc-O2 gcc-O0 clang-O2
 * options: AL_CFG_PRIO_LEVELS=256
 * sources: ../interleave/rig.c
 */
#include "sched_levels.h"
