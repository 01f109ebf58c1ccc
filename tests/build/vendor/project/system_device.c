/* SPDX-License-Identifier: MIT */
/*
 * Start-up code as vendors write it. SystemInit comes before memory is
 * initialised: what it keeps must lie elsewhere.
 */
#include "device.h"

uint32_t SystemCoreClock = 16000000u;

/* Not initialised by anybody. */
uint32_t system_init_calls __attribute__((section(".noinit.vendor")));
uint32_t system_init_vtor __attribute__((section(".noinit.vendor")));

void SystemInit(void)
{
    system_init_calls = 0x11170000u + (system_init_calls & 0xffffu) + 1u;
    SCB->CPACR |= 0xfu << 20;
    system_init_vtor = SCB->VTOR;
    SCB->VTOR = 0x08000000u;
    SystemCoreClock = 1;
}

void SystemCoreClockUpdate(void)
{
    SystemCoreClock = 168000000u;
}
