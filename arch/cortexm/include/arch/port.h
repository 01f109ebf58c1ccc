/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the portable headers need of ARMv7-M and ARMv7E-M: types, and the
 * inlines of the port contract (kernel/arch.h).
 */

#include <alula/types.h>

/*
 * A task's death, and the walk through its stack.
 *
 * The fault and overflow entries fill in `lr` and `trap` to `address` in
 * handler mode; the thread-mode entry of recovery adds r4-r11 and sp as they
 * were. The walk then steps `r`, `sp` and `pc` outwards. entry.S knows the
 * offsets; walk.S, that r4 to lr lie as in an unwind table's mask; port.c, that
 * trap_pc to cfsr lie as in a crash record.
 */
struct arch_death {
    uint32_t r[8];    /* r4-r11 of the frame that the walk stands at */
    uint32_t pc;      /* in the instruction where it stands; its landing pad */
    uint32_t trap_pc; /* where it died */
    uint32_t lr;      /* return address register at the death */
    uint32_t sp;      /* stack pointer there; of the frame */
    uint32_t psr;
    uint32_t cfsr;    /* CFSR at a fault; 0: none */
    uint32_t address; /* MMFAR or BFAR, if valid; of a trap: r12, or sp; of a
                         step: behind what was popped last */
    uint32_t table;   /* this frame's unwind instructions, past its pad */
    uint32_t run_sp;  /* of the frame left last: cleanups run here */
    uint32_t trap;    /* enum arch_trap */
};

/* The return address, as crash records tell it. */
AL_INLINE uintptr_t arch_death_pc(const struct arch_death *death)
{
    return (death->pc + 2) | 1;
}

AL_INLINE uintptr_t arch_death_bound(const struct arch_death *death)
{
    return death->sp;
}

AL_INLINE uintptr_t arch_death_run_sp(const struct arch_death *death)
{
    return death->run_sp;
}

/* 1 to 4 are the numbers of the stack checks' svc instructions. */
enum arch_trap {
    ARCH_TRAP_PANIC = 0,
    ARCH_TRAP_SMALL = 1,
    ARCH_TRAP_LARGE = 2,
    ARCH_TRAP_TABLE = 3,
    ARCH_TRAP_VARIABLE = 4,
    ARCH_TRAP_FAULT = 5,
    ARCH_TRAP_STACK = 6,  /* a fault that the stack pointer caused */
    ARCH_TRAP_NONE = 7,   /* nobody died: a walk that only looks */
    ARCH_TRAP_FORCED = 8, /* killed, and stopped where it was */
};

/*
 * Hardware priorities, 4 bits: 0 fault entries, 15 SVC, PendSV, SysTick (the
 * kernel), 1 to 14 interrupts: level n is hardware priority 14 - n.
 */
#define ARCH_IRQ_LEVELS 14

/*
 * Write and read a scope's four words in one instruction each: compilers use
 * three, and a scope is counted in instructions. Both are compiler barriers:
 * what the block does stays inside the scope.
 */
AL_INLINE void arch_scope_write(
        void *scope, void *arg, void *prev, void (*fn)(void *), void *task)
{
    register void *r0 __asm__("r0") = arg;
    register void *r1 __asm__("r1") = prev;
    register void (*r2)(void *) __asm__("r2") = fn;
    register void *r3 __asm__("r3") = task;

    __asm__ volatile("stmia %4, {%0, %1, %2, %3}"
                     :
                     : "r"(r0), "r"(r1), "r"(r2), "r"(r3), "r"(scope)
                     : "memory");
}

AL_INLINE void arch_scope_read(const void *scope, void **arg, void **prev,
        void (**fn)(void *), void **task)
{
    register void *r0 __asm__("r0");
    register void *r1 __asm__("r1");
    register void (*r2)(void *) __asm__("r2");
    register void *r3 __asm__("r3");

    __asm__ volatile("ldmia %4, {%0, %1, %2, %3}"
                     : "=&r"(r0), "=&r"(r1), "=&r"(r2), "=&r"(r3)
                     : "r"(scope)
                     : "memory");
    *arg = r0;
    *prev = r1;
    *fn = r2;
    *task = r3;
}

/* Barrier before the call of a cleanup at the end of its block; alula-as notes
 * where that call comes back to, for cleanup.c. */
#define arch_scope_closing() __asm__ volatile("@alula: close" ::: "memory")

/* The address in front of this function's own frame. Clang gives its frame
 * pointer, r7, as that: r7 and lr are the frame's topmost words. */
#ifdef __clang__
#  define arch_entry_sp() ((uintptr_t)__builtin_frame_address(0) + 8)
#else
#  define arch_entry_sp() ((uintptr_t)__builtin_dwarf_cfa())
#endif

/* The stack pointer: never 0. */
AL_INLINE uint32_t arch_sp(void)
{
    uint32_t sp;

    __asm__ volatile("mov %0, sp" : "=r"(sp));
    return sp;
}

AL_INLINE bool arch_in_handler(void)
{
    uint32_t ipsr;

    __asm__ volatile("mrs %0, ipsr" : "=r"(ipsr));
    return ipsr != 0;
}

/* ICSR.PENDSVSET (ARM DDI 0403E, B3.2.4). The barrier: the request is there
 * before the handler returns, and PendSV follows it without a step between. */
AL_INLINE void arch_pend_switch_irq(void)
{
    *(volatile uint32_t *)0xe000ed04u = 1u << 28;
    __asm__ volatile("dsb" ::: "memory");
}

/* What arch_switch() is to return to a task that waits: r0 of its saved
 * context; see switch.S. */
#define arch_set_result(task, result) \
  (*(uint32_t *)(task)->sp = (uint32_t)(result))

/* Clear words, eight by two instructions: compilers store them one by one, or
 * call the library. */
AL_INLINE void arch_clear(void *from, size_t bytes)
{
    __asm__ volatile("movs r1, #0\n\t"
                     "movs r2, #0\n\t"
                     "movs r3, #0\n\t"
                     "mov ip, r1\n\t"
                     "b 2f\n"
                     "1:\tstmia %0!, {r1, r2, r3, ip}\n\t"
                     "stmia %0!, {r1, r2, r3, ip}\n"
                     "2:\tsubs %1, #32\n\t"
                     "bhs 1b\n\t"
                     "adds %1, #32\n\t"
                     "beq 4f\n"
                     "3:\tstr r1, [%0], #4\n\t"
                     "subs %1, #4\n\t"
                     "bne 3b\n"
                     "4:"
                     : "+r"(from), "+r"(bytes)
                     :
                     : "r1", "r2", "r3", "ip", "cc", "memory");
}

/* Copy four words: compilers do it one by one, or call the library. */
AL_INLINE void arch_copy_four(void *to, const void *from)
{
    __asm__ volatile("ldmia %1, {r0-r3}\n\t"
                     "stmia %0, {r0-r3}"
                     :
                     : "r"(to), "r"(from)
                     : "r0", "r1", "r2", "r3", "memory");
}

extern char __al_ram_low[];
extern char __al_statics_bytes[]; /* a number */

/* In front of all stacks and of the heap. */
AL_INLINE bool arch_is_static(const void *at)
{
    return (uintptr_t)at - (uintptr_t)__al_ram_low <
           (uintptr_t)__al_statics_bytes;
}

/* The linker's. Behind constants lie the unwind tables and the build id. */
extern char __al_const_low[];
extern char __al_const_bytes[]; /* a number */

#ifdef __OPTIMIZE_SIZE__
#  define ARCH_SUM_WORDS 1u

AL_INLINE uint32_t arch_sum(uint32_t sum, const uint32_t *from)
{
    return (sum >> 7 | sum << 25) + *from;
}

AL_INLINE bool arch_copy_constant(uint32_t *to, const void *from)
{
    (void)to;
    (void)from;
    return false;
}
#else
#  define ARCH_SUM_WORDS 4u

AL_INLINE uint32_t arch_sum(uint32_t sum, const uint32_t *from)
{
    __asm__("ldmia %1, {r2, r3, r4, ip}\n\t"
            "add %0, r2, %0, ror #7\n\t"
            "add %0, r3, %0, ror #7\n\t"
            "add %0, r4, %0, ror #7\n\t"
            "add %0, ip, %0, ror #7"
            : "+r"(sum)
            : "r"(from)
            : "r2", "r3", "r4", "ip", "memory");
    return sum;
}

AL_INLINE bool arch_copy_constant(uint32_t *to, const void *from)
{
    size_t at = (size_t)from - (size_t)__al_const_low;

    if (at >= (size_t)__al_const_bytes) {
        return false;
    }
    to[0] = ((const uint32_t *)from)[0]; /* of any alignment */
    to[1] = ((const uint32_t *)from)[1];
    to[2] = ((const uint32_t *)from)[2];
    return true;
}
#endif

/* The linker's: a number, and the note's address. */
extern char __al_stack_reserve[];
extern char __al_build_id[];

AL_INLINE size_t arch_stack_reserve(void)
{
    return (size_t)__al_stack_reserve;
}

AL_INLINE const uint32_t *arch_build_id(void)
{
    /* Behind the note's header and "GNU". */
    return (const uint32_t *)(const void *)__al_build_id + 4;
}

/* LDREX and STREX; an exception clears the monitor on its way in and out (ARM
 * DDI 0403E, B1.5.6 and B1.5.8). No barrier: there is one core. */
AL_INLINE uintptr_t arch_load_linked(const void *word)
{
    uintptr_t value;

    __asm__ volatile("ldrex %0, [%1]" : "=r"(value) : "r"(word) : "memory");
    return value;
}

AL_INLINE bool arch_store_if(void *word, uintptr_t value)
{
    uint32_t failed;

    __asm__ volatile("strex %0, %2, [%1]"
                     : "=&r"(failed)
                     : "r"(word), "r"(value)
                     : "memory");
    return failed == 0;
}

/* The same for a word at a constant offset in an object; macros, because the
 * offset goes into the instruction. */
#define arch_load_linked_at(object, offset)                   \
  (__extension__({                                            \
  uintptr_t al_value;                                         \
  __asm__ volatile("ldrex %0, [%1, %2]"                       \
                   : "=r"(al_value)                           \
                   : "r"((const void *)(object)), "i"(offset) \
                   : "memory");                               \
  al_value;                                                   \
  }))

#define arch_store_if_at(object, offset, value)                         \
  (__extension__({                                                      \
  uint32_t al_failed;                                                   \
  __asm__ volatile(                                                     \
          "strex %0, %2, [%1, %3]"                                      \
          : "=&r"(al_failed)                                            \
          : "r"((void *)(object)), "r"((uintptr_t)(value)), "i"(offset) \
          : "memory");                                                  \
  al_failed == 0;                                                       \
  }))

/* No walk comes through the function that says so once, which is inlined nowhere:
 * it is left out of the unwind index. */
#ifdef __clang__
#  define arch_never_walked() ((void)0) /* it reads the line by itself */
#else
#  define arch_never_walked() __asm__ volatile(".cantunwind")
#endif

/* The image has function `name`, though nothing calls it: a relocation that
 * relocates nothing. */
#define ARCH_NEEDS(name) __asm__ volatile(".reloc ., R_ARM_NONE, " #name)

/* Keeps a word out of the registers that short instructions need, so that the
 * others suffice for what must have no frame. */
#define arch_set_apart(word) __asm__("" : "+h"(word))

/* Whoever has a handler has what recovers it: entry.S looks for it. */
#define ARCH_IRQ_RECOVERS                      \
  ".pushsection .alula.needs,\"\",%progbits\n" \
  ".word al_irq_recover_entry\n"               \
  ".popsection\n"

/*
 * The entry of a checked handler. r9 belongs to whatever was interrupted; the
 * handler gets the interrupt stack's limit. All that a handler must leave as it
 * was is saved, so that one that dies can be left from wherever it stands: the
 * frame is found by its lowest word, which is there exactly as long as the handler
 * runs: its own end's address plus 1, which no frame pointer is (irqdeath.c).
 */
#define ARCH_IRQ_VENEER(vector, body)                         \
  __asm__(".pushsection .text." #vector ",\"ax\",%progbits\n" \
          ".global " #vector "\n"                             \
          ".type " #vector ", %function\n"                    \
          ".thumb_func\n" #vector ":\n"                       \
          "@alula: unchecked 40\n"                            \
          ".fnstart\n"                                        \
          ".cantunwind\n"                                     \
          "addw r3, sp, #1\n"                                 \
          "push {r3-r11, lr}\n"                               \
          "ldr r9, 1f\n"                                      \
          "bl " #body "\n"                                    \
          "str r9, [sp]\n"                                    \
          "pop {r3-r11, pc}\n"                                \
          ".balign 4\n"                                       \
          "1: .word __al_irq_limit\n"                         \
          ".fnend\n"                                          \
          ".size " #vector ", . - " #vector "\n"              \
          ".popsection\n" ARCH_IRQ_RECOVERS);

/*
 * Marks a raw handler for alula-as and alula-stack. The name keeps compilers
 * from sharing one body between two handlers.
 */
#define ARCH_IRQ_RAW(vector) \
  __asm__ volatile("@alula: raw " #vector "\n" ARCH_IRQ_RECOVERS)

/*
 * The veneer of a callback. Whether the caller runs in a handler or in a task
 * decides whose limit holds: al_callback_limit puts it in r9. ip is free at a
 * call. Each use has a veneer of its own. It has no unwind table, for it stands
 * in the middle of a function's; nor has the code that calls it.
 */
#define ARCH_CALLBACK(fn)                                         \
  (__extension__({                                                \
  __typeof__(&fn) al_pointer;                                     \
  __asm__(".pushsection .text.al_callback_%=,\"ax\",%%progbits\n" \
          ".type al_callback_%=, %%function\n"                    \
          ".thumb_func\nal_callback_%=:\n"                        \
          "@alula: unchecked 8\n"                                 \
          "push {r9, lr}\n"                                       \
          "bl al_callback_limit\n"                                \
          "bl %c1\n"                                              \
          "pop {r9, pc}\n"                                        \
          ".size al_callback_%=, . - al_callback_%=\n"            \
          ".popsection\n"                                         \
          "movw %0, #:lower16:al_callback_%=\n"                   \
          "movt %0, #:upper16:al_callback_%="                     \
          : "=r"(al_pointer)                                      \
          : "i"(fn));                                             \
  al_pointer;                                                     \
  }))

/* The same as a function of its own, with an unwind table: the walk through a
 * stack goes on in who called it. */
#define ARCH_LIBRARY_ENTRY(name, fn)                        \
  __asm__(".pushsection .text." #name ",\"ax\",%progbits\n" \
          ".global " #name "\n"                             \
          ".type " #name ", %function\n"                    \
          ".thumb_func\n" #name ":\n"                       \
          "@alula: unchecked 8\n"                           \
          ".fnstart\n"                                      \
          "push {r9, lr}\n"                                 \
          ".save {r9, lr}\n"                                \
          "bl al_callback_limit\n"                          \
          "bl " #fn "\n"                                    \
          "pop {r9, pc}\n"                                  \
          ".fnend\n"                                        \
          ".size " #name ", . - " #name "\n"                \
          ".popsection\n");

/*
 * For stack.h: a note in .debug_alula, which tools/stacknotes.py reads. The
 * label says which function the statement has come to stand in. As debug
 * information it keeps no function in the image that nothing calls.
 */
#define ARCH_STACK_STATES(kind, number)                          \
  __asm__ volatile(".Lal_stack_%=:\n"                            \
                   ".pushsection .debug_alula,\"\",%%progbits\n" \
                   ".word .Lal_stack_%=, 0\n"                    \
                   ".asciz \"" kind " %c0\"\n"                   \
                   ".balign 4\n"                                 \
                   ".popsection"                                 \
                   :                                             \
                   : "i"(number))

#define ARCH_STACK_CALLS(target)                                 \
  __asm__ volatile(".Lal_stack_%=:\n"                            \
                   ".pushsection .debug_alula,\"\",%%progbits\n" \
                   ".word .Lal_stack_%=, %c0\n"                  \
                   ".asciz \"calls\"\n"                          \
                   ".balign 4\n"                                 \
                   ".popsection"                                 \
                   :                                             \
                   : "i"(target))

/* By a name that C does not know here. */
#define ARCH_STACK_CALLS_NAMED(name)                             \
  __asm__ volatile(".Lal_stack_%=:\n"                            \
                   ".pushsection .debug_alula,\"\",%%progbits\n" \
                   ".word .Lal_stack_%=, 0\n"                    \
                   ".asciz \"calls " name "?\"\n"                \
                   ".balign 4\n"                                 \
                   ".popsection" ::)

#define ARCH_STACK_NOTE(text)                          \
  __asm__(".pushsection .debug_alula,\"\",%progbits\n" \
          ".word 0, 0\n"                               \
          ".asciz \":" text "\"\n"                     \
          ".balign 4\n"                                \
          ".popsection")
