/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Guards, as boards see them; kill.h has what kill.c asks for.
 */

#include <alula/guard.h>

/*
 * The board's watchdog, the chip's to supply: restart the board after `ms`
 * without a feed, or not long after; false: it cannot. For a board's early
 * warning: a record of what runs now.
 */
bool board_watchdog_start(uint32_t ms);
void board_watchdog_feed(void);
void guard_board_warned(uintptr_t pc);
