/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ways to die that the console has, and some more; each a function that
 * does not come back, with what the crash record must say of it.
 */

#include "recover.h"

struct cause {
    const char *name;
    void (*die)(void);
    uint32_t cause;        /* enum al_cause */
    uint32_t fault_status; /* bits of CFSR that are set; 0: no fault */
    bool frameless;        /* the record's pc lies in `die` itself */
};

extern const struct cause causes[];
extern const uint32_t causes_count;

/* Interrupts are never masked here, and sp is in the stack. */
void cause_panic(void);
void cause_null(void);
void cause_overflow(void);
