/* SPDX-License-Identifier: MIT */
/*
 * The port contract in C: contexts, interrupts, the tick, deaths. What needs
 * registers lies in switch.S and entry.S, the walk through a stack in
 * unwind.c, start-up in start.c.
 */
#include "registers.h"

#include "arch.h"
#include "crash.h"
#include "image.h"
#include "panic.h"
#include "recover.h"
#include "softlock.h"
#include "stat.h"
#include "task.h"
#include "time.h"
#include "unwind.h"

#include <alula/irq.h>
#include <alula/scope.h>

#include <board.h>
#include <chip.h>

/* offsets.h names some constants that the headers name, too: same values. */
#include "offsets.h"

#define AT(field, offset)                                       \
  AL_STATIC_ASSERT(offsetof(struct al_task, field) == (offset), \
          "offsets.h is out of date: " #field)
AT(sp, TASK_SP);
AT(limit, TASK_LIMIT);
AT(stack_low, TASK_STACK_LOW);
AT(stack_high, TASK_STACK_HIGH);
AT(crash, TASK_CRASH);
AT(death.r, DEATH_R);
AT(death.sp, DEATH_SP);
AT(death.pc, DEATH_PC);
AT(death.table, DEATH_TABLE);
AT(death.run_sp, DEATH_RUN_SP);
AT(death.trap, DEATH_TRAP);
AT(death.trap_pc, DEATH_TRAP_PC);
AT(death.lr, DEATH_LR);
AT(death.psr, DEATH_PSR);
AT(death.cfsr, DEATH_CFSR);
AT(death.address, DEATH_ADDRESS);
AT(recover_sp, TASK_RECOVER_SP);
AT(cause, TASK_CAUSE);
AT(detail, TASK_DETAIL);
AT(text, TASK_TEXT);
AL_STATIC_ASSERT(
        offsetof(struct al_core, current) == CORE_CURRENT &&
                offsetof(struct al_core, locked) == CORE_LOCKED &&
                offsetof(struct al_core, inbox) == CORE_INBOX &&
                AL_CORE_LOCKED == CORE_LOCKED && AL_CORE_INBOX == CORE_INBOX &&
                offsetof(struct al_core, ready_map) == CORE_READY_MAP &&
                offsetof(struct al_core, ready) == CORE_READY,
        "offsets.h is out of date: struct al_core");
AL_STATIC_ASSERT(DEATH_LR == DEATH_TRAP_PC + 4 &&
                         DEATH_ADDRESS == DEATH_CFSR + 4 &&
                         TASK_DEATH == TASK_CAUSE + 16 &&
                         TASK_STACK_HIGH == TASK_STACK_LOW + 4 &&
                         CORE_LOCKED == CORE_CURRENT + 4,
        "entry.S moves them in pairs");
AL_STATIC_ASSERT(offsetof(struct al_scope, arg) == 0 &&
                         offsetof(struct al_scope, prev) == 4 &&
                         offsetof(struct al_scope, fn) == 8 &&
                         offsetof(struct al_scope, task) == 12,
        "arch_scope_write() stores them in this order");
AL_STATIC_ASSERT(offsetof(struct al_crash_record, psr) ==
                                 offsetof(struct al_crash_record, pc) + 12 &&
                         DEATH_PSR == DEATH_TRAP_PC + 12,
        "arch_death_describe() copies pc, lr, sp, psr");
AL_STATIC_ASSERT(offsetof(struct al_crash_record, text) ==
                                 offsetof(struct al_crash_record, cause) + 12 &&
                         TASK_TEXT == TASK_CAUSE + 12,
        "crash_open() copies cause, detail, text");
AL_STATIC_ASSERT(RECOVER_WALK == 0 && RECOVER_LEAVE == 1,
        "recover_continue() hands the phase to arch_unwind_next()");
AL_STATIC_ASSERT((int)ARCH_TRAP_PANIC == TRAP_PANIC &&
                         (int)ARCH_TRAP_FAULT == TRAP_FAULT &&
                         (int)ARCH_TRAP_STACK == TRAP_STACK &&
                         (int)AL_CAUSE_PANIC == CAUSE_PANIC &&
                         (int)AL_CAUSE_ASSERT == CAUSE_ASSERT &&
                         (int)AL_CAUSE_CALLER == CAUSE_CALLER,
        "offsets.h is out of date: enumerations");

/* A saved context that was made by a call; see switch.S. */
struct called_context {
    uint32_t r0;
    uint32_t r4;
    uint32_t r5;
    uint32_t r6_to_r8[3];
    uint32_t r9;
    uint32_t r10_to_r11[2];
    uint32_t pc;
};

AL_STATIC_ASSERT(
        BOARD_COUNTER_HZ % AL_TICK_HZ == 0 && CHIP_SYSTICK_HZ % AL_TICK_HZ == 0,
        "a tick must last a whole number of counts");
AL_STATIC_ASSERT(sizeof(struct called_context) == 40, "as switch.S pops it");

/* An exception frame as far as handlers read it. */
struct exception_frame {
    uint32_t r[4];
    uint32_t r12;
    uint32_t lr;
    uint32_t pc;
    uint32_t psr;
};

void al_trampoline(void);

void arch_task_prepare(
        struct al_task *task, uintptr_t sp, void (*entry)(void *), void *args)
{
    struct called_context *context =
            (struct called_context *)(sp - sizeof(*context));

    context->r4 = (uint32_t)entry;
    context->r5 = (uint32_t)args;
    context->r9 = task->limit;
    context->pc = (uint32_t)al_trampoline;
    task->sp = context;
}

#if AL_CFG_STAT_RUNTIME
/* What switch.S counts by: the counter at the last switch, and where it is. */
extern struct run_clock {
    uint32_t last;
    volatile uint32_t *counter;
} arch_run_clock;
struct run_clock arch_run_clock = {0, &CHIP_COUNTER};

uint64_t arch_run_counts(const struct al_task *task)
{
    uint64_t counts;

    softlock_take();
    counts = stat_of(task)->run;
    if (task == al_core.current) {
        counts += CHIP_COUNTER - arch_run_clock.last;
    }
    softlock_leave();
    return counts;
}
#endif

void arch_pend_switch(void)
{
    ICSR = ICSR_PENDSVSET;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

extern char al_idle_woken[];

__attribute__((noinline)) void arch_idle(void)
{
    __asm__ volatile("wfi\n"
                     ".global al_idle_woken\n"
                     "al_idle_woken:" ::
                             : "memory");
}

/* Nothing ran between the processor's sleep and this handler. */
bool arch_overslept(void)
{
    const uint32_t *frame;

    __asm__("mrs %0, psp" : "=r"(frame));
    return BOARD_OVERSLEEPS && (ICSR & ICSR_RETTOBASE) != 0 &&
           frame[6] == (uint32_t)al_idle_woken;
}

/* The processor has priorities 0 (most urgent) to 15 in the upper 4 bits. */
static uint8_t hardware_prio(uint32_t level)
{
    return (uint8_t)((ARCH_IRQ_LEVELS - level) << 4);
}

uint32_t arch_irq_lines(void)
{
#define IRQ(number, name) [number] = 0,
    static const char lines[] = {
#include <irq.def>
    };
#undef IRQ

    return sizeof(lines) < AL_CFG_IRQ_LINES ? sizeof(lines) : AL_CFG_IRQ_LINES;
}

void arch_irq_enable(uint32_t line, uint32_t level)
{
    NVIC_IPR[line] = hardware_prio(level);
    NVIC_ISER[line / 32] = 1u << line % 32;
}

void arch_irq_disable(uint32_t line)
{
    NVIC_ICER[line / 32] = 1u << line % 32;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void arch_boot_open(void)
{
    __asm__ volatile("cpsie i" ::: "memory");
}

void arch_boot_tick(void)
{
    chip_counter_start();
    time_start(CHIP_COUNTER, BOARD_COUNTER_HZ / AL_TICK_HZ);
    SYST_RVR = CHIP_SYSTICK_HZ / AL_TICK_HZ - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE;
}

void arch_pend_tick(void)
{
    ICSR = ICSR_PENDSTSET;
    __asm__ volatile("dsb\n\tisb" ::: "memory");
}

void SysTick_Handler(void);

/* Raw: time_tick() and all below it run unchecked, as part of the kernel. */
__attribute__((weak)) void SysTick_Handler(void)
{
    arch_never_walked();
    time_tick(CHIP_COUNTER);
}

void al_irq_tick(void)
{
    uint32_t ipsr;

    __asm__ volatile("mrs %0, ipsr" : "=r"(ipsr));
    CALLER_MUST(IRQ, 2, ipsr == 15);
    time_tick(CHIP_COUNTER);
}

void arch_irq_unhandled(const struct exception_frame *frame);

/* What an interrupt that nobody handles leaves: who and where it interrupted,
 * and its line. */
static void record_unhandled(uint32_t line, const struct exception_frame *frame)
{
    struct al_crash_record *record = crash_open(al_core.current);

    record->cause = AL_CAUSE_INTERRUPT;
    record->detail[0] = line;
    record->detail[1] = 0;
    record->text = 0;
    record->pc = frame->pc;
    record->lr = frame->lr;
    record->sp = (uint32_t)frame;
    record->psr = frame->psr;
    record->fault_status = 0;
    record->fault_address = 0;
    record->pcs[0] = frame->pc;
    crash_close(record);
}

/* A line that was enabled without a handler: off, so that it cannot storm, and
 * recorded, once there is a task. At any moment: the lock is not needed. Not an
 * al_ function: those are checked, and here r9 is the interrupted task's. */
void arch_irq_unhandled(const struct exception_frame *frame)
{
    uint32_t ipsr;

    __asm__ volatile("mrs %0, ipsr" : "=r"(ipsr));
    arch_irq_disable(ipsr - 16);
    if (al_core.current != NULL && al_core.current->def != NULL) {
        record_unhandled(ipsr - 16, frame);
    }
}

bool arch_is_ram(uintptr_t at, size_t bytes)
{
    uintptr_t low = (uintptr_t)__al_ram_low;
    uintptr_t high = (uintptr_t)__al_ram_high;

    if (at - CHIP_RAM2_BASE < CHIP_RAM2_BYTES) {
        low = CHIP_RAM2_BASE;
        high = CHIP_RAM2_BASE + CHIP_RAM2_BYTES;
    }
    return at >= low && at < high && bytes <= high - at;
}

__attribute__((noinline)) AL_NORETURN void arch_reset(void)
{
    __asm__ volatile("dsb" ::: "memory");
    AIRCR = AIRCR_VECTKEY | AIRCR_SYSRESETREQ;
    for (;;) {
        arch_idle();
    }
}

#ifdef __ARM_FP
#  define HAS_FPU true
#else
#  define HAS_FPU false
#endif

#define PSR_ALIGN       0x200u /* the frame has a word of padding */
#define FPU_FRAME_BYTES 72u

#define EXC_RETURN_BASIC 0x10u /* set: the frame has no FPU part */

bool arch_trap_is_real(const struct exception_frame *frame,
        const struct al_task *task, uint32_t number, uint32_t exc_return);

/*
 * Is the stack check that trapped right? A callback that precompiled code
 * calls without a veneer compares with garbage: then the task's own limit
 * decides.
 */
bool arch_trap_is_real(const struct exception_frame *frame,
        const struct al_task *task, uint32_t number, uint32_t exc_return)
{
    uint32_t sp = (uint32_t)frame + sizeof(*frame);

    if (HAS_FPU && (exc_return & EXC_RETURN_BASIC) == 0) {
        sp += FPU_FRAME_BYTES;
    }
    if ((frame->psr & PSR_ALIGN) != 0) {
        sp += 4;
    }
    switch (number) {
    case ARCH_TRAP_SMALL:
        return sp < task->limit;
    case ARCH_TRAP_LARGE:
        return frame->r12 < task->limit;
    case ARCH_TRAP_TABLE:
        return sp - (arch_frame_of(frame->pc) - SLACK) < task->limit;
    default:
        return true;
    }
}

AL_NORETURN void arch_recover_captured(
        struct al_task *task, struct arch_death *death);

/* Thread mode, in the dying task, whose `death` is: where does the walk
 * begin? */
AL_NORETURN void arch_recover_captured(
        struct al_task *task, struct arch_death *death)
{
    enum recover_phase phase = RECOVER_WALK;

    death->run_sp = death->sp & ~7u;
    death->pc = death->trap_pc;
    if (death->trap == ARCH_TRAP_STACK) {
        death->sp = death->address;
        death->trap_pc = 0; /* the frame that knew is not to be trusted */
        death->lr = 0;
        death->psr = 0;
        phase = RECOVER_REST;
    } else if (death->sp < task_recovery_limit(task->def) ||
               death->sp > task->stack_high) {
        if (death->trap != ARCH_TRAP_PANIC) {
            death->trap = ARCH_TRAP_STACK;
        }
        phase = RECOVER_REST;
    } else if (death->trap == ARCH_TRAP_PANIC) {
        death->pc -= 2; /* behind a call */
    } else if (death->trap <= ARCH_TRAP_TABLE) {
        arch_unwind_entry(death);
        phase = RECOVER_LEAVE;
    }
    if (phase == RECOVER_REST) {
        death->run_sp = task_floor(task->def);
    } else if (death->trap == ARCH_TRAP_FORCED) {
        phase = RECOVER_REST; /* anywhere: no table is right everywhere */
    }
    recover_begin(task, phase);
}

/* The cause that CFSR tells; the more special bit first. */
static uint32_t cause_of_fault(const struct arch_death *death)
{
    if ((death->cfsr & CFSR_DIVBYZERO) != 0) {
        return AL_CAUSE_DIV0;
    }
    if ((death->cfsr & CFSR_UNALIGNED) != 0) {
        return AL_CAUSE_ALIGN;
    }
    if ((death->cfsr & (CFSR_UNDEFINSTR | CFSR_INVSTATE | CFSR_NOCP)) != 0) {
        return AL_CAUSE_UNDEF;
    }
    if ((death->cfsr & (CFSR_DACCVIOL | CFSR_IACCVIOL)) != 0) {
        return death->address < CHIP_NULL_GUARD_BYTES ? AL_CAUSE_NULL
                                                      : AL_CAUSE_ACCESS;
    }
    if ((death->cfsr & (CFSR_PRECISERR | CFSR_IMPRECISERR | CFSR_IBUSERR)) !=
            0) {
        return AL_CAUSE_BUS;
    }
    return AL_CAUSE_FAULT;
}

void arch_death_describe(
        const struct arch_death *death, struct al_crash_record *record)
{
    /* Its fields are in reach of short instructions, from it. */
    __asm__("" : "+r"(death));
    arch_copy_four(&record->pc, &death->trap_pc);
    record->fault_status = death->cfsr;
    record->fault_address = 0;
    if (record->cause != AL_CAUSE_NONE && death->trap <= ARCH_TRAP_VARIABLE) {
        return; /* a panic; or killed, and found by a stack check */
    }
    switch ((enum arch_trap)death->trap) {
    case ARCH_TRAP_PANIC:
    case ARCH_TRAP_FORCED:
        return;
    case ARCH_TRAP_SMALL:
        record->cause = AL_CAUSE_OVERFLOW;
        record->detail[0] = SLACK; /* at most: the table has larger ones */
        return;
    case ARCH_TRAP_LARGE:
    case ARCH_TRAP_TABLE:
        record->cause = AL_CAUSE_OVERFLOW;
        record->detail[0] = arch_frame_of(death->trap_pc);
        return;
    case ARCH_TRAP_VARIABLE:
        record->cause = AL_CAUSE_VLA;
        return;
    case ARCH_TRAP_FAULT:
        record->cause = cause_of_fault(death);
        record->fault_address = death->address;
        record->detail[0] = death->address;
        return;
    case ARCH_TRAP_STACK:
        record->cause = AL_CAUSE_STACK;
        record->detail[0] = death->sp;
        return;
    case ARCH_TRAP_NONE:
        return;
    }
}
