/* SPDX-License-Identifier: MIT */
/*
 * The walk through a dead task's stack: Exception Handling ABI for the Arm
 * Architecture (ARM IHI 0038), sections 6 and 10, and the language-specific
 * data that GCC and Clang write behind it for cleanups.
 *
 * The walk stands at a frame: task->death has its r4-r11, sp and pc. A look
 * finds the frame's table and landing pad; a step interprets the table and
 * stands at the caller's. r9 is never taken from a frame: libc keeps data
 * there. d8-d15 are restored into the registers themselves, because the walk
 * never comes back to an inner frame.
 *
 * Every address that a step derives is checked before it is used: the stack
 * may be damaged. A step that fails changes nothing but r4-r11.
 *
 * Not here: catching. A pad that only catches is not a cleanup and is skipped.
 */
#include "arch.h"
#include "image.h"

#define CANTUNWIND 1u

#define INLINE_TABLE 0x80000000u

/* Unwind instructions, most significant byte of each word first. */
struct instructions {
    const uint32_t *word;
    uint32_t shift; /* of the next byte in *word; 32: next word */
    uint32_t words; /* words that are left after *word */
};

static uint32_t prel31(const uint32_t *at)
{
    uint32_t offset = *at << 1;

    return (uint32_t)at + (uint32_t)((int32_t)offset >> 1);
}

/* The entry of the function that holds pc, or NULL. */
static const struct index_entry *index_of(uint32_t pc)
{
    const struct index_entry *low = __exidx_start;
    const struct index_entry *high = __exidx_end;

    if (pc < (uint32_t)__al_text_low || pc >= (uint32_t)__al_text_high) {
        return NULL;
    }
    while (low < high) {
        const struct index_entry *middle = low + (high - low) / 2;

        if (prel31(&middle->function) > pc) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == __exidx_start ? NULL : low - 1;
}

/* Where the language-specific data of a generic table begins: behind the
 * personality, and the instructions that GNU tables put there. */
static const uint8_t *lsda_of(const uint32_t *table)
{
    return (const uint8_t *)(table + 2 + (table[1] >> 24));
}

static uint32_t read_uleb(const uint8_t **at)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint8_t byte;

    do {
        byte = *(*at)++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 32);
    return value;
}

static int32_t read_sleb(const uint8_t **at)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint8_t byte;

    do {
        byte = *(*at)++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 32);
    if (shift < 32 && (byte & 0x40) != 0) {
        value |= ~0u << shift;
    }
    return (int32_t)value;
}

#define ENCODING_OMIT   0xffu
#define ENCODING_ULEB   0x01u
#define ENCODING_UDATA4 0x03u

static uint32_t read_call_site(const uint8_t **at, uint8_t encoding)
{
    uint32_t value;

    if (encoding == ENCODING_ULEB) {
        return read_uleb(at);
    }
    value = (uint32_t)(*at)[0] | (uint32_t)(*at)[1] << 8 |
            (uint32_t)(*at)[2] << 16 | (uint32_t)(*at)[3] << 24;
    *at += 4;
    return value;
}

/* Does this chain of actions clean up, other than by catching? */
static bool action_cleans(const uint8_t *actions, uint32_t action)
{
    const uint8_t *at = actions + action - 1;

    if (action == 0) {
        return true;
    }
    for (uint32_t guard = 0; guard < 64; guard++) {
        int32_t filter = read_sleb(&at);
        const uint8_t *next = at;
        int32_t offset = read_sleb(&at);

        if (filter == 0) {
            return true;
        }
        if (offset == 0) {
            return false;
        }
        at = next + offset;
    }
    return false;
}

/* The landing pad for the place at `offset` in a function; 0: none. */
static uint32_t pad_in(const uint8_t *lsda, uint32_t offset)
{
    uint8_t encoding = *lsda++;
    uint32_t bytes;
    const uint8_t *end;

    if (encoding != ENCODING_OMIT) {
        return 0; /* landing pads are relative to the function in all we read */
    }
    if (*lsda++ != ENCODING_OMIT) {
        (void)read_uleb(&lsda); /* offset of the types: not needed */
    }
    encoding = *lsda++;
    if (encoding != ENCODING_ULEB && encoding != ENCODING_UDATA4) {
        return 0;
    }
    bytes = read_uleb(&lsda);
    end = lsda + bytes; /* the actions lie behind the call sites */
    while (lsda < end) {
        uint32_t start = read_call_site(&lsda, encoding);
        uint32_t length = read_call_site(&lsda, encoding);
        uint32_t pad = read_call_site(&lsda, encoding);
        uint32_t action = read_uleb(&lsda);

        if (offset < start) {
            return 0; /* sorted */
        }
        if (offset < start + length) {
            return pad != 0 && action_cleans(end, action) ? pad : 0;
        }
    }
    return 0;
}

enum arch_frame arch_unwind_look(struct al_task *task)
{
    struct arch_death *death = &task->death;
    uint32_t pc = (death->pc & ~1u) - (death->exact != 0 ? 0 : 2);
    const struct index_entry *entry = index_of(pc);
    uint32_t pad;

    if (entry == NULL || entry->content == CANTUNWIND) {
        return ARCH_FRAME_END;
    }
    if ((entry->content & INLINE_TABLE) != 0) {
        death->table = (uint32_t)&entry->content;
        return ARCH_FRAME;
    }
    death->table = prel31(&entry->content);
    if ((*(const uint32_t *)death->table & INLINE_TABLE) != 0) {
        return ARCH_FRAME;
    }
    pad = pad_in(lsda_of((const uint32_t *)death->table),
            pc - prel31(&entry->function));
    if (pad == 0) {
        return ARCH_FRAME;
    }
    death->pad = prel31(&entry->function) + pad;
    return ARCH_FRAME_PAD;
}

static struct instructions instructions_at(const uint32_t *table)
{
    struct instructions i;

    if ((*table & INLINE_TABLE) == 0) {
        table++; /* personality; then words, and three instructions */
        i.words = *table >> 24;
        i.shift = 24;
    } else if ((*table >> 24 & 0xf) == 0) {
        i.words = 0;
        i.shift = 24;
    } else {
        i.words = *table >> 16 & 0xff;
        i.shift = 16;
    }
    i.word = table;
    return i;
}

#define FINISH 0xb0u

static uint32_t next_byte(struct instructions *i)
{
    if (i->shift == 0) {
        if (i->words == 0) {
            return FINISH;
        }
        i->words--;
        i->word++;
        i->shift = 32;
    }
    i->shift -= 8;
    return *i->word >> i->shift & 0xff;
}

/* The walk's own view of one step. */
struct step {
    struct al_task *task;
    uint32_t vsp;
    uint32_t pc; /* popped; 0: not yet */
};

/* A word of the stack, if it lies there. */
static bool pop(struct step *s, uint32_t *word)
{
    if (s->vsp % 4 != 0 || s->vsp < s->task->stack_low ||
            s->vsp >= s->task->stack_high) {
        return false;
    }
    *word = *(const uint32_t *)s->vsp;
    s->vsp += 4;
    return true;
}

/* Pop r4-r15 by mask, bit 0 for r4. */
static bool pop_core(struct step *s, uint32_t mask)
{
    struct arch_death *death = &s->task->death;
    uint32_t new_sp = 0;

    for (uint32_t n = 4; mask != 0; n++, mask >>= 1) {
        uint32_t word;

        if ((mask & 1) == 0) {
            continue;
        }
        if (!pop(s, &word)) {
            return false;
        }
        if (n <= 11 && n != 9) {
            death->r[n - 4] = word;
        } else if (n == 13) {
            new_sp = word;
        } else if (n == 14) {
            death->lr = word;
        } else if (n == 15) {
            s->pc = word;
        }
    }
    if (new_sp != 0) {
        s->vsp = new_sp;
    }
    return true;
}

void arch_vfp_load(uint32_t n, const void *from);

/* Pop `count` double registers from number `first` on. */
static bool pop_vfp(struct step *s, uint32_t first, uint32_t count)
{
    for (uint32_t n = first; n < first + count; n++) {
        uint32_t at = s->vsp;
        uint32_t ignored;

        if (!pop(s, &ignored) || !pop(s, &ignored)) {
            return false;
        }
        if (n >= 8 && n <= 15) {
            arch_vfp_load(n - 8, (const void *)at);
        }
    }
    return true;
}

static bool set_vsp(struct step *s, uint32_t n)
{
    const struct arch_death *death = &s->task->death;

    if (n < 4 || n > 11) {
        return false;
    }
    s->vsp = death->r[n - 4];
    return true;
}

static uint32_t big_increment(struct instructions *i)
{
    uint32_t value = 0;
    uint32_t shift = 0;
    uint32_t byte;

    do {
        byte = next_byte(i);
        value |= (byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 32);
    return 0x204 + (value << 2);
}

/* Instructions from 0xa0 on (ARM IHI 0038, table 4). */
static bool do_special(struct step *s, struct instructions *i, uint32_t op)
{
    uint32_t operand;

    if (op < 0xb0) {
        uint32_t mask = (2u << (op & 7)) - 1;

        return pop_core(s, mask | (op >= 0xa8 ? 1u << 10 : 0));
    }
    if (op >= 0xb8 && op < 0xc0) {
        return pop_vfp(s, 8, (op & 7) + 1) && (s->vsp += 4, true);
    }
    if (op >= 0xd0 && op < 0xd8) {
        return pop_vfp(s, 8, (op & 7) + 1);
    }
    switch (op) {
    case 0xb1:
        for (operand = next_byte(i) & 0xf; operand != 0; operand >>= 1) {
            s->vsp += (operand & 1) * 4; /* r0-r3: of no use to a caller */
        }
        return true;
    case 0xb2:
        s->vsp += big_increment(i);
        return true;
    case 0xb3:
        operand = next_byte(i);
        return pop_vfp(s, operand >> 4, (operand & 0xf) + 1) &&
               (s->vsp += 4, true);
    case 0xc9:
        operand = next_byte(i);
        return pop_vfp(s, operand >> 4, (operand & 0xf) + 1);
    default:
        return false;
    }
}

static bool do_instruction(struct step *s, struct instructions *i, uint32_t op)
{
    uint32_t mask;

    if (op < 0x40) {
        s->vsp += (op << 2) + 4;
        return true;
    }
    if (op < 0x80) {
        s->vsp -= ((op & 0x3f) << 2) + 4;
        return true;
    }
    if (op < 0x90) {
        mask = (op & 0xf) << 8 | next_byte(i);
        return mask != 0 && pop_core(s, mask);
    }
    if (op < 0xa0) {
        return set_vsp(s, op & 0xf);
    }
    return do_special(s, i, op);
}

bool arch_unwind_step(struct al_task *task)
{
    struct arch_death *death = &task->death;
    struct instructions i = instructions_at((const uint32_t *)death->table);
    struct step s = {.task = task, .vsp = death->sp, .pc = 0};
    uint32_t op;

    for (op = next_byte(&i); op != FINISH; op = next_byte(&i)) {
        if (!do_instruction(&s, &i, op)) {
            return false;
        }
    }
    if (s.pc == 0) {
        s.pc = death->lr;
        death->lr = 0; /* a second frame cannot have left it unsaved */
    }
    if (s.vsp < death->sp || s.vsp > task->stack_high ||
            (s.pc & ~1u) < (uint32_t)__al_text_low ||
            (s.pc & ~1u) >= (uint32_t)__al_text_high) {
        return false;
    }
    death->run_sp = death->sp & ~7u;
    death->sp = s.vsp;
    death->pc = s.pc;
    death->exact = 0;
    return true;
}

uintptr_t arch_unwind_pc(const struct al_task *task)
{
    return task->death.pc;
}

uintptr_t arch_unwind_bound(const struct al_task *task)
{
    return task->death.sp;
}

uintptr_t arch_unwind_run_sp(const struct al_task *task)
{
    return task->death.run_sp;
}

/*
 * Personality routines are names in tables; the walk reads the tables itself
 * and never calls one.
 */
void __aeabi_unwind_cpp_pr0(void);
void __aeabi_unwind_cpp_pr1(void);
void __aeabi_unwind_cpp_pr2(void);
void __gcc_personality_v0(void);
void __gxx_personality_v0(void);

void __aeabi_unwind_cpp_pr0(void)
{
}

void __aeabi_unwind_cpp_pr1(void)
{
}

void __aeabi_unwind_cpp_pr2(void)
{
}

void __gcc_personality_v0(void)
{
}

/* Weak: a C++ runtime library that is linked has its own. */
__attribute__((weak)) void __gxx_personality_v0(void)
{
}
