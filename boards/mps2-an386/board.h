/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Arm MPS2, emulated by QEMU.
 */

#include "../board.h"

#define BOARD_NAME "mps2-an386"

/* Clock of the CMSDK timers and UARTs. */
#define BOARD_TIMER_HZ 25000000u

/* One instruction under QEMU's -icount shift=7. */
#define BOARD_INSN_NS 128u

/* The UART's BAUDDIV: 115200 baud. */
#define BOARD_CONSOLE_BAUD_DIVISOR 217u
