/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Arm MPS2 with the FPGA images AN385 (Cortex-M3) and AN386 (Cortex-M4):
 * memory map and clocks. Arm Application Notes 385 and 386, section 3.
 *
 * There is no flash: code lies in the RAM at address 0, write-protected by the
 * protection unit. The first KiB holds the boot vectors only, and is guarded.
 */

#include <stdint.h>

#define CHIP_FLASH_BASE 0x00000000u
#define CHIP_FLASH_LOG2 22 /* 4 MiB of ZBT SSRAM1 */

#define CHIP_NULL_GUARD_LOG2  10
#define CHIP_NULL_GUARD_BYTES (1u << CHIP_NULL_GUARD_LOG2)

/* A second RAM, for al_heap_add(): PSRAM. */
#define CHIP_RAM2_BASE  0x21000000u
#define CHIP_RAM2_BYTES 0x1000000u

#define CHIP_SYSTICK_HZ 25000000u

/* The FPGA's cycle counter (Application Note 385, section 3.9): 32 bits, counts
 * up by itself, whatever is masked. The kernel finds missed ticks by it. */
#define CHIP_COUNTER (*(volatile uint32_t *)0x40028018u)

static inline void chip_counter_start(void)
{
    *(volatile uint32_t *)0x4002801cu = 0; /* PRESCALE: every cycle */
}
