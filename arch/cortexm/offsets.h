/* SPDX-License-Identifier: MIT */
/*
 * Where the assembly finds the fields of C structures. port.c asserts each.
 */
#define TASK_SP         0
#define TASK_LIMIT      4
#define TASK_STACK_LOW  12
#define TASK_STACK_HIGH 16
#define TASK_DEATH      168

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

#define PANIC_FAULT_1 0x801
#define PANIC_FAULT_2 0x802
#define PANIC_FAULT_3 0x803

#define CAUSE_ASSERT 11
#define CAUSE_PANIC  12
#define CAUSE_CALLER 13

#define TASK_CRASH      92
#define TASK_RECOVER_SP 96
#define TASK_CAUSE      152
#define TASK_DETAIL     156
#define TASK_TEXT       164
#define TASK_TLS        148

#define PANIC_FAULT_4 0x804
