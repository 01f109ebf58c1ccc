/* SPDX-License-Identifier: MIT */
/*
 * A handler that dies: by a fault, a panic, a stack check. It ends, and nothing
 * else does: what it opened as scopes is undone, newest first, a crash record
 * is written, and it returns to whatever it interrupted as if it were done.
 * Handlers of a higher priority go on as ever; those below wait as long as this
 * takes (docs/numbers.md, irq_panic_return).
 *
 * State is on the interrupt stack, below the dead frames, for handlers nest and
 * each may die while another recovers. Cleanups are called from here, below it
 * all, each in a frame like a handler's own (arch_irq_cleanup): one that dies
 * is a death like any other, and comes back to that frame.
 *
 * A frame to come back to begins with the address of its own end plus 1, and that
 * word is wiped when the frame ends: whatever old words lie in the frames of what
 * died, the first such word above the stack pointer is the right one. A raw
 * handler has no such frame: it is a single function, which its unwind table
 * leaves.
 *
 * Scopes of a handler stand in the chain of the task that it interrupted, for
 * they are gone before that task runs again.
 *
 * Not here: landing pads. What is to be undone in a handler is a scope.
 */
#include "arch.h"
#include "crash.h"
#include "image.h"
#include "irq.h"
#include "panic.h"
#include "registers.h"
#include "softlock.h"
#include "time.h"
#include "unwind.h"

#include <alula/config.h>
#include <alula/irq.h>
#include <alula/scope.h>

#include "offsets.h"

#if AL_CFG_RECOVERY

struct irq_death {
    struct arch_death death;
    uint32_t cause;
    uint32_t detail[2];
    const char *text;
};

AL_STATIC_ASSERT(sizeof(struct arch_death) == DEATH_BYTES,
        "offsets.h is out of date: DEATH_BYTES");

/* What ARCH_IRQ_VENEER pushes. */
struct irq_frame {
    uint32_t mark; /* its own end's address plus 1, as long as it is one */
    uint32_t r4_to_r11[8];
    uint32_t back; /* EXC_RETURN; of a cleanup: where it was called */
};

#  define EXC_RETURN_LEAST  0xffffffe0u
#  define EXC_RETURN_THREAD 8u     /* to a task, not to a handler */
#  define NUMBER            0x1ffu /* in xPSR: of the exception */
#  define FRAME_PSR         7      /* its word in an exception's frame */
#  define FIRST_LINE        16u
#  define SVC_OPCODE        0xdf

void arch_irq_cleanup(void (*fn)(void *), void *arg);
struct irq_frame *arch_irq_death(struct irq_death *irq);

/* It is the kernel's end: tell it as it is. */
AL_NORETURN static void stop(const struct irq_death *irq)
{
    struct al_task *self = al_core.current;

    if (self != NULL) {
        const volatile uint32_t *from = (const uint32_t *)&irq->death;
        uint32_t *to = (uint32_t *)&self->death;

        for (uint32_t i = 0; i < sizeof(irq->death) / 4; i++) {
            to[i] = from[i];
        }
        self->text = irq->text;
    }
    kernel_stop(
            irq->death.trap == ARCH_TRAP_PANIC ? PANIC_FAULT_3 : PANIC_FAULT_2);
}

static bool is_return_address(uint32_t at)
{
    return at % 2 != 0 && image_has_code(at);
}

/* The innermost frame to come back to; NULL: there is none. */
static struct irq_frame *frame_above(uint32_t sp)
{
    const uint32_t top = (uint32_t)__al_irq_stack_top;

    for (sp = (sp + 7) & ~7u; sp + sizeof(struct irq_frame) <= top; sp += 8) {
        struct irq_frame *frame = (struct irq_frame *)sp;

        if (frame->mark == sp + sizeof(*frame) + 1 &&
                (frame->back >= EXC_RETURN_LEAST ||
                        is_return_address(frame->back))) {
            return frame;
        }
    }
    return NULL;
}

/* Does the vector of exception `number` lead to a veneer, by its first two
 * instructions? */
static bool is_checked(uint32_t number)
{
    const uint32_t *vectors = (const uint32_t *)SCB->vtor;
    const uint16_t *code = (const uint16_t *)(vectors[number] & ~1u);

    return code[0] == 0xf20d && code[1] == 0x0301 && code[2] == 0xe92d &&
           code[3] == 0x4ff8;
}

static uint32_t prio_of(uint32_t number)
{
    return number < FIRST_LINE ? 0xffu : NVIC_IPR[number - FIRST_LINE];
}

/*
 * Is it the frame of exception `number`? Else a wild write has hit that one, and
 * this is the next one's. What it interrupted is the most urgent of what else is
 * active, or a task, if nothing is.
 */
static bool is_frame_of(const struct irq_frame *frame, uint32_t number)
{
    const uint32_t *interrupted = (const uint32_t *)(frame + 1);
    uint32_t prio;

    if (frame->back < EXC_RETURN_LEAST) {
        return true; /* a cleanup's */
    }
    if ((frame->back & EXC_RETURN_THREAD) != 0) {
        return (ICSR & ICSR_RETTOBASE) != 0;
    }
    prio = prio_of(interrupted[FRAME_PSR] & NUMBER);
    for (uint32_t base = 0; base < arch_irq_lines(); base += 32) {
        uint32_t active = NVIC_IABR[base / 32];

        for (; active != 0; active &= active - 1) {
            uint32_t line = base + (uint32_t)__builtin_ctz(active);

            if (line + FIRST_LINE != number && NVIC_IPR[line] < prio) {
                return false;
            }
        }
    }
    return true;
}

/* Undo what was opened below `bound`; how many scopes were that? The chain lies in memory that the dead
 * handler may have overwritten: what is not in this stack is not its own. */
static uint32_t undo_below(uint32_t low, uint32_t bound)
{
    uint32_t undone = 0;
    struct al_task *self = al_core.current;
    struct al_scope *scope = self->scopes;

    while ((uint32_t)scope - low < bound - low && (uint32_t)scope % 4 == 0) {
        struct al_scope *older = scope->prev;

        self->scopes = older;
        if (older == scope) {
            break; /* a loop that would not end */
        }
        undone++;
        arch_irq_cleanup(scope->fn, scope->arg);
        scope = self->scopes;
    }
    return undone;
}

static struct al_crash_record *open_record(const struct irq_death *irq)
{
    struct al_crash_record *record = crash_open(al_core.current);

    record->cause = irq->cause;
    record->detail[0] = irq->detail[0];
    record->detail[1] = irq->detail[1];
    record->text = (uint32_t)irq->text;
    arch_death_describe(&irq->death, record);
    record->pcs[0] = record->pc;
    return record;
}

/* A check that trapped is an svc here, which the handler's priority turns into
 * a fault without a status. On silicon the pc is at it, in QEMU behind it. */
static void note_overflow(struct arch_death *death)
{
    const uint16_t *at = (const uint16_t *)(death->trap_pc & ~1u);

    if (death->trap != ARCH_TRAP_FAULT || death->cfsr != 0) {
        return;
    }
    if (at[-1] >> 8 == SVC_OPCODE) {
        at--;
    }
    if (at[0] >> 8 == SVC_OPCODE) {
        death->trap = at[0] & 0xffu;
        death->trap_pc = (uint32_t)(at + 1);
    }
}

/* Before its caller; an overflow has only stood at an entry. */
static enum arch_frame stand(struct arch_death *death)
{
    death->pc = death->trap_pc & ~1u;
    if (death->trap == ARCH_TRAP_PANIC) {
        death->pc -= 2; /* behind a call */
    } else if (death->trap <= ARCH_TRAP_TABLE) {
        arch_unwind_entry(death);
        return ARCH_FRAME_PAD;
    }
    return ARCH_FRAME_LEFT;
}

#  ifdef __ARM_FP

#    define TRIES 16u

/*
 * A function without a table stands in between: precompiled code. Go on at the
 * first word that is a return address from which the tables lead to `end`: the
 * frames out there may keep floating-point registers of whoever was interrupted.
 */
__attribute__((noinline)) static bool step_over(
        struct arch_death *death, uint32_t end)
{
    struct arch_death at;
    uint32_t kept[16];
    uint32_t tries = TRIES;

    arch_vfp_store(kept);
    for (uint32_t sp = death->sp + 4; sp <= end && tries != 0; sp += 4) {
        enum arch_frame next = ARCH_FRAME_LEFT;
        uint32_t back = *(const uint32_t *)(sp - 4);

        if (!is_return_address(back)) {
            continue;
        }
        tries--;
        at.sp = sp;
        at.pc = back - 3;
        at.lr = 0;
        while (next != ARCH_FRAME_END) {
            next = arch_unwind_next(&at, end, next == ARCH_FRAME_PAD);
        }
        arch_vfp_load(kept);
        if (at.sp == end) {
            death->sp = sp;
            death->pc = back - 3;
            return true;
        }
    }
    return false;
}

#  else

__attribute__((noinline)) static bool step_over(
        struct arch_death *death, uint32_t end)
{
    (void)death;
    (void)end;
    return false;
}

#  endif

/* Walk out to `end`, undo what was opened on the way. */
static void leave_frames(
        struct arch_death *death, struct al_crash_record *record, uint32_t end)
{
    const uint32_t low = death->sp;
    enum arch_frame next = stand(death);

    do {
        while (next != ARCH_FRAME_END) {
            next = arch_unwind_next(death, end, next == ARCH_FRAME_PAD);
            if (next == ARCH_FRAME_LEFT) {
                crash_add_pc(record, arch_death_pc(death));
                record->scopes_undone += undo_below(low, death->sp);
            }
        }
        next = ARCH_FRAME_LEFT;
    } while (death->sp != end && step_over(death, end));
    record->scopes_undone += undo_below(low, end);
}

/* A raw handler is one function, which has opened nothing. */
static void leave_raw(struct irq_death *irq)
{
    struct arch_death *death = &irq->death;
    const uint32_t end = (uint32_t)__al_irq_stack_top;

    if (arch_unwind_next(death, end, stand(death) == ARCH_FRAME_PAD) ==
            ARCH_FRAME_PAD) {
        (void)arch_unwind_next(death, end, true);
    }
    if (death->lr < EXC_RETURN_LEAST) {
        stop(irq);
    }
}

/* The line stays disabled until somebody enables it again. */
static void end_storm(struct irq_death *irq, uint32_t line)
{
    arch_irq_disable(line);
    irq->death.trap = ARCH_TRAP_PANIC;
    irq->cause = AL_CAUSE_STORM;
    irq->detail[0] = line;
    irq->detail[1] = 0;
    irq->text = NULL;
    crash_close(open_record(irq));
    if (al_irq_storm_hook != NULL) {
        al_irq_storm_hook(line);
    }
}

/*
 * Returns the frame to leave by; NULL: a raw handler, all of whose registers are
 * in irq->death.
 */
struct irq_frame *arch_irq_death(struct irq_death *irq)
{
    struct arch_death *death = &irq->death;
    const uint32_t number = death->psr & NUMBER;
    struct irq_frame *frame = NULL;
    struct al_crash_record *record;

    if (al_core.current == NULL) {
        stop(irq);
    }
    note_overflow(death);
    if (is_checked(number)) {
        frame = frame_above(death->sp);
        /* A lock that was taken in these frames: its lists may be half
         * changed. */
        if (frame == NULL || !is_frame_of(frame, number) ||
                al_core.locked - death->sp < (uint32_t)frame - death->sp) {
            stop(irq);
        }
    }
    record = open_record(irq);
    if (frame != NULL) {
        leave_frames(death, record, (uint32_t)frame);
    } else {
        leave_raw(irq);
    }
    crash_close(record);
    if (number >= FIRST_LINE && irq_died(number - FIRST_LINE)) {
        end_storm(irq, number - FIRST_LINE);
    }
    return frame;
}

#endif
