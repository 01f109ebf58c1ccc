/* SPDX-License-Identifier: MIT */
/*
 * TIM2 of the STM32F405 releases; TIM5, which counts freely with the same
 * clock, measures (ST RM0090, section 18). Both have 32 bits.
 *
 * Why two: on silicon TIM2's own count would do, but in QEMU 7.2 a timer counts
 * on beyond ARR, and it starts each period when the last one's alarm was
 * served, up to an instruction late. So `due` follows the releases: a period
 * after the last one, plus an instruction at most, and never after the handler
 * ran. A release that ends the processor's sleep was held off by no software:
 * what looks late then is the emulator's clock, which oversleeps.
 *
 * No update event is forced (EGR.UG): QEMU would stretch every period by the
 * time before it, and silicon does not need it with PSC at its reset value. The
 * period is ARR + 1 counts on silicon, ARR in QEMU.
 *
 * After a reset QEMU stretches every period in just that way, for its timers
 * count from its own start. So `started` keeps, over resets, for how long they
 * have; it is not exact, for nobody sees a reset happen: what is missing is then
 * measured and made up for (make_up_for_reset()). On silicon none of that is.
 */
#include "periodic.h"

#include <alula/irq.h>
#include <alula/task.h>

#include <board.h>

#define TIM2_IRQ 28u

struct tim {
    uint32_t CR1;
    uint32_t CR2;
    uint32_t SMCR;
    uint32_t DIER;
    uint32_t SR; /* write 0 to clear */
    uint32_t EGR;
    uint32_t CCMR1;
    uint32_t CCMR2;
    uint32_t CCER;
    uint32_t CNT;
    uint32_t PSC;
    uint32_t ARR;
};

#define TIM2 ((volatile struct tim *)0x40000000u)
#define TIM5 ((volatile struct tim *)0x40000c00u)

#define CR1_CEN  1u
#define DIER_UIE 1u
#define SR_UIF   1u

#define COUNTS_US (BOARD_TIMER_HZ / 1000000u)

#define RCC_APB1ENR ((volatile uint32_t *)0x40023840u)

static struct {
    struct al_sem *released; /* const after the start */
    uint32_t counts;         /* period; const after the start */
    uint32_t releases;       /* the handler's */
    uint32_t due;            /* TIM5's count at the newest; the handler's */
} periodic;

/* In QEMU: its time at the newest release or earlier, from its start. */
static struct {
    uint32_t us;
    uint32_t inverse; /* of us, or it is the first start */
} started __attribute__((section(".noinit.periodic")));

static void note_time(uint32_t us)
{
    started.us = us;
    started.inverse = ~us;
}

/* TIM5's count at TIM2's next alarm. Its interrupt is not enabled yet. */
static uint32_t await_alarm(void)
{
    TIM2->SR = ~SR_UIF;
    while ((TIM2->SR & SR_UIF) == 0) {
    }
    return TIM5->CNT;
}

/* By how many microseconds TIM2's period exceeds what ARR says. */
static uint32_t excess_us(uint32_t counts)
{
    uint32_t first = await_alarm();

    return (await_alarm() - first - counts + COUNTS_US / 2) / COUNTS_US;
}

/*
 * The period is ARR more than the emulator's time was, in counts of TIM2, when
 * CNT was 0. The prescaler is for CNT to last for an hour of it. CNT is never
 * set to more than that time: the period would be negative, for QEMU without
 * end. So it is set to a little less, and ARR makes up for the rest.
 */
static void make_up_for_reset(uint32_t counts)
{
    TIM2->CR1 = 0;
    TIM2->ARR = 0;
    TIM2->PSC = COUNTS_US - 1u;
    TIM2->CNT = started.us;
    TIM2->ARR = counts / COUNTS_US;
    TIM2->CR1 = CR1_CEN;
    TIM2->CNT += excess_us(counts) - 2u;
    TIM2->ARR = counts / COUNTS_US - excess_us(counts);
    /* The alarms so far have left one release, which adds a period. */
    note_time(TIM2->CNT - counts / COUNTS_US);
}

AL_IRQ(TIM2_IRQHandler)
{
    uint32_t now = TIM5->CNT;
    uint32_t latest = periodic.due + periodic.counts + BOARD_TIMER_SLIP;
    bool slept = al_task_self()->base_prio == 0;

    TIM2->SR = ~SR_UIF;
    periodic.due = slept || (int32_t)(now - latest) < 0 ? now : latest;
    __atomic_store_n(
            &periodic.releases, periodic.releases + 1u, __ATOMIC_RELEASE);
    if (BOARD_TIMER_OUTLIVES_RESET) {
        note_time(started.us + periodic.counts / COUNTS_US);
    }
    (void)al_irq_sem_give(periodic.released);
}

void al_periodic_start(struct al_sem *released, uint32_t counts)
{
    *RCC_APB1ENR |= 1u << 0 | 1u << 3;
    periodic.released = released;
    periodic.counts = counts;

    TIM5->ARR = 0xffffffffu;
    TIM5->CR1 = CR1_CEN;
    TIM2->ARR = counts;
    TIM2->DIER = DIER_UIE;
    TIM2->SR = ~SR_UIF;
    TIM2->CR1 = CR1_CEN;
    if (BOARD_TIMER_OUTLIVES_RESET && started.inverse == ~started.us) {
        make_up_for_reset(counts);
    } else {
        note_time(0);
    }
    periodic.due = TIM5->CNT;
    al_irq_enable(TIM2_IRQ, AL_PRIO_IRQ(AL_IRQ_LEVELS - 1));
}

uint32_t al_periodic_releases(void)
{
    return __atomic_load_n(&periodic.releases, __ATOMIC_ACQUIRE);
}

uint32_t al_periodic_elapsed(void)
{
    uint32_t due;
    uint32_t now;

    /* Again if a release came between the two reads. */
    do {
        due = __atomic_load_n(&periodic.due, __ATOMIC_RELAXED);
        now = TIM5->CNT;
    } while (due != __atomic_load_n(&periodic.due, __ATOMIC_RELAXED));
    return now - due;
}
