/* SPDX-License-Identifier: MIT */
/*
 * The walk through a dead task's stack: Exception Handling ABI for the Arm
 * Architecture (ARM IHI 0038), sections 6 and 10, and the language-specific
 * data that GCC and Clang write behind it for cleanups.
 *
 * The walk stands at a frame: task->death has its r4-r11, sp and pc. It looks
 * for the frame's table and landing pad, then interprets the table and stands
 * at the caller's. r9 is never taken from a frame: libc keeps data
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
    uint32_t word;        /* what is left of the present one, in its top */
    uint32_t left;        /* bytes in it */
    const uint32_t *next; /* the one after it */
    uint32_t words;       /* words from `next` on */
};

static uint32_t prel31(const uint32_t *at)
{
    uint32_t offset = *at << 1;

    return (uint32_t)at + (uint32_t)((int32_t)offset >> 1);
}

/* The entry of the function that holds pc, or NULL. */
AL_INLINE const struct index_entry *index_of(uint32_t pc)
{
    const struct index_entry *low = __exidx_start;
    uint32_t count = (uint32_t)(__exidx_end - __exidx_start);
    uint32_t step;

    if (pc - (uint32_t)__al_text_low >=
                    (uint32_t)__al_text_high - (uint32_t)__al_text_low ||
            pc < prel31(&low->function)) {
        return NULL;
    }
    step = 1u << (31 - __builtin_clz(count));
    /* From here on each half is a power of two: no end to look at. */
    if (prel31(&low[count - step].function) <= pc) {
        low += count - step;
    }
    for (step /= 2; step != 0; step /= 2) {
        if (prel31(&low[step].function) <= pc) {
            low += step;
        }
    }
    return low;
}

/* Where the language-specific data of a generic table begins: behind the
 * personality, and the instructions that GNU tables put there. */
static const uint8_t *lsda_of(const uint32_t *table)
{
    return (const uint8_t *)(table + 2 + (table[1] >> 24));
}

/* The bytes behind the first of a longer number. */
__attribute__((noinline)) static uint32_t read_more(
        const uint8_t **at, uint32_t value)
{
    uint32_t shift = 7;
    uint8_t byte;

    value &= 0x7f;
    do {
        byte = *(*at)++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    } while ((byte & 0x80) != 0 && shift < 32);
    return value;
}

AL_INLINE uint32_t read_uleb(const uint8_t **at)
{
    uint32_t value = *(*at)++;

    return value < 0x80 ? value : read_more(at, value);
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

/* One entry of the call-site table: what it covers, and what is there. */
struct call_site {
    uint32_t start;
    uint32_t length;
    uint32_t pad;
    uint32_t action;
};

static uint32_t read_word(const uint8_t **at)
{
    uint32_t value = (uint32_t)(*at)[0] | (uint32_t)(*at)[1] << 8 |
                     (uint32_t)(*at)[2] << 16 | (uint32_t)(*at)[3] << 24;

    *at += 4;
    return value;
}

AL_INLINE struct call_site read_call_site(const uint8_t **at, uint8_t encoding)
{
    struct call_site site;

    if (encoding == ENCODING_ULEB) {
        site.start = read_uleb(at);
        site.length = read_uleb(at);
        site.pad = read_uleb(at);
    } else {
        site.start = read_word(at);
        site.length = read_word(at);
        site.pad = read_word(at);
    }
    site.action = read_uleb(at);
    return site;
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
        struct call_site site = read_call_site(&lsda, encoding);

        if (offset < site.start) {
            return 0; /* sorted */
        }
        if (offset < site.start + site.length) {
            return site.pad != 0 && action_cleans(end, site.action) ? site.pad
                                                                    : 0;
        }
    }
    return 0;
}

static struct instructions instructions_at(const uint32_t *table)
{
    struct instructions i;

    if ((*table & INLINE_TABLE) == 0) {
        table++; /* personality; then words, and three instructions */
        i.words = *table >> 24;
        i.word = *table << 8;
        i.left = 3;
    } else if ((*table >> 24 & 0xf) == 0) {
        i.words = 0;
        i.word = *table << 8;
        i.left = 3;
    } else {
        i.words = *table >> 16 & 0xff;
        i.word = *table << 16;
        i.left = 2;
    }
    i.next = table + 1;
    return i;
}

#define FINISH 0xb0u

AL_INLINE uint32_t next_byte(struct instructions *i)
{
    uint32_t byte;

    if (i->left == 0) {
        if (i->words == 0) {
            return FINISH;
        }
        i->words--;
        i->word = *i->next++;
        i->left = 4;
    }
    i->left--;
    byte = i->word >> 24;
    i->word <<= 8;
    return byte;
}

/*
 * A step's virtual stack pointer is a word, `vsp`; 0 once the tables make no
 * sense. Do [vsp, vsp + bytes) lie in the frames that are left of the stack?
 */
AL_INLINE bool is_readable(
        const struct al_task *task, uint32_t vsp, uint32_t bytes)
{
    uint32_t low = task->death.sp;

    return vsp - low + bytes <= task->stack_high - low;
}

/* Bits that are set in 0 to 15. */
static const uint8_t bits_of[16] = {
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};

/*
 * Pop r4-r15 by mask, bit 0 for r4. A popped pc is a return address like a
 * popped lr; r9 is popped and never used; no compiler pops r12 or sp.
 */
static uint32_t pop_mask(struct al_task *task, uint32_t vsp, uint32_t mask)
{
    const uint32_t *from = (const uint32_t *)vsp;

    if ((mask & 0x300) != 0 ||
            !is_readable(task, vsp,
                    4u * (bits_of[mask & 15] + bits_of[mask >> 4 & 15] +
                                 bits_of[mask >> 8]))) {
        return 0;
    }
    while (mask != 0) {
        uint32_t bit = (uint32_t)__builtin_ctz(mask);

        mask &= mask - 1;
        *(bit < 8 ? &task->death.r[bit] : &task->death.lr) = *from++;
    }
    return (uint32_t)from;
}

/* Pop r4 up to r4 + more, and lr: how most functions begin. */
AL_INLINE uint32_t pop_run(
        struct al_task *task, uint32_t vsp, uint32_t more, bool with_lr)
{
    const uint32_t *from = (const uint32_t *)vsp;
    uint32_t *to = task->death.r;

    if (!is_readable(task, vsp, (more + 2) * 4)) {
        return 0;
    }
    do {
        *to++ = *from++;
    } while (more-- != 0);
    if (with_lr) {
        task->death.lr = *from++;
    }
    return (uint32_t)from;
}

void arch_vfp_load(uint32_t n, const void *from);

/* Pop `count` double registers from number `first` on, and `more` bytes. */
AL_INLINE uint32_t pop_vfp(const struct al_task *task, uint32_t vsp,
        uint32_t first, uint32_t count, uint32_t more)
{
    if (!is_readable(task, vsp, 8 * count)) {
        return 0;
    }
    for (uint32_t n = first; n < first + count; n++) {
        if (n >= 8 && n <= 15) {
            arch_vfp_load(n - 8, (const void *)vsp);
        }
        vsp += 8;
    }
    return vsp + more;
}

/* The operand of 0xb2, several bytes. */
__attribute__((noinline)) static uint32_t big_increment(struct instructions *i)
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

/* Has it an operand byte? */
AL_INLINE bool has_operand(uint32_t op)
{
    return (op & 0xf0) == 0x80 || op == 0xb1 || op == 0xb3 || op == 0xc9;
}

/* All instructions but the most frequent ones (ARM IHI 0038, table 4). */
__attribute__((noinline)) static uint32_t do_special(
        struct al_task *task, uint32_t vsp, uint32_t op, uint32_t operand)
{
    if (op < 0x80) {
        return vsp - ((op & 0x3f) << 2) - 4;
    }
    if (op < 0x90) {
        return pop_mask(task, vsp, (op & 0xf) << 8 | operand);
    }
    if (op >= 0x94 && op < 0x9c) {
        vsp = task->death.r[op - 0x94];
        return vsp % 4 == 0 ? vsp : 0; /* it may be damaged */
    }
    if (op == 0xb1) { /* r0-r3: of no use to a caller */
        return vsp + 4u * bits_of[operand & 15];
    }
    if (op == 0xb3 || op == 0xc9) {
        return pop_vfp(task, vsp, operand >> 4, (operand & 0xf) + 1,
                op == 0xb3 ? 4 : 0);
    }
    if ((op & 0xf8) == 0xb8 || (op & 0xf8) == 0xd0) {
        return pop_vfp(task, vsp, 8, (op & 7) + 1, op < 0xc0 ? 4 : 0);
    }
    return 0;
}

/* Step to the caller by the table at `table`. Not inlined: it is called last,
 * so its frame takes the place of its caller's. */
__attribute__((noinline)) static enum arch_frame leave_frame(
        struct al_task *task, const uint32_t *table)
{
    struct arch_death *death = &task->death;
    struct instructions i = instructions_at(table);
    uint32_t vsp = death->sp;
    uint32_t pc;

    for (;;) {
        uint32_t op = next_byte(&i);

        if (op == FINISH) {
            break;
        }
        if (op < 0x40) {
            vsp += (op << 2) + 4;
        } else if ((op & 0xf0) == 0xa0) {
            vsp = pop_run(task, vsp, op & 7, (op & 8) != 0);
        } else if (op == 0xb2) {
            struct instructions rest = i; /* i itself stays in registers */

            vsp += big_increment(&rest);
            i = rest;
        } else {
            uint32_t operand = has_operand(op) ? next_byte(&i) : 0;

            vsp = do_special(task, vsp, op, operand);
        }
    }
    pc = death->lr & ~1u;
    if (!is_readable(task, vsp, 0) || vsp % 4 != 0 ||
            pc - (uint32_t)__al_text_low >=
                    (uint32_t)__al_text_high - (uint32_t)__al_text_low) {
        return ARCH_FRAME_END;
    }
    death->lr = 0; /* a second frame cannot have left it unsaved */
    death->run_sp = death->sp & ~7u;
    death->sp = vsp;
    death->pc = pc | 1;
    death->exact = 0;
    return ARCH_FRAME_LEFT;
}

extern char al_trampoline_end[];

enum arch_frame arch_unwind_next(struct al_task *task, bool past_pad)
{
    struct arch_death *death = &task->death;
    const uint32_t *table = (const uint32_t *)death->table;

    if (!past_pad) {
        uint32_t pc = (death->pc & ~1u) - (death->exact != 0 ? 0 : 2);
        const struct index_entry *entry;

        /* The outermost frame, known without a search. */
        if (pc + 2 == (uint32_t)al_trampoline_end) {
            return ARCH_FRAME_END;
        }
        entry = index_of(pc);
        if (entry == NULL || entry->content == CANTUNWIND) {
            return ARCH_FRAME_END;
        }
        table = &entry->content;
        if ((*table & INLINE_TABLE) == 0) {
            table = (const uint32_t *)prel31(table);
        }
        if ((*table & INLINE_TABLE) == 0) {
            uint32_t start = prel31(&entry->function);
            uint32_t pad = pad_in(lsda_of(table), pc - start);

            if (pad != 0) {
                death->table = (uint32_t)table;
                death->pad = start + pad;
                return ARCH_FRAME_PAD;
            }
        }
    }
    return leave_frame(task, table);
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
