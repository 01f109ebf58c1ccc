/* SPDX-License-Identifier: MIT */
/*
 * Claim: what irq_sweep.c claims holds with every statistics option on: what
 * they count at a switch and at a deadline is interrupted like all else.
 * Fails if: a switch that counts loses a register, or is not taken back when it
 * is interrupted in its restart window.
 * boards: stm32f405
 * options: AL_CFG_STAT_RUNTIME=1 AL_CFG_STAT_STACK=1 AL_CFG_STAT_DEADLINES=1
 * flags: -DLONGEST=1000 -DLONGEST_FPU=1250
 * sources: irq_sweep.c ../interleave/rig.c ../interleave/scenarios.c
 * timeout: 600
 */
#include "../interleave/scenarios.h"

AL_STATIC_ASSERT(
        AL_CFG_STAT_RUNTIME &&AL_CFG_STAT_STACK &&AL_CFG_STAT_DEADLINES,
        "all of them are on");
