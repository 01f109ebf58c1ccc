/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Operations to be interrupted at each of their instructions. One more is one
 * row more in sweep_ops.c or sweep_objects.c: nothing else knows their number.
 *
 * Tasks, by priority: `top` 31, which injected interrupts wake; helpers 12 to
 * 20, more urgent; `operator` 10, which runs every operation; helpers below.
 * Nothing may wait for time to pass: it stands still, but for ticks that an
 * operation pends.
 */

#include <alula/alula.h>

struct sweep_op {
    const char *name;
    void (*before)(void); /* not interrupted; may be NULL */
    void (*op)(void);
    void (*after)(void); /* not interrupted; may be NULL */
    al_prio least;       /* of an interrupt that no handler of op's holds off */
};

extern const struct sweep_op sweep_ops[];
extern const unsigned sweep_op_count;
extern const struct sweep_op sweep_objects[];
extern const unsigned sweep_object_count;

/* Enable interrupt lines, and let the helpers reach their places; by the
 * operator, once. */
void sweep_ops_start(void);
void sweep_objects_start(void);
