/* SPDX-License-Identifier: MIT */
/*
 * What interrupts and ticks cost. Each is pended by one store, whose operands
 * are at hand, and taken behind it; a barrier of two instructions follows, which
 * belongs to what is counted to the return. See bench.h.
 */
#include "bench.h"

#define NVIC_ISPR0     (*(volatile uint32_t *)0xe000e200u)
#define ICSR           (*(volatile uint32_t *)0xe000ed04u)
#define ICSR_PENDSTSET (1u << 26)

/* Lines without a device on this board, by what their handlers do. */
#define LINE_GIVES          6u  /* PORT0_ALL */
#define LINE_ENTRY          16u /* PORT2_ALL */
#define LINE_RETURN         17u /* PORT3_ALL */
#define LINE_ENTRY_CHECKED  18u /* UARTRX3 */
#define LINE_RETURN_CHECKED 19u /* UARTTX3 */
#define LINE_ROUND_TRIP     20u /* UARTRX4 */
#define LINE_DIES           21u /* UARTTX4 */

static struct al_sem pended = AL_SEM_INIT(0, 1);
static struct al_sem rounds = AL_SEM_INIT(0, 1);
static struct al_sem doze = AL_SEM_INIT(0, 1);
static volatile uint32_t taken; /* interrupts */

/* ---- handlers ---- */

void PORT2_ALL_Handler(void);
void PORT3_ALL_Handler(void);

__attribute__((naked)) void PORT2_ALL_Handler(void)
{
    __asm__ volatile("@alula: unchecked 0\n\t" COUNT_STAMP_ASM "bx lr");
}

/* Marker, a count, and back. */
__attribute__((naked)) void PORT3_ALL_Handler(void)
{
    __asm__ volatile("@alula: unchecked 0\n\tnop\n\tldr r2, =taken\n\t"
                     "ldr r3, [r2]\n\tadds r3, #1\n\tstr r3, [r2]\n\tbx lr");
}

AL_IRQ(UARTRX3_Handler)
{
    __asm__ volatile(COUNT_STAMP_ASM ::: "r2", "r3", "memory");
}

AL_IRQ(UARTTX3_Handler)
{
    BENCH_MARKER();
    taken++;
}

AL_IRQ(PORT0_ALL_Handler)
{
    (void)al_irq_sem_give(&pended);
}

AL_IRQ(UARTRX4_Handler)
{
    (void)al_irq_sem_give(&rounds);
}

__attribute__((noinline)) static void die_in_handler(void)
{
    AL_DEFER(bench_nothing, NULL);
    al_panic("bench");
}

AL_IRQ(UARTTX4_Handler)
{
    die_in_handler();
    taken++;
}

/* ---- tasks ---- */

MEASURES static void pended_once(void)
{
    al_sem_take(&pended);
    series_close(IRQ_TO_TASK, COUNT_CLOSE());
}

static void above_main(void)
{
    for (;;) {
        pended_once();
    }
}

static void rounder_main(void)
{
    for (;;) {
        al_sem_take(&rounds);
        BENCH_MARKER();
    }
}

MEASURES static void doze_once(void)
{
    al_sleep(1);
    series_close(TICK_WAKE, COUNT_CLOSE());
}

static void dozer_main(void)
{
    for (;;) {
        al_sem_take(&doze);
        doze_once();
    }
}

/* ---- rounds ---- */

MEASURES static void to_task_once(void)
{
    COUNT_OPEN_AND_PEND(NVIC_ISPR0, 1u << LINE_GIVES);
}

MEASURES static void entry_once(enum series_key key, uint32_t line)
{
    COUNT_OPEN_AND_PEND(NVIC_ISPR0, 1u << line);
    series_close(key, count_to);
}

MEASURES static void return_once(enum series_key key, uint32_t line)
{
    COUNT_OPEN_AND_PEND(NVIC_ISPR0, 1u << line);
    series_close(key, COUNT_CLOSE());
}

MEASURES static void tick_once(void)
{
    COUNT_OPEN_AND_PEND(ICSR, ICSR_PENDSTSET);
    series_close(TICK_IDLE, COUNT_CLOSE());
}

MEASURES static void tick_to_task_once(void)
{
    COUNT_OPEN_AND_PEND(ICSR, ICSR_PENDSTSET);
}

void bench_interrupts_start(void)
{
    static const uint8_t lines[] = {LINE_GIVES, LINE_ENTRY, LINE_RETURN,
            LINE_ENTRY_CHECKED, LINE_RETURN_CHECKED, LINE_ROUND_TRIP};

    for (unsigned i = 0; i < sizeof(lines); i++) {
        al_irq_enable(lines[i], AL_PRIO_IRQ(1));
    }
}

void bench_interrupts(int i)
{
    to_task_once();
    count_drift(i);
    return_once(IRQ_ROUND_TRIP, LINE_ROUND_TRIP);
    entry_once(IRQ_ENTRY, LINE_ENTRY);
    return_once(IRQ_RETURN, LINE_RETURN);
    count_drift(i);
    entry_once(IRQ_ENTRY_CHECKED, LINE_ENTRY_CHECKED);
    return_once(IRQ_RETURN_CHECKED, LINE_RETURN_CHECKED);
    count_drift(i);
    al_irq_enable(LINE_DIES, AL_PRIO_IRQ(1)); /* its deaths are forgotten */
    return_once(IRQ_PANIC_RETURN, LINE_DIES);
    count_drift(i);
    tick_once();
    (void)al_sem_give(&doze);
    tick_to_task_once();
}

AL_TASK(dozer, dozer_main, 3, 1024);
AL_TASK(above, above_main, 6, 1024);
AL_TASK(rounder, rounder_main, 6, 1024);
