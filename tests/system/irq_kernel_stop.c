/* SPDX-License-Identifier: MIT */
/*
 * Claim: what no task can answer for is the kernel stop, with the right record,
 * and nothing after it runs but the board's last word.
 *   1. each case after a fresh start of the board: in a handler a fault and a
 *      panic with the kernel lock taken by it, and a fault after it has
 *      overwritten its way back, also where another handler's lies above; in a
 *      task a fault and a panic with the kernel lock held; a post that was
 *      overwritten; an NMI; a HardFault by a breakpoint; a cleanup that spoils
 *      what recovery noted, and dies
 *   2. board_stop(), this test's, finds interrupts masked and the newest
 *      record: cause "kernel", module and number, the interrupted task's name
 *   3. the board restarts, the records are still there; after the last case
 *      everything is told
 * Fails if: a handler that took the lock is recovered, or one is left by another's
 * way back, or kernel_stop leaves interrupts open.
 * builds: gcc-Os-small gcc-O2 clang-O2
 * sources: ../interleave/rig.c
 * recovers: null panic | lock |
 *     in a task, or a handler that took it: kernel stop with a record of cause
 *     kernel | -
 * recovers: kernel | nested exception |
 *     a handler's way back, or an object on the inbox, that was overwritten;
 *     an NMI without a handler: kernel stop | -
 */
#include "../interleave/rig.h"

#include "test.h"

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define MAGIC 0x73746f70u

/* Outlives the restarts. */
static struct {
    uint32_t magic;
    uint32_t at;    /* the case that runs */
    uint32_t right; /* bit n: case n ended as it should */
    uint32_t module[32];
    uint32_t number[32];
} log __attribute__((section(".noinit.test")));

static struct al_sem sem = AL_SEM_INIT(0, 5);
static volatile uint32_t zero;

static void fault(void)
{
    zero = *(volatile uint32_t *)(uintptr_t)zero;
}

/* As the kernel takes it in a handler. */
static void locked_fault(void)
{
    *(volatile uint32_t *)&al_core.locked = arch_sp();
    fault();
}

static void locked_panic(void)
{
    *(volatile uint32_t *)&al_core.locked = arch_sp();
    al_panic("in a handler, in the lock");
}

extern uint32_t __al_irq_stack_top[];

/* All frames, its way back among them. */
static void smashed_frames(void)
{
    volatile uint32_t *at = (volatile uint32_t *)(arch_sp() & ~3u);

    while (at < __al_irq_stack_top) {
        *at++ = 0;
    }
    fault();
}

/* The mark of its own frame only. */
static void lost_mark(unsigned n, const struct rig_hit *hit)
{
    uint32_t *at = (uint32_t *)(arch_sp() & ~3u);

    (void)n;
    (void)hit;
    while (*at != (uint32_t)(at + 10) + 1) {
        at++;
    }
    *at = 0;
    fault();
}

/* The next frame is that of the handler that it interrupted. */
static void nested_lost_mark(void)
{
    rig_pend(1, lost_mark);
}

static void in_lock(void)
{
    *(volatile uint32_t *)&al_core.locked = 1;
}

static void fault_in_lock(void)
{
    in_lock();
    fault();
}

static void panic_in_lock(void)
{
    in_lock();
    al_panic("in the lock");
}

static void give_posted(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    sem.count = -1;
    (void)al_irq_sem_give(&sem);
}

static void bad_post(void)
{
    in_lock();
    rig_pend(1, give_posted);
    sem.post.tag = 99;
    *(volatile uint32_t *)&al_core.locked = 0;
    rig_pend_switch();
}

static void nmi(void)
{
    REG(0xe000ed04u) = 1u << 31;
    for (;;) {
    }
}

/* Is it the debugger's that is not there? Else a fault above all others. */
static void breakpoint(void)
{
    __asm__ volatile("bkpt #1");
}

/* Recovery's own notes are overwritten by a cleanup, which dies. */
static void lost_phase(void *arg)
{
    (void)arg;
    al_task_self()->phase = 0;
    fault();
}

static void recovery_fails(void)
{
    AL_DEFER(lost_phase, NULL);
    al_panic("whose cleanup spoils it");
}

static const struct {
    const char *name;
    void (*run)(void);
    bool in_handler;
    uint32_t module, number; /* kernel/panics.def */
} cases[] = {
        {"null in a handler, in its lock", locked_fault, true, 8, 2},
        {"panic in a handler, in its lock", locked_panic, true, 8, 3},
        {"a handler's way back overwritten", smashed_frames, true, 8, 2},
        {"a nested handler's mark lost", nested_lost_mark, true, 8, 2},
        {"null in the lock", fault_in_lock, false, 8, 1},
        {"panic in the lock", panic_in_lock, false, 8, 3},
        {"a post overwritten", bad_post, false, 7, 1},
        {"NMI", nmi, false, 8, 4},
        {"breakpoint, no debugger", breakpoint, false, 8, 4},
        {"recovery cannot go on", recovery_fails, false, 6, 1}, /* the last */
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

void board_start(void)
{
}

AL_NORETURN void board_stop(void)
{
    struct al_crash_record record = {.cause = 0};
    uint32_t primask;
    uint32_t at = log.at;
    uint32_t deaths = at == CASES - 1 ? at + 2 : at + 1; /* it was dying */

    __asm__ volatile("mrs %0, primask" : "=r"(primask));
    if (al_crash_read(al_crash_count(), &record) == AL_OK) {
        log.module[at] = record.detail[0];
        log.number[at] = record.detail[1];
        if (primask == 1 && record.cause == AL_CAUSE_KERNEL &&
                record.task[0] == 'v' && al_crash_count() == deaths &&
                record.detail[0] == cases[at].module &&
                record.detail[1] == cases[at].number) {
            log.right |= 1u << at;
        }
    }
    log.at++;
    al_reset();
}

static void in_handler(unsigned n, const struct rig_hit *hit)
{
    (void)n;
    (void)hit;
    cases[log.at].run();
}

static void tell(void)
{
    for (unsigned n = 0; n < CASES; n++) {
        CHECK((log.right >> n & 1) != 0, "%s: %u.%u", cases[n].name,
                (unsigned)log.module[n], (unsigned)log.number[n]);
    }
    log.magic = 0;
    test_done();
}

static void victim_main(void)
{
    if (log.magic != MAGIC || log.at > CASES) {
        log.magic = MAGIC;
        log.at = 0;
        log.right = 0;
    }
    if (log.at == CASES) {
        tell();
    }
    rig_start();
    if (cases[log.at].in_handler) {
        rig_pend(0, in_handler);
    } else {
        cases[log.at].run();
    }
    /* Came back: that is wrong. */
    log.module[log.at] = 99;
    log.at++;
    al_reset();
}

AL_TASK(victim, victim_main, 5, 2048);
