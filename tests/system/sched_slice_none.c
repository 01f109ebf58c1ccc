/* SPDX-License-Identifier: MIT */
/*
 * Claim: without time slices a task runs until it gives way, whatever equals are
 * ready.
 * Fails if: the tick looks for slices all the same.
 * sources: ../interleave/rig.c
 */
#define SLICE 0
#include "sched_slice.h"
