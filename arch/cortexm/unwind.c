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
#include "offsets.h"

static uint32_t prel31(const uint32_t *at)
{
    uint32_t offset = *at << 1;

    return (uint32_t)at + (uint32_t)((int32_t)offset >> 1);
}

/* As walk.S searches. */
uint32_t arch_function_of(uint32_t pc)
{
    uint32_t place = (pc - (uint32_t)__al_text_low) >> UNWIND_BITS;
    const struct index_entry *entry = __al_unwind_low;

    if (!image_has_code(pc)) {
        return 0;
    }
    entry += __al_unwind_places[place];
    while (prel31(&entry[1].function) <= pc) {
        entry++;
    }
    return prel31(&entry->function);
}

#ifdef __OPTIMIZE_SIZE__
#  include "uleb128.h"
#else

/* The rest of a number in uleb128, of which all but the last byte have bit 7:
 * the number in the lower half, the place behind it in the upper one. */
__attribute__((noinline)) static uint64_t long_number(
        const uint8_t *at, uint32_t value)
{
    /* Bit `shift` says that another byte follows, which begins there. */
    for (uint32_t shift = 7; (value >> shift & 1) != 0; shift += 7) {
        value = (value ^ 1u << shift) | (uint32_t)*at++ << shift;
    }
    return (uint64_t)(uint32_t)at << 32 | value;
}

static inline uint32_t number(const uint8_t **at)
{
    uint32_t value = *(*at)++;

    if (__builtin_expect(value >= 0x80, 0)) {
        uint64_t both = long_number(*at, value);

        *at = (const uint8_t *)(uint32_t)(both >> 32);
        value = (uint32_t)both;
    }
    return value;
}

#endif

#define ENCODING_OMIT 0xffu
#define ENCODING_ULEB 0x01u

/* The landing pad for the place at `offset` in a function; 0: none. */
AL_INLINE uint32_t pad_in(const uint8_t *lsda, uint32_t offset)
{
    const uint8_t *actions;
    uint32_t bytes;

    if (*lsda++ != ENCODING_OMIT) {
        return 0;
    }
    if (*lsda++ != ENCODING_OMIT) {
        (void)number(&lsda); /* to the types: not needed */
    }
    if (*lsda++ != ENCODING_ULEB) {
        return 0;
    }
    bytes = number(&lsda);
    actions = lsda + bytes; /* they lie behind the call sites */
    while (lsda < actions) {
        uint32_t from = offset - number(&lsda);
        uint32_t length = number(&lsda);
        uint32_t pad = number(&lsda);
        uint32_t action = number(&lsda); /* from 1; 0: a cleanup */

        if ((int32_t)from < 0) {
            return 0; /* sorted */
        }
        if (from < length) {
            return action == 0 || arch_action_cleans(actions + action - 1) ? pad
                                                                           : 0;
        }
    }
    return 0;
}

/* Unwind instructions: most significant byte of each word first. */
AL_INLINE uint32_t instruction_at(uint32_t at)
{
    return *(const uint8_t *)(at ^ 3);
}

enum arch_frame arch_unwind_leave(struct arch_death *death, uint32_t at);
enum arch_frame arch_unwind_pad(struct arch_death *death, const uint32_t *table,
        const struct index_entry *entry);
uint32_t arch_unwind_special(const struct arch_death *death, uint32_t vsp,
        uint32_t op, uint32_t *at);

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

/* For walk.S: all instructions but the most frequent ones (ARM IHI 0038, table
 * 4), the first byte of which is at *at; left at the last one. */
uint32_t arch_unwind_special(
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
        for (op = instruction_at(++*at); op != 0; op &= op - 1) {
            vsp += 4;
        }
        return vsp;
    }
    if (op == 0xb2) { /* far, in uleb128 */
        vsp += 0x204;
        for (uint32_t shift = 2; (op & 0x80) != 0; shift += 7) {
            op = instruction_at(++*at);
            vsp += (op & 0x7f) << shift;
        }
        return vsp;
    }
#ifdef __ARM_FP
    if (op == 0xc9) {
        op = instruction_at(++*at);
        return pop_vfp(death, vsp, op >> 4, (op & 0xf) + 1);
    }
    if ((op & 0xf8) == 0xd0) {
        return pop_vfp(death, vsp, 8, (op & 7) + 1);
    }
#endif
    return 0;
}

/* What a function that has not done anything yet is left by. */
static const uint32_t nothing_done = 0x80b0b0b0;

void arch_unwind_entry(struct arch_death *death)
{
    death->table = (uint32_t)&nothing_done;
}

/* For walk.S: the frame of a function whose table may have landing pads. */
enum arch_frame arch_unwind_pad(struct arch_death *death, const uint32_t *table,
        const struct index_entry *entry)
{
    uint32_t start = prel31(&entry->function);
    /* The data: behind the personality and the instructions. */
    const uint32_t *lsda = table + 2 + (table[1] >> 24);
    uint32_t pad = pad_in((const uint8_t *)lsda, death->pc - start);

    if (pad == 0) {
        return arch_unwind_leave(death, (uint32_t)table);
    }
    death->table = (uint32_t)table;
    death->pc = start + pad;
    return ARCH_FRAME_PAD;
}
