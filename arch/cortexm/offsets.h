/* SPDX-License-Identifier: MIT */
/*
 * Where the assembly finds the fields of C structures. port.c asserts each.
 */
#define TASK_SP         32
#define TASK_LIMIT      36
#define TASK_STACK_LOW  44
#define TASK_STACK_HIGH 48
#define TASK_DEATH      128

#define DEATH_R       (TASK_DEATH + 0)
#define DEATH_PC      (TASK_DEATH + 32)
#define DEATH_TRAP_PC (TASK_DEATH + 36)
#define DEATH_LR      (TASK_DEATH + 40)
#define DEATH_SP      (TASK_DEATH + 44)
#define DEATH_PSR     (TASK_DEATH + 48)
#define DEATH_CFSR    (TASK_DEATH + 52)
#define DEATH_ADDRESS (TASK_DEATH + 56)
#define DEATH_TABLE   (TASK_DEATH + 60)
#define DEATH_RUN_SP  (TASK_DEATH + 64)
#define DEATH_TRAP    (TASK_DEATH + 68)

#define DEATH_BYTES 72

/* Of code, for each of which the walk's index has a place (image.h). The linker
 * script and alula-index take it from __al_unwind_bits (walk.S). */
#ifdef __OPTIMIZE_SIZE__
#  define UNWIND_BITS 12
#else
#  define UNWIND_BITS 9
#endif

#define CORE_CURRENT   0
#define CORE_LOCKED    4
#define CORE_INBOX     8
#define CORE_READY_MAP 12
#define CORE_READY     16

#define INBOX_LEFT 1

#define TRAP_PANIC 0
#define TRAP_FAULT 5
#define TRAP_STACK 6

/* Set in the limit of a task that is killed: above all of RAM, so that its next
 * stack check traps. */
#define LIMIT_KILLED 0x80000000

#define SLACK 64

/* A made exception frame, above the lowest byte of a stack: in the kernel's
 * reserve, with room below it for what an interrupt and a switch push (216,
 * stack.args) and for statistics. */
#define MADE_FRAME 232

#define PANIC_FAULT_1 0x81
#define PANIC_FAULT_2 0x82
#define PANIC_FAULT_3 0x83

#define CAUSE_ASSERT 11
#define CAUSE_PANIC  12
#define CAUSE_CALLER 13

#define TASK_CRASH      76
#define TASK_RECOVER_SP 80
#define TASK_CAUSE      112
#define TASK_DETAIL     116
#define TASK_TEXT       124
#define TASK_TLS        236

#define PANIC_FAULT_4 0x84
