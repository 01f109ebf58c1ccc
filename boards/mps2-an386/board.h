/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Arm MPS2, emulated by QEMU.
 */

#include "../board.h"

#define BOARD_NAME "mps2-an386"

/* Clock of the CMSDK timers and UARTs. */
#define BOARD_TIMER_HZ 25000000u

/* Clock of the kernel's counter, the FPGA's cycle counter. */
#define BOARD_COUNTER_HZ 25000000u

/* 1: the emulator's time runs on by two ticks while the processor sleeps until
 * one; 0 on silicon. Ticks missed in the idle task's sleep are then none. */
#define BOARD_OVERSLEEPS 1

/* One instruction under QEMU's -icount shift=7. */
#define BOARD_INSN_NS 128u

/* The UART's BAUDDIV: 115200 baud. */
#define BOARD_CONSOLE_BAUD_DIVISOR 217u
