/* SPDX-License-Identifier: MIT */
/*
 * A stack check that trapped in a cleanup, at the normal end of its block.
 *
 * Such a cleanup is let finish, on the stack that recovery's cleanups have, and
 * the task dies after it. There is no mark of it on the normal path: the return
 * addresses on the stack tell, because the linker has a sorted list of the
 * places behind calls of cleanups (alula-as writes it).
 *
 *     trap -> look -> open the record -> go on in the cleanup -> recovery
 *
 * From the look on the cleanup is one that recovery runs: what it opened stands
 * below the frame that closed the scope, in which recovery goes on when it
 * comes back, or when it dies (recover_nested()). Of cleanups that are called
 * by cleanups, the outermost one counts.
 *
 * Not here: cleanups that panic or fault, whose record was taken out of the
 * chain before: they are abandoned as any other code. Nor those that were
 * called through code without unwind tables: the look ends there.
 */
#include "arch.h"
#include "crash.h"
#include "image.h"
#include "recover.h"
#include "task.h"
#include "unwind.h"

#include <alula/config.h>

#include "offsets.h"

#if AL_CFG_RECOVERY

/* As cleanup.S pushes and pops them; right above lies the sp of the trap. */
struct trapped {
    uint32_t r[12];
    uint32_t ip;
    uint32_t lr;
    uint32_t pc; /* where to go on */
};

extern char al_recover_entry[];
void arch_recover_next(void);
void arch_cleanup_trapped(struct trapped *at, struct al_task *task);

bool arch_closes_scope(uint32_t return_address)
{
    const uint32_t *low = __al_closes_start;
    const uint32_t *high = __al_closes_end;

    while (low < high) {
        const uint32_t *middle = low + (high - low) / 2;

        if (*middle == return_address) {
            return true;
        }
        if (*middle < return_address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

#  define ENTRY_COMPARISON 6u      /* bytes: cmp, it, svc */
#  define VARIABLE_CHECK   48u     /* bytes, at most */
#  define SUB_SP           0xebadu /* sub.w rd, sp, rm: first halfword */
#  define LIMIT_MASK       0xf0ffu
#  define LIMIT            0x0009u /* and the second: rm is r9 */

/* May this be a part of a variable frame's comparison? Its first halfword. */
static bool compares(uint32_t insn)
{
    return insn == SUB_SP || (insn & 0xfbd0) == 0xf100 || /* add, sub */
           (insn & 0xfbd0) == 0xf180 || (insn & 0xff00) == 0x4500 ||
           (insn & 0xffc0) == 0x4280;
}

/* Where the comparison begins whose svc is in front of `pc`; 0: not found. It
 * changes nothing that it needs, and can be made again. */
static uint32_t variable_check(uint32_t pc)
{
    const uint16_t *it = (const uint16_t *)(pc - 4);
    const uint16_t *from = it;

    while ((uint32_t)it - (uint32_t)from < VARIABLE_CHECK) {
        const uint16_t *at = --from;

        if (from[0] != SUB_SP || (from[1] & LIMIT_MASK) != LIMIT) {
            continue;
        }
        while (at < it && compares(*at)) {
            at += *at >> 11 >= 0x1d ? 2 : 1;
        }
        return at == it ? (uint32_t)from : 0;
    }
    return 0;
}

/* Where the check that trapped is made again with a limit that is lower; 0: it
 * cannot be. */
static uint32_t again(const struct trapped *at, const struct arch_death *death,
        uint32_t limit)
{
    uint32_t pc = death->trap_pc;

    switch (death->trap) {
    case ARCH_TRAP_SMALL:
    case ARCH_TRAP_LARGE:
        return pc - ENTRY_COMPARISON;
    case ARCH_TRAP_TABLE:
        return (uint32_t)(at + 1) + SLACK >= limit + arch_frame_of(pc) ? pc : 0;
    default:
        return variable_check(pc);
    }
}

/*
 * Walk out over `frames` frames, or to the end of the stack; the record, if it
 * is open, is told of each. Returns how many there are down to the outermost
 * one that closes a scope, whose stack pointer is *closing_sp; 0: there is
 * none. Leaves d8-d15 alone.
 */
static uint32_t look(const struct trapped *at, struct al_task *task,
        uint32_t frames, uint32_t *closing_sp)
{
    struct arch_death *death = &task->death;
    uint32_t trap = death->trap;
    bool past_pad = trap != ARCH_TRAP_VARIABLE;
    uint32_t found = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < 8; i++) {
        death->r[i] = ((const volatile uint32_t *)at->r)[4 + i];
    }
    death->sp = (uint32_t)(at + 1);
    death->pc = death->trap_pc;
    death->lr = past_pad ? at->lr : 0; /* else it must have been saved */
    death->trap = ARCH_TRAP_NONE;
    arch_unwind_entry(death);
    while (n != frames) {
        enum arch_frame frame =
                arch_unwind_next(death, task->stack_high, past_pad);

        past_pad = frame == ARCH_FRAME_PAD;
        if (past_pad) {
            continue;
        }
        if (frame == ARCH_FRAME_END) {
            break;
        }
        n++;
        if (task->crash != NULL) {
            crash_add_pc(task->crash, arch_death_pc(death));
        }
        if (arch_closes_scope(death->pc + 2)) {
            found = n;
            *closing_sp = death->sp;
        }
    }
    death->trap = trap;
    return found;
}

/* Where the return address into the frame is kept at which the walk stands;
 * NULL: nowhere, the stack is damaged. */
static uint32_t *return_slot(struct trapped *at, const struct arch_death *death)
{
    uint32_t *slot = (uint32_t *)(death->address - 4);
    uint32_t return_address = death->pc + 3;

    if ((uint32_t)slot - death->run_sp < death->sp - death->run_sp &&
            *slot == return_address) {
        return slot;
    }
    return at->lr == return_address ? &at->lr : NULL;
}

/*
 * Thread mode, in the task, at the sp of the trap: at->pc becomes where it goes
 * on, in the code that trapped or in recovery.
 */
void arch_cleanup_trapped(struct trapped *at, struct al_task *task)
{
    struct arch_death *death = &task->death;
    uint32_t pc = again(at, death, task_recovery_limit(task->def));
    uint32_t frames = 0;
    uint32_t closing_sp;
    uint32_t *slot;

    at->ip = death->address;
    at->lr = death->lr;
    at->pc = (uint32_t)al_recover_entry | 1;
    if (pc != 0) {
        frames = look(at, task, UINT32_MAX, &closing_sp);
    }
    death->sp = (uint32_t)(at + 1);
    death->lr = at->lr;
    if (frames == 0) {
        return;
    }
    recover_open(task, RECOVER_UNDO | RECOVER_USER, closing_sp);
    (void)look(at, task, frames, &closing_sp);
    slot = return_slot(at, death);
    death->run_sp = closing_sp & ~7u;
    task->recover_sp = death->run_sp;
    task->state = AL_TASK_RECOVERING;
    if (slot != NULL) {
        *slot = (uint32_t)arch_recover_next;
        at->r[9] = task->limit;
        at->pc = pc | 1;
    }
}

#endif
