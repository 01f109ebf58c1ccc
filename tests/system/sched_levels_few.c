/* SPDX-License-Identifier: MIT */
/*
 * Claim: what sched_levels.c claims, with 5 levels.
 * Fails if: the ready map is read as if it had 32.
 * options: AL_CFG_PRIO_LEVELS=5
 * sources: ../interleave/rig.c
 */
#include "sched_levels.h"
