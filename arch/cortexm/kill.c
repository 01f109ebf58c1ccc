/* SPDX-License-Identifier: MIT */
/*
 * A task's death from outside: what is changed in a context that switch.S saved,
 * or in the one that the switch exception interrupted. switch.S says how the
 * former look.
 *
 * The interrupted thread may stand in the restart window: then its context is
 * still whole where its sp points, and what the thread has in its registers is
 * worth nothing.
 */
#include "kill.h"

#include "arch.h"
#include "image.h"
#include "offsets.h"
#include "registers.h"
#include "unwind.h"

/* Words of a saved context. */
enum {
    CONTEXT_R9 = 6,
    CONTEXT_PC = 9,
    CONTEXT_EXC_RETURN = 10, /* of a preempted one */
    CONTEXT_FRAME = 11,      /* the same, without FPU */
    CONTEXT_FRAME_FPU = 27,  /* the same, with s16-s31 */
    CONTEXT_RETURN_FPU = 27, /* of one that called, with FPU */
};

/* Words of an exception frame. */
enum {
    FRAME_LR = 5,
    FRAME_PC = 6,
    FRAME_PSR = 7,
};

#define EXC_RETURN_BASIC 0x10u /* no FPU part */
#define PSR_ALIGN        0x200u
#define PSR_T            0x01000000u
#define IPSR_PENDSV      14u

extern char al_exc_stub[];
/* Not there where no task has floating-point registers. */
extern char al_fp_stub[] __attribute__((weak));
extern char al_resume_window[];
extern char al_recover_entry[];
extern char al_trampoline_end[];

void arch_killed(void);
void al_trampoline(void);

bool kill_arch_in_switch(void)
{
    uint32_t ipsr;

    __asm__ volatile("mrs %0, ipsr" : "=r"(ipsr));
    return ipsr == IPSR_PENDSV;
}

static uint32_t *interrupted_frame(void)
{
    uint32_t *frame;

    __asm__ volatile("mrs %0, psp" : "=r"(frame));
    return frame;
}

/* NULL: its registers are the processor's. */
static uint32_t *context_of(const struct al_task *task)
{
    if (task == al_core.current) {
        uint32_t pc = interrupted_frame()[FRAME_PC];

        if (pc < (uint32_t)al_resume_window || pc >= (uint32_t)al_exc_stub) {
            return NULL;
        }
    }
    return (uint32_t *)task->sp;
}

void kill_arch_at_wait(struct al_task *task)
{
    uint32_t *context = (uint32_t *)task->sp;
    uint32_t *pc = &context[CONTEXT_PC];

    if (*pc == ((uint32_t)al_fp_stub | 1)) {
        pc = &context[CONTEXT_RETURN_FPU];
    }
    task->death.lr = *pc;
    *pc = (uint32_t)arch_killed;
}

void kill_arch_at_check(struct al_task *task)
{
    uint32_t *context = context_of(task);
    uint32_t well = task->limit & ~LIMIT_KILLED;

    task->limit = well | LIMIT_KILLED;
    if (context == NULL) {
        __asm__ volatile("cmp r9, %0\n\t"
                         "it eq\n\t"
                         "moveq r9, %1"
                         :
                         : "r"(well), "r"(task->limit)
                         : "cc");
    } else if (context[CONTEXT_PC] == (uint32_t)al_trampoline) {
        /* Not one instruction of it has run: none will. */
        task->death.lr = (uint32_t)al_trampoline_end;
        context[CONTEXT_PC] = (uint32_t)arch_killed;
    } else if (context[CONTEXT_R9] == well) {
        context[CONTEXT_R9] = task->limit;
    }
}

/* The exception frame of a task that was preempted, or is interrupted; NULL: it
 * called, or is about to resume. */
static uint32_t *frame_of(const struct al_task *task)
{
    uint32_t *context = context_of(task);

    if (context == NULL) {
        return interrupted_frame();
    }
    if (context[CONTEXT_PC] != ((uint32_t)al_exc_stub | 1)) {
        return NULL;
    }
    return &context[(context[CONTEXT_EXC_RETURN] & EXC_RETURN_BASIC) != 0
                            ? CONTEXT_FRAME
                            : CONTEXT_FRAME_FPU];
}

static bool in_kernel(uint32_t pc)
{
    return pc >= (uint32_t)__al_kernel_low && pc < (uint32_t)__al_kernel_high;
}

/* Instructions that a compiler puts between the store that takes a scope off
 * its chain and the call of its function. */
#define LOOK_AHEAD 10u

/*
 * Is a call by pointer next, if no branch forward is taken before it? It may be that of a
 * cleanup whose scope is off the chain already: it is let begin. Thumb-2, ARM
 * DDI 0403E, A5.2 and A5.3.
 */
static bool is_before_call(uint32_t pc)
{
    const uint16_t *at = (const uint16_t *)(pc & ~1u);

    for (unsigned n = 0; n < LOOK_AHEAD; n++) {
        uint32_t word;

        if (!image_has_code((uint32_t)at) ||
                !image_has_code((uint32_t)(at + 2))) {
            return false;
        }
        word = *at;
        if ((word & 0xff87) == 0x4780) {
            return true; /* BLX */
        }
        if (word >> 11 == 0x1c || word >> 8 == 0x47 || word >> 8 == 0xbd ||
                (word >> 12 == 0xd && (word & 0x80) != 0)) {
            return false; /* B, BX, POP with pc; B<c> backwards */
        }
        if (word >> 11 == 0x1e && (at[1] & 0x8000) != 0) {
            return false; /* B, BL */
        }
        at += word >> 11 >= 0x1d ? 2 : 1;
    }
    return false;
}

/* In a cleanup without a frame, whose entry has no check? What is in lr may be
 * older: then the closing function itself has gone on. */
static bool in_cleanup(const uint32_t *frame)
{
    uint32_t lr = frame[FRAME_LR] & ~1u;

    return arch_closes_scope != NULL && arch_closes_scope(lr) &&
           arch_function_of(frame[FRAME_PC]) != arch_function_of(lr - 2);
}

bool kill_arch_here(struct al_task *task, bool patient)
{
    struct arch_death *death = &task->death;
    uint32_t *frame = frame_of(task);

    if (frame == NULL || in_kernel(frame[FRAME_PC]) ||
            is_before_call(frame[FRAME_PC]) || (patient && in_cleanup(frame))) {
        return false;
    }
    death->trap = ARCH_TRAP_FORCED;
    death->trap_pc = frame[FRAME_PC];
    death->lr = frame[FRAME_LR];
    death->psr = frame[FRAME_PSR];
    death->cfsr = 0;
    death->address = 0;
    /* IT and ICI bits go with the old pc. */
    frame[FRAME_PSR] = (frame[FRAME_PSR] & PSR_ALIGN) | PSR_T;
    frame[FRAME_PC] = (uint32_t)al_recover_entry;
    return true;
}
