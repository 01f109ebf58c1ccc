/* SPDX-License-Identifier: MIT */
/*
 * The walk through a dead stack: Exception Handling ABI for the Arm
 * Architecture (ARM IHI 0038), sections 6 and 10, and the language-specific
 * data that GCC and Clang write behind it for cleanups.
 *
 * The walk stands at a frame: a struct arch_death has its r4-r11, sp and pc. It looks
 * for the frame's table and landing pad, then interprets the table and stands
 * at the caller's. r9 is never taken from a frame: libc keeps data
 * there. d8-d15 are restored into the registers themselves, because the walk
 * never comes back to an inner frame.
 *
 * Every address that a step derives from the stack is checked before it is
 * used: the stack may be damaged. A step that fails changes nothing but r4-r11
 * and lr, unless all that fails is that lr is no code: then sp is the caller's.
 * The tables lie in flash and are taken as the compiler wrote them.
 *
 * Not here: catching. A pad that only catches is not a cleanup and is skipped.
 * Nor what no compiler writes for this architecture: frames that pop r12, sp
 * or pc, or save floating-point registers by FSTMX; call sites that are not in
 * uleb128; landing pads relative to another address than the function's.
 */
#include "unwind.h"
#include "arch.h"
#include "image.h"

#define CANTUNWIND   1u
#define INLINE_TABLE 0x80000000u

static uint32_t prel31(const uint32_t *at)
{
    uint32_t offset = *at << 1;

    return (uint32_t)at + (uint32_t)((int32_t)offset >> 1);
}

/* The last entry that begins at `pc` or before; the first one if none does. */
AL_INLINE const struct index_entry *index_of(uint32_t pc)
{
    const struct index_entry *low = __exidx_start;
    uint32_t count = (uint32_t)(__exidx_end - __exidx_start);

    while (count > 1) {
        uint32_t half = count / 2;

        if (prel31(&low[half].function) <= pc) {
            low += half;
        }
        count -= half;
    }
    return low;
}

uint32_t arch_function_of(uint32_t pc)
{
    return prel31(&index_of(pc)->function);
}

/* `count` numbers in uleb128; returns where the next one is. */
static const uint8_t *read_numbers(
        const uint8_t *at, uint32_t *numbers, uint32_t count)
{
    do {
        uint32_t value = *at++;

        /* Bit `shift` says that another byte follows, which begins there. */
        for (uint32_t shift = 7; (value >> shift & 1) != 0; shift += 7) {
            value = (value ^ 1u << shift) | (uint32_t)*at++ << shift;
        }
        *numbers++ = value;
    } while (--count != 0);
    return at;
}

#define ENCODING_OMIT 0xffu
#define ENCODING_ULEB 0x01u

/* One entry of the call-site table: what it covers, and what is there. */
struct call_site {
    uint32_t start;
    uint32_t length;
    uint32_t pad;
    uint32_t action; /* place in the table of actions, from 1; 0: cleanup */
};

/* Does this chain of actions clean up, other than by catching? */
static bool action_cleans(const uint8_t *actions, uint32_t action)
{
    const uint8_t *at = actions + action - 1;

    while (action != 0) {
        const uint8_t *next;
        uint32_t filter;
        uint32_t bits;

        next = read_numbers(at, &filter, 1);
        if (filter == 0) {
            return true;
        }
        /* Signed, relative to itself; 0: the last one. */
        at = read_numbers(next, &action, 1);
        bits = 32 - 7 * (uint32_t)(at - next);
        at = next + ((int32_t)(action << bits) >> bits);
    }
    return false;
}

/* The landing pad for the place at `offset` in a function; 0: none. */
static uint32_t pad_in(const uint8_t *lsda, uint32_t offset)
{
    struct call_site site;
    const uint8_t *actions;
    uint32_t bytes;

    if (*lsda++ != ENCODING_OMIT) {
        return 0;
    }
    if (*lsda++ != ENCODING_OMIT) {
        lsda = read_numbers(lsda, &bytes, 1); /* to the types: not needed */
    }
    if (*lsda++ != ENCODING_ULEB) {
        return 0;
    }
    lsda = read_numbers(lsda, &bytes, 1);
    actions = lsda + bytes; /* they lie behind the call sites */
    do {
        if (lsda >= actions) {
            return 0;
        }
        lsda = read_numbers(lsda, &site.start, 4);
        if (offset < site.start) {
            return 0; /* sorted */
        }
    } while (offset >= site.start + site.length);
    return site.action == 0 || action_cleans(actions, site.action) ? site.pad
                                                                   : 0;
}

/* Unwind instructions: most significant byte of each word first. */
AL_INLINE uint32_t instruction_at(uint32_t at)
{
    return *(const uint8_t *)(at ^ 3);
}

/*
 * A step's virtual stack pointer is a word, `vsp`: what is popped there lies in
 * the frames that are left of the stack, or it becomes 0, where nothing does.
 */

#ifdef __ARM_FP

/* Pop `count` double registers from number `first` on. */
__attribute__((noinline)) static uint32_t pop_vfp(
        const struct arch_death *death, uint32_t vsp, uint32_t first,
        uint32_t count)
{
    uint32_t d[16];
    uint32_t *to = &d[2 * (first & 7)];

    /* From d8 to d15: no function keeps another one for its caller. */
    if (first < 8 || first + count > 16 || vsp < death->sp ||
            vsp > death->table || death->table - vsp < 8 * count) {
        return 0;
    }
    arch_vfp_store(d);
    for (count *= 2; count != 0; count--) {
        *to++ = *(const uint32_t *)vsp;
        vsp += 4;
    }
    if (death->trap != ARCH_TRAP_NONE) {
        arch_vfp_load(d);
    }
    return vsp;
}

#endif

/* All instructions but the most frequent ones (ARM IHI 0038, table 4); what
 * follows the first byte is at *at. */
__attribute__((noinline)) static uint32_t do_special(
        const struct arch_death *death, uint32_t vsp, uint32_t op, uint32_t *at)
{
    if (op < 0x80) {
        return vsp - ((op & 0x3f) << 2) - 4;
    }
    if (op < 0x9c && op >= 0x94) {
        vsp = death->r[op - 0x94];
        return vsp % 4 == 0 ? vsp : 0; /* it may be damaged */
    }
    if (op == 0xb1) { /* r0-r3: of no use to a caller */
        for (op = instruction_at((*at)++); op != 0; op &= op - 1) {
            vsp += 4;
        }
        return vsp;
    }
    if (op == 0xb2) { /* far, in uleb128 */
        vsp += 0x204;
        for (uint32_t shift = 2; (op & 0x80) != 0; shift += 7) {
            op = instruction_at((*at)++);
            vsp += (op & 0x7f) << shift;
        }
        return vsp;
    }
#ifdef __ARM_FP
    if (op == 0xc9) {
        op = instruction_at((*at)++);
        return pop_vfp(death, vsp, op >> 4, (op & 0xf) + 1);
    }
    if ((op & 0xf8) == 0xd0) {
        return pop_vfp(death, vsp, 8, (op & 7) + 1);
    }
#endif
    return 0;
}

#define FINISH 0xb0u

/* Words of struct arch_death that are no registers to pop, and what follows
 * its lr: in the mask of r4-r15 these are r12, sp and pc. */
#define NO_REGISTERS 0xb00u
#define LR_MASK      0x400u

/* Step to the caller by the instructions at `at`; death->table is the end of the
 * stack. */
__attribute__((noinline)) static enum arch_frame leave_frame(
        struct arch_death *death, uint32_t at)
{
    const uint32_t low = death->sp;
    const uint32_t room = death->table - low;
    uint32_t vsp = low;
    uint32_t first = *(const uint32_t *)at;
    uint32_t words = 0;
    uint32_t end;

    /* Behind a personality, or in the short forms 1 and 2: a number of words
     * to come, then the instructions. */
    if ((first & INLINE_TABLE) == 0) {
        at += 4;
        words = instruction_at(at);
    } else if ((first & 0x0f000000) != 0) {
        at++;
        words = instruction_at(at);
    }
    end = (at & ~3u) + 4 + 4 * words;
    at++;
    while (at != end) {
        uint32_t op = instruction_at(at++);
        uint32_t mask; /* bit 0 for r4; r9 is popped and never used */

        if (op < 0x40) {
            vsp += (op << 2) + 4;
            continue;
        }
        if ((op & 0xf0) == 0xa0) { /* r4 and on, and lr */
            mask = ((2u << (op & 7)) - 1) | (op & 8) * (LR_MASK / 8);
        } else if ((op & 0xf0) == 0x80) {
            mask = (op & 0xf) << 8 | instruction_at(at++);
        } else if (op == FINISH) {
            break;
        } else {
            uint32_t rest = at; /* at itself stays in a register */

            vsp = do_special(death, vsp, op, &rest);
            at = rest;
            continue;
        }
        if ((mask & NO_REGISTERS) != 0) {
            return ARCH_FRAME_END;
        }
        for (; mask != 0; mask &= mask - 1) {
            if (vsp - low >= room) {
                return ARCH_FRAME_END;
            }
            ((uint32_t *)(void *)death)[__builtin_ctz(mask)] =
                    *(const uint32_t *)vsp;
            vsp += 4;
        }
        death->address = vsp;
    }
    if (vsp - low > room) {
        return ARCH_FRAME_END;
    }
    death->run_sp = low & ~7u;
    death->sp = vsp;
    at = (death->lr & ~1u) - 2;
    if (!image_has_code(at)) {
        return ARCH_FRAME_END; /* lr tells a handler's end */
    }
    death->lr = 0; /* a second frame cannot have left it unsaved */
    death->pc = at;
    return ARCH_FRAME_LEFT;
}

extern char al_trampoline_end[];

/* What a function that has not done anything yet is left by. */
static const uint32_t nothing_done = 0x80b0b0b0;

void arch_unwind_entry(struct arch_death *death)
{
    death->table = (uint32_t)&nothing_done;
}

enum arch_frame arch_unwind_next(
        struct arch_death *death, uintptr_t high, bool past_pad)
{
    const uint32_t *table = (const uint32_t *)death->table;

    if (!past_pad) {
        const struct index_entry *entry;
        uint32_t start;

        /* The outermost frame, known without a search. */
        if (death->pc == (uint32_t)al_trampoline_end - 2) {
            return ARCH_FRAME_END;
        }
        entry = index_of(death->pc);
        start = prel31(&entry->function);
        if (!image_has_code(death->pc) || death->pc < start ||
                entry->content == CANTUNWIND) {
            return ARCH_FRAME_END;
        }
        table = &entry->content;
        if ((*table & INLINE_TABLE) == 0) {
            table = (const uint32_t *)prel31(table);
        }
        if ((*table & INLINE_TABLE) == 0) {
            /* The data: behind the personality and the instructions. */
            const uint32_t *lsda = table + 2 + (table[1] >> 24);
            uint32_t pad = pad_in((const uint8_t *)lsda, death->pc - start);

            if (pad != 0) {
                death->table = (uint32_t)table;
                death->pc = start + pad;
                return ARCH_FRAME_PAD;
            }
        }
    }
    death->table = high;
    return leave_frame(death, (uint32_t)table);
}
