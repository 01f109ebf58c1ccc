/* SPDX-License-Identifier: MIT */
/*
 * Claim: what sched_levels.c claims, with 33 levels: a second group with the one
 * least urgent level, the idle task's, in it.
 * Fails if: groups are counted from the wrong end.
 * options: AL_CFG_PRIO_LEVELS=33
 * sources: ../interleave/rig.c
 */
#include "sched_levels.h"
