/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * STM32F405: memory map and clocks. ST RM0090 revision 19, section 2.3, and
 * data sheet DocID022152.
 *
 * Main SRAM is 112 + 16 KiB in one piece from 0x20000000. The 64 KiB of CCM at
 * 0x10000000 are out of reach of DMA and of instruction fetches; images' default
 * map leaves them alone. The emulator has none: an access there is a bus fault.
 */

#include <stdint.h>

#define CHIP_FLASH_BASE 0x08000000u
#define CHIP_FLASH_LOG2 20 /* 1 MiB */

/* Nothing below the flash is ever accessed: its alias at 0 least of all. */
#define CHIP_NULL_GUARD_LOG2  27
#define CHIP_NULL_GUARD_BYTES (1u << CHIP_NULL_GUARD_LOG2)

/* A second RAM, for al_heap_add(): CCM. */
#define CHIP_RAM2_BASE  0x10000000u
#define CHIP_RAM2_BYTES 0x10000u

/* SysTick counts processor cycles. */
#define CHIP_SYSTICK_HZ 168000000u

/*
 * TIM5 counts freely with the clock of the timers of APB1, whatever is masked
 * (RM0090, section 18): the kernel finds missed ticks by it. Anybody may read
 * it, nobody else may set it.
 */
#define CHIP_COUNTER (*(volatile uint32_t *)0x40000c24u)

static inline void chip_counter_start(void)
{
    *(volatile uint32_t *)0x40023840u |= 1u << 3;    /* RCC_APB1ENR.TIM5EN */
    *(volatile uint32_t *)0x40000c2cu = 0xffffffffu; /* ARR */
    *(volatile uint32_t *)0x40000c00u = 1u;          /* CR1.CEN */
}
