/* SPDX-License-Identifier: MIT */
/* Prints "ok" and "not ok" lines and ends the emulator. */
#include <alula/alula.h>

#include "device.h"
#include "hal.h"

extern uint32_t system_init_calls;
extern uint32_t own_reset_ran;

static struct al_sem sem = AL_SEM_INIT(0, 9);

/* The application has the tick's handler; the kernel is told. */
AL_IRQ(SysTick_Handler)
{
    hal_inc_tick();
    al_irq_tick();
}

AL_IRQ(TIM3_IRQHandler)
{
    hal_tim_irq();
    (void)al_irq_sem_give(&sem);
}

AL_IRQ_RAW(TIM4_IRQHandler)
{
    (void)al_irq_raw_sem_give(&sem);
}

static void semihost(unsigned operation, const void *argument)
{
    register unsigned r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;

    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}

static void check(bool good, const char *name)
{
    semihost(4, good ? "ok " : "not ok ");
    semihost(4, name);
    semihost(4, "\n");
}

static volatile uint32_t word;

static void masks(void)
{
    al_time before = al_now();
    uint32_t own = hal_ticks;

    hal_locked_add(&word, 3, 100000); /* some ten periods */
    check(word == 3, "the vendor's lock");
    check(al_now() - before > 5 && hal_ticks - own < 3,
            "its ticks are lost, the kernel's are made up");
    before = al_now();
    hal_raise_and_wait(1, 100000);
    check(al_now() - before > 5, "the same under BASEPRI");
    check(__get_PRIMASK() == 0 && __get_BASEPRI() == 0, "both are off again");
}

static void interrupts(void)
{
    NVIC_SetPriority(TIM3_IRQn, 9);
    NVIC_EnableIRQ(TIM3_IRQn);
    NVIC_SetPriority(TIM4_IRQn, 1);
    NVIC_EnableIRQ(TIM4_IRQn);
    NVIC_SetPendingIRQ(TIM3_IRQn);
    NVIC_SetPendingIRQ(TIM4_IRQn);
    al_sem_take(&sem);
    al_sem_take(&sem);
    check(hal_tim_calls == 1 && al_sem_count(&sem) == 0,
            "handlers that CMSIS enabled");
    check(NVIC_GetPriority(PendSV_IRQn) == 15 &&
                    NVIC_GetPriority(SysTick_IRQn) == 15,
            "the kernel is below all");
}

static void main_task(void)
{
    al_time start;
    uint32_t own;
    int32_t early;

    check((system_init_calls >> 16) == 0x1117, "SystemInit() was called");
    check(SystemCoreClock == 16000000u, "before memory was initialised");
    check(SCB->VTOR != 0 && (SCB->CPACR >> 20 & 15) == 15,
            "the kernel's vectors hold");
    hal_init();
    check(SystemCoreClock == 168000000u, "the vendor's clock is known");
    early = al_sem_count(&sem);
    while (al_sem_try_take(&sem) == AL_OK) {
    }
    start = al_now();
    own = hal_ticks;
    hal_delay(20);
    check(al_now() - start >= 19 && al_now() - start <= 21,
            "both count the ticks");
    al_sleep(7);
    check(hal_ticks - own >= 26 && hal_ticks - own <= 30, "and in sleep");
    masks();
    interrupts();
#ifndef OWN_RESET
    check(early == 0, "no interrupt came early");
#else
    check(own_reset_ran == 0x0e5e7u, "the application's start-up ran");
    check(early == 1, "the interrupt that it left came, once");
#endif
    semihost(4, "end\n");
    semihost(0x18, (const void *)0x20026);
}
AL_TASK(main_task_, main_task, 5, 1024);
