/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Crash records: one per death, and one per interrupt that had no handler (whose
 * line is disabled then; the task is who was interrupted), in a ring in memory that survives a reset.
 * Fixed layout, little endian, no stack contents; tools/alula-decode turns one
 * and the image's ELF into functions and lines. A record counts only if magic,
 * version, size and checksum are right.
 *
 * The checksum is taken over the words behind `magic`, four by four, up to the
 * four with pcs[n-1], where n is the smaller of pc_count and 32: it begins with 0
 * and is turned right by 7 bits before each word is added.
 *
 * pcs[0..23] are the newest program counters, the place of the death first.
 * Of the older ones the last 8 are kept as a ring: number i (from 0) stands in
 * pcs[24 + (i - 24) % 8].
 */

#include <alula/status.h>
#include <alula/types.h>

AL_EXTERN_C_BEGIN

#define AL_CRASH_MAGIC   0x48534143u /* "CASH" */
#define AL_CRASH_VERSION 2u
#define AL_CRASH_NEWEST  24u /* program counters kept from the death on */
#define AL_CRASH_OLDEST  8u  /* and from the entry of the task back */

/* Why a task died. Numbers are never reused. */
enum al_cause {
    AL_CAUSE_NONE = 0,
    AL_CAUSE_OVERFLOW = 1,   /* stack, at an entry; detail: frame, 64 if less */
    AL_CAUSE_VLA = 2,        /* stack, at a variable frame */
    AL_CAUSE_NULL = 3,       /* access below the first valid address */
    AL_CAUSE_ACCESS = 4,     /* access that the protection unit refuses */
    AL_CAUSE_BUS = 5,        /* access that the bus refuses */
    AL_CAUSE_UNDEF = 6,      /* undefined instruction, or a compiler's trap */
    AL_CAUSE_DIV0 = 7,       /* division by zero */
    AL_CAUSE_ALIGN = 8,      /* unaligned where the processor cannot */
    AL_CAUSE_OOB = 9,        /* index out of bounds; compiler's check */
    AL_CAUSE_CHECK = 10,     /* another check of the compiler's; see text */
    AL_CAUSE_ASSERT = 11,    /* AL_ASSERT; see text */
    AL_CAUSE_PANIC = 12,     /* al_panic(); see text */
    AL_CAUSE_CALLER = 13,    /* wrong call of the kernel; detail: module, n */
    AL_CAUSE_STACK = 14,     /* stack pointer outside of the stack */
    AL_CAUSE_FAULT = 15,     /* any other fault; see fault_status */
    AL_CAUSE_KERNEL = 16,    /* the kernel stopped; detail: module, n */
    AL_CAUSE_INTERRUPT = 17, /* one without a handler; detail: its line */
    AL_CAUSE_KILLED = 18,    /* al_task_kill(); text: name of who did it */
    AL_CAUSE_STORM =
            19, /* a handler died too often; detail: its line, disabled */
    AL_CAUSE_DEADLINE = 20, /* AL_DEADLINE; detail: ticks */
    AL_CAUSE_BUDGET = 21,   /* AL_BUDGET; detail: ticks, window */
    AL_CAUSE_WATCHDOG = 22, /* AL_WATCH; detail: ticks, 0: the board's */
};

struct al_crash_record {
    uint32_t magic;        /* AL_CRASH_MAGIC once the record is whole */
    uint16_t version;      /* AL_CRASH_VERSION */
    uint16_t size;         /* of this structure, in bytes */
    uint32_t sequence;     /* 1 for the first death since power-up */
    uint32_t build_id[2];  /* first bytes of the image's build id */
    uint32_t cause;        /* enum al_cause */
    uint32_t detail[2];    /* by cause: frame bytes; address; index and bound */
    uint32_t text;         /* address of constant text in the image; 0: none */
    char task[12];         /* name, cut, ends in NUL unless 12 long */
    uint32_t generation;   /* of the task that died */
    uint32_t tick[2];      /* low, high */
    uint32_t pc;           /* where it died */
    uint32_t lr;           /* return address there */
    uint32_t sp;           /* there */
    uint32_t psr;          /* there; low 9 bits: exception, 0: a task */
    uint32_t fault_status; /* as the processor tells it; 0: no fault */
    uint32_t fault_address; /* 0: not told */
    uint32_t scopes_undone; /* all open at the death; 255: or more */
    uint32_t heap_left;     /* bytes in plain blocks that it left behind */
    uint32_t nested;        /* deaths inside its cleanups */
    uint32_t pc_count;      /* frames walked; may exceed what is kept */
    uint32_t pcs[AL_CRASH_NEWEST + AL_CRASH_OLDEST]; /* see above */
    uint32_t checksum;                               /* see above */
};

/**
 * Count the records since power-up.
 *
 * @context   any
 * @return    the newest record's sequence number; 0 when nothing happened
 */
uint32_t al_crash_count(void);

/**
 * Copy a crash record.
 *
 * @param[in]  sequence  1 .. al_crash_count()
 * @param[out] record    filled in
 * @context   task
 * @return    AL_OK       copied; magic, version, size and checksum are right
 * @return    AL_E_GONE   overwritten by a newer one, not written whole, or
 *                        never there
 * @cost      constant
 */
AL_MUST_USE al_status al_crash_read(
        uint32_t sequence, struct al_crash_record *record);

/**
 * Read a record's text.
 *
 * @param[in] record  one that al_crash_read() returned
 * @context   any
 * @return    constant text, or NULL: it has none, or it was written by another
 *            build, whose text is not in this image
 */
const char *al_crash_text(const struct al_crash_record *record);

/**
 * Name a cause: "overflow", "null", ...; for AL_CAUSE_PANIC "panic".
 *
 * @context   any
 */
const char *al_cause_name(uint32_t cause);

AL_EXTERN_C_END
