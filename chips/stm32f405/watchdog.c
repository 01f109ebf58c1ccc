/* SPDX-License-Identifier: MIT */
/*
 * The independent watchdog (RM0090, section 21): a 12-bit counter on the LSI
 * oscillator, 32 kHz, from 17 to 47. The board restarts without a warning.
 */
#include "services/guard.h"

#define REG(offset) (*(volatile uint32_t *)(0x40003000u + (offset)))

#define IWDG_KR  REG(0x00)
#define IWDG_PR  REG(0x04)
#define IWDG_RLR REG(0x08)

#define KEY_START  0xccccu
#define KEY_UNLOCK 0x5555u
#define KEY_FEED   0xaaaau

#define COUNTS       4096u
#define PRESCALE_MAX 6u /* by 256: 8 ms a count */
#define LSI_PER_MS   32u

bool board_watchdog_start(uint32_t ms)
{
    uint32_t prescale = 0;

    if (ms == 0 || ms > COUNTS * (4u << PRESCALE_MAX) / LSI_PER_MS) {
        return false;
    }
    while (ms * LSI_PER_MS > COUNTS * (4u << prescale)) {
        prescale++;
    }
    IWDG_KR = KEY_START;
    IWDG_KR = KEY_UNLOCK;
    IWDG_PR = prescale;
    IWDG_RLR = (ms * LSI_PER_MS - 1) >> (prescale + 2);
    IWDG_KR = KEY_FEED;
    return true;
}

void board_watchdog_feed(void)
{
    IWDG_KR = KEY_FEED;
}
