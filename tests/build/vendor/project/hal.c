/* SPDX-License-Identifier: MIT */
#include "hal.h"

#include "device.h"

volatile uint32_t hal_ticks;
volatile uint32_t hal_tim_calls;

void hal_init(void)
{
    SystemCoreClockUpdate();
    (void)SysTick_Config(SystemCoreClock / 1000u);
}

void hal_inc_tick(void)
{
    hal_ticks = hal_ticks + 1u;
}

void hal_delay(uint32_t ticks)
{
    uint32_t from = hal_ticks;

    while (hal_ticks - from < ticks) {
    }
}

static void loop(uint32_t loops)
{
    for (volatile uint32_t i = 0; i < loops; i++) {
        __NOP();
    }
}

uint32_t hal_locked_add(volatile uint32_t *to, uint32_t n, uint32_t loops)
{
    uint32_t primask = __get_PRIMASK();
    uint32_t sum;

    __disable_irq();
    sum = *to + n;
    loop(loops);
    *to = sum;
    __set_PRIMASK(primask);
    return sum;
}

void hal_raise_and_wait(uint32_t prio, uint32_t loops)
{
    uint32_t basepri = __get_BASEPRI();

    __set_BASEPRI(prio << (8 - __NVIC_PRIO_BITS));
    loop(loops);
    __set_BASEPRI(basepri);
}

void hal_tim_irq(void)
{
    hal_tim_calls = hal_tim_calls + 1u;
}
